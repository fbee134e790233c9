// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/catch.h"
#include "daemon/relay.h"
#include "daemon/source_index.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 1000
#define AT_ONCE 4096 /* each is compared with all handles of a request */

static int on_caught(const struct flow *f, const struct fence_match *by, void *arg)
{
	struct catch *c = arg;
	int r = grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v));

	if (r < 0)
		return r;
	c->v[c->n++] = (struct caught){
		.handle = flow_key(f),
		.netns = f->netns,
		.elsewhere = !f->tracked,
		.by = *by,
	};
	return 0;
}

/* Into given, by the people that were read already, where the index has all there is; else into ret. */
static int select_by(struct live *l, const struct filter *filter, struct selection *given, struct selection *ret,
		     const struct selection **ret_used)
{
	_cleanup_(source_closep) struct source *source = NULL;
	bool suffices = source_index_suffices(l, true);
	struct selection *to = suffices ? given : ret;
	int r = suffices ? source_index_open(l, 0, 0, false, &source) : scan_open(&source);

	given->given = true;
	flowset_clear(&given->flows);
	*ret_used = to;
	return r < 0 ? r : source->ops->select(source, filter, NULL, to);
}

static int find_people(struct catch *c, struct live *l, struct fencing *f, const struct meant *m, struct selection *sel)
{
	_cleanup_(selection_clear) struct selection scanned = { 0 };
	const struct selection *found = sel;
	/* Nobody of them is here. */
	int r = m->any.named ? select_by(l, &m->any, sel, &scanned, &found) : 0;

	return r < 0 ? r : fencing_judge(f, m, found, on_caught, c);
}

/* Who came in before they were shut, and who is half in: once what was let pass before can be seen. */
static int find_in_new(struct catch *c, struct live *l, struct fencing *f, struct selection *sel, const struct ids *new_netns)
{
	_cleanup_(selection_clear) struct selection scanned = { 0 };
	const struct filter filter = {
		.named = 1u << SEL_NETNS | 1u << SEL_STATE,
		.netns = *new_netns,
		.protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP,
		.states = STATES_DEFAULT & ~(1u << STATE_CLOSE),
	};
	const struct selection *found = sel;
	size_t before = c->n;
	int r = fence_settle();

	if (r == 0)
		r = select_by(l, &filter, sel, &scanned, &found);
	if (r == 0)
		r = fencing_judge_places(f, found, on_caught, c);
	for (size_t i = before; i < c->n; i++)
		c->v[i].place = true;
	if (r < 0)
		fencing_attach_again(f, new_netns);
	return r;
}

int catch_find(struct catch *c, struct live *l, struct fencing *f, const struct meant *m, struct selection *sel,
	       const struct ids *new_netns)
{
	int r = m->fences.n ? find_people(c, l, f, m, sel) : 0;

	if (new_netns->n && fencing_any_place(f)) {
		int in_new = find_in_new(c, l, f, sel, new_netns);

		r = r < 0 ? r : in_new;
	}
	return r;
}

/* ---- ending them ---- */

struct ending {
	struct live *live;
	uint32_t job;
};

static int open_source(void *arg, struct source **ret)
{
	const struct ending *g = arg;

	return source_of_all(g->live, 0, g->job, false, true, ret);
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

static bool run(struct live *l, struct request *req)
{
	struct ending g = { .live = l };
	const struct access access = { .open = open_source, .accept = mark, .arg = &g };
	enum status status;
	char err[ERR_LEN];
	struct relay relay;

	if (relay_open(&relay, ignore, NULL) < 0)
		return false;
	relay.totals_only = true;
	pthread_mutex_lock(&l->lock);
	g.job = live_new_job(l, req->id, 0);
	live_fence_job(l, g.job);
	pthread_mutex_unlock(&l->lock);
	status = terminate(req, &access, &relay.report, err);
	live_end_job(l, g.job);
	relay_close(&relay);
	return status == STATUS_OK;
}

/* Its handle; of what the index has not, where and in which states it is looked for as well. */
static size_t name(const struct caught *one, char *text, struct selector *ret)
{
	snprintf(text, FLOW_HANDLE_LEN, "%llx@%u", (unsigned long long)one->handle, one->netns);
	ret[0] = (struct selector){ .kind = SEL_FLOW, .text = text };
	ret[0].flow.cookie = one->handle;
	ret[0].flow.netns = one->netns;
	if (!one->elsewhere)
		return 1;
	ret[1] = (struct selector){ .kind = SEL_NETNS, .text = strchr(text, '@') + 1 };
	ret[1].netns.form = NETNS_INODE;
	ret[1].netns.inode = one->netns;
	ret[2] = (struct selector){ .kind = SEL_STATE, .text = "any", .states = STATES_DEFAULT };
	return 3;
}

/* Those of one kind that one fence caught. */
static bool end_some(struct live *l, const struct caught *v, size_t n)
{
	_free_ struct selector *selectors = calloc(3 * n, sizeof(*selectors));
	_free_ char *texts = malloc(n * FLOW_HANDLE_LEN);
	struct request req = {
		.verb = VERB_KILL,
		.selectors = selectors,
		.wait = STAGE_DEAD,
		.timeout_ms = PATIENCE_MS,
		.include_self = true,
		.ignore_none = true,
	};

	if (!selectors || !texts)
		return false;
	for (size_t i = 0; i < n; i++)
		req.n_selectors += name(&v[i], texts + i * FLOW_HANDLE_LEN, selectors + req.n_selectors);
	memcpy(req.id, v->by.request, sizeof(req.id));
	return run(l, &req);
}

/* In a namespace that is new no more nobody would look for them. */
static void keep(struct fencing *f, const struct caught *v, size_t n)
{
	struct ids again = { 0 };

	for (size_t i = 0; i < n; i++)
		if (v[i].place && (!again.n || again.v[again.n - 1] != v[i].netns) && ids_add(&again, v[i].netns) < 0)
			break;
	fencing_attach_again(f, &again);
	free(again.v);
}

static int by_fence(const void *a, const void *b)
{
	const struct caught *x = a, *y = b;
	int r = strcmp(x->by.id, y->by.id);

	return r ? r : x->elsewhere - y->elsewhere;
}

void catch_end(struct catch *c, struct live *l, struct fencing *f)
{
	size_t end;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), by_fence);
	for (size_t i = 0; i < c->n; i = end) {
		for (end = i; end < c->n && end - i < AT_ONCE && !by_fence(&c->v[end], &c->v[i]); end++)
			;
		if (!end_some(l, c->v + i, end - i))
			keep(f, c->v + i, end - i);
	}
}

void catch_clear(struct catch *c)
{
	free(c->v);
	*c = (struct catch){ 0 };
}
