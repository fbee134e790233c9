// SPDX-License-Identifier: LGPL-2.1-or-later
/* measure.c - what the flows of a listing have carried, asked of the kernel for those that came from elsewhere. */
#include "kernel/sockets.h"
#include "pipeline/job.h"

static bool is_unmeasured(const struct flow *f)
{
	return f->tracked && f->proto == PROTO_TCP && !f->counted;
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
	return sockets_measure(ns, v, n, on_measured, &j->frozen.flows);
}

int measure(struct job *j)
{
	struct worklist w = { 0 };
	int r = worklist_make(j, is_unmeasured, &w);
	_free_ struct flow **v = w.v;

	return r < 0 ? r : worklist_by_netns(j, &w, measure_there);
}
