// SPDX-License-Identifier: LGPL-2.1-or-later
/* await.c - what follows death: the programs close the descriptors of their dead connections, and the sessions end. Neither hangs on us,
 * and neither need ever come. */
#include "names/sessions.h"
#include "pipeline/job.h"

#include <string.h>
#include <time.h>

#define POLL_MS 50

static bool is_dead(const struct flow *f)
{
	return f->outcome == OUT_DEAD;
}

static int read_holders(struct job *j, const struct worklist *w, struct owners *o)
{
	_free_ uint64_t *wanted = calloc(w->n + 1, sizeof(*wanted));
	struct owner_scope scope = { .wanted = wanted, .n_wanted = w->n };

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		wanted[i] = w->v[i]->cookie;
	o->bpf = j->source->bpf;
	o->bpf_err = j->source->bpf_err;
	return j->source->ops->holders(j->source, o, &scope);
}

/* How many of them somebody still holds; each then shows who. */
static size_t count_held(struct job *j, const struct worklist *w, const struct owners *o)
{
	const struct people p = { .procs = &o->procs, .holders = &o->holders, .by_inode = o->by_inode };
	size_t held = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct flow *f = w->v[i];
		/* A UDP socket lives on, without its peer. */
		uint32_t set = flow_is_tcp(f) ? flow_holders(f, &p) : 0;

		f->note = NULL;
		if (!set)
			continue;
		f->note = "a process holds its descriptor still";
		f->proc = proctab_find(&j->frozen.owners.procs, o->procs.v[o->holders.sets[set].proc].pid);
		held++;
	}
	return held;
}

/* How many of the sessions that lost a flow have a leader yet. */
static size_t count_sessions(const struct job *j, const struct worklist *w, const struct sessions *now)
{
	const struct sessions *was = &j->frozen.sessions;
	size_t left = 0;

	for (size_t i = 0; i < was->n; i++) {
		bool concerned = false;

		for (size_t k = 0; k < w->n && !concerned; k++)
			concerned = w->v[k]->session == (int32_t)i;
		for (size_t k = 0; k < now->n && concerned; k++)
			left += now->v[k].leader && !strcmp(now->v[k].id, was->v[i].id);
	}
	return left;
}

/* 1: that stage is reached. */
static int look(struct job *j, const struct worklist *w)
{
	struct sessions sessions = { 0 };
	struct owners o = { 0 };
	size_t held = 0, left = 0;
	int r = read_holders(j, w, &o);

	if (r == 0)
		r = sessions_read(&o.procs, &sessions);
	if (r == 0) {
		held = count_held(j, w, &o);
		left = j->req->wait == STAGE_ENDED ? count_sessions(j, w, &sessions) : 0;
	}
	sessions_clear(&sessions);
	owners_clear(&o);
	if (r == 0 && held)
		fail(0, j->err, "%zu of the connections %s dead and still held by a process", held, held == 1 ? "is" : "are");
	else if (r == 0 && left)
		fail(0, j->err, "%zu of the sessions %s not ended", left, left == 1 ? "has" : "have");
	else if (r == 0)
		*j->err = '\0';
	return r < 0 ? r : !held && !left;
}

int await(struct job *j)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	struct worklist w = { 0 };
	int r = worklist_make(j, is_dead, &w);
	_free_ struct flow **v = w.v;

	if (r < 0 || !w.n)
		return r;
	report_progress(j->report, "waiting for the programs", 0, 0);
	while ((r = look(j, &w)) == 0 && !job_over(j))
		nanosleep(&pause, NULL);
	j->awaited = r > 0;
	return r < 0 ? r : 0;
}
