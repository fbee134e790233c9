// SPDX-License-Identifier: LGPL-2.1-or-later
/* measure.c - what the flows of a listing have carried, asked of the kernel for those that came from elsewhere. */
#include "kernel/sockets.h"
#include "pipeline/job.h"

/* To look one up costs as much as to pass so many in a list of all. */
#define LOOKUP_COST 6
/* A list passes all the buckets of the kernel's table, however few are in it. */
#define TABLE_COST 3000

static bool is_unmeasured(const struct flow *f)
{
	return f->tracked && f->proto == PROTO_TCP && !f->counted;
}

static bool is_unmeasured_of_session(const struct flow *f)
{
	return (f->session >= 0 || f->waiting) && is_unmeasured(f);
}

static int on_measured(const struct flow *f, void *arg)
{
	struct flow *known = flowset_find(arg, f);

	if (!known)
		return 0;
	known->sent = f->sent;
	known->received = f->received;
	known->idle_ms = f->idle_ms;
	known->counted = f->counted;
	known->timed = f->timed;
	return 0;
}

static int measure_there(struct job *j, struct netns *ns, struct flow **v, size_t n)
{
	struct diag_dump all = {
		.proto = PROTO_TCP,
		.states = ~(1u << STATE_LISTEN | 1u << STATE_TIME_WAIT | 1u << STATE_NEW_SYN_RECV | 1u << STATE_CLOSE),
		.tcp_info = true,
	};
	int r = 1;

	if (n * LOOKUP_COST > TABLE_COST + j->source->crowd)
		r = sockets_dump_raw(ns, &all, on_measured, &j->frozen.flows);
	/* A list that was interrupted, or none. */
	return r > 0 ? sockets_measure(ns, v, n, on_measured, &j->frozen.flows) : r;
}

int measure(struct job *j)
{
	struct worklist w = { 0 };
	int r = worklist_make(j, j->req->what == LIST_SESSIONS ? is_unmeasured_of_session : is_unmeasured, &w);
	_free_ struct flow **v = w.v;

	return r < 0 ? r : worklist_by_netns(j, &w, measure_there);
}
