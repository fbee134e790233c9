// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/catch.h"
#include "daemon/relay.h"
#include "daemon/source_index.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 1000
#define HANDLE_LEN 32

int catch_find(struct catch *c, struct live *l, struct fencing *f, const struct people *people, const struct ids *new_netns)
{
	bool any_people = fencing_any_people(f), is_new;
	struct entry *e;
	struct flow flow;

	for (size_t i = 0; i < l->index.used && (any_people || new_netns->n); i++) {
		struct caught one;
		uint64_t birth;

		e = index_at(&l->index, i);
		is_new = e && ids_has(new_netns, e->netns);
		if (!e || !(is_new || (any_people && !e->judged)))
			continue;
		e->judged = any_people;
		entry_to_flow(e, &flow);
		flow_attribute(&flow, people);
		/* Whom the tags did not see coming was there before, as far as anybody knows. */
		birth = e->flags & SEVER_FLOW_ADOPTED ? 0 : e->birth;
		if (!fencing_matches(f, &flow, people, is_new ? birth : 0, e->late ? UINT64_MAX : birth, &one.by))
			continue;
		one.cookie = e->cookie;
		one.netns = e->netns;
		if (grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v)) < 0)
			return -ENOMEM;
		c->v[c->n++] = one;
	}
	return 0;
}

/* ---- ending them ---- */

struct ending {
	struct live *live;
	uint32_t job;
};

static int open_source(void *arg, struct source **ret)
{
	const struct ending *g = arg;

	return source_index_open(g->live, 0, g->job, false, ret);
}

static int mark(void *arg, struct selection *victims, char *err)
{
	const struct ending *g = arg;

	(void)err;
	live_mark(g->live, g->job, &victims->flows);
	return 0;
}

static int ignore(const char *line, size_t len, void *arg)
{
	(void)line;
	(void)len;
	(void)arg;
	return 0;
}

static void run(struct live *l, struct request *req)
{
	struct ending g = { .live = l };
	const struct access access = { .open = open_source, .accept = mark, .arg = &g };
	char err[ERR_LEN];
	struct relay relay;

	if (relay_open(&relay, ignore, NULL) < 0)
		return;
	relay.totals_only = true;
	pthread_mutex_lock(&l->lock);
	g.job = live_new_job(l, req->id, 0);
	live_fence_job(l, g.job);
	pthread_mutex_unlock(&l->lock);
	terminate(req, &access, &relay.report, err);
	live_end_job(l, g.job);
	relay_close(&relay);
}

/* Those that one fence caught. */
static void end_some(struct live *l, const struct caught *v, size_t n)
{
	_free_ struct selector *selectors = calloc(n, sizeof(*selectors));
	_free_ char *texts = malloc(n * HANDLE_LEN);
	struct request req = {
		.verb = VERB_KILL,
		.selectors = selectors,
		.n_selectors = n,
		.wait = STAGE_DEAD,
		.timeout_ms = PATIENCE_MS,
		.include_self = true,
		.ignore_none = true,
	};

	if (!selectors || !texts)
		return;
	for (size_t i = 0; i < n; i++) {
		char *text = texts + i * HANDLE_LEN;

		snprintf(text, HANDLE_LEN, "%llx@%u", (unsigned long long)v[i].cookie, v[i].netns);
		selectors[i] = (struct selector){ .kind = SEL_FLOW, .text = text };
		selectors[i].flow.cookie = v[i].cookie;
		selectors[i].flow.netns = v[i].netns;
	}
	memcpy(req.id, v->by.request, sizeof(req.id));
	run(l, &req);
}

static int by_fence(const void *a, const void *b)
{
	return strcmp(((const struct caught *)a)->by.id, ((const struct caught *)b)->by.id);
}

void catch_end(struct catch *c, struct live *l)
{
	size_t end;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), by_fence);
	for (size_t i = 0; i < c->n; i = end) {
		for (end = i; end < c->n && !by_fence(&c->v[end], &c->v[i]); end++)
			;
		end_some(l, c->v + i, end - i);
	}
}

void catch_clear(struct catch *c)
{
	free(c->v);
	*c = (struct catch){ 0 };
}
