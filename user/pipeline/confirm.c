// SPDX-License-Identifier: LGPL-2.1-or-later
/* confirm.c - did it die? Compared by cookie: a new cookie on the same addresses is a new connection, and calling
 * that a failure would make a client that returns look immortal. */
#include "kernel/sockets.h"
#include "pipeline/job.h"

#include <string.h>

static int on_found(const struct flow *found, void *arg)
{
	struct job *j = arg;
	struct flow *f = flowset_find(&j->frozen.flows, found);

	if (f && flow_is_same(f, found)) {
		f->present = true;
		f->wqueue = found->wqueue;
	}
	return 0;
}

/* The kernel looks MPTCP up by its token, which no dump shows: so all of it is listed. */
static int list_mptcp(struct job *j, struct netns *ns)
{
	const struct filter all = { .protos = 1u << PROTO_MPTCP, .states = ~0u };
	int r = sockets_dump(ns, &all, on_found, j);

	return r < 0 ? r : 0;
}

static int in_netns(struct job *j, struct netns *ns, struct flow **v, size_t n)
{
	size_t exact = 0;
	int r;

	while (exact < n && v[exact]->proto != PROTO_MPTCP)
		exact++;
	r = sockets_lookup(ns, v, exact, on_found, j);
	return r < 0 || exact == n ? r : list_mptcp(j, ns);
}

int confirm_lookup(struct job *j, struct worklist *w)
{
	_Static_assert(PROTO_MPTCP > PROTO_UDP && PROTO_MPTCP > PROTO_TCP, "a worklist has MPTCP last");

	for (size_t i = 0; i < w->n; i++)
		w->v[i]->present = false;
	return worklist_by_netns(j, w, in_netns);
}

int confirm_dead(struct job *j, struct worklist *w)
{
	struct worklist rest = { 0 };
	_free_ struct flow **v = NULL;
	size_t n = 0;
	int r;

	if (!j->source->ops->lookup)
		return confirm_lookup(j, w);
	v = calloc(w->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++) {
		w->v[i]->present = false;
		if (!w->v[i]->tracked)
			v[w->n - ++rest.n] = w->v[i];
		else
			v[n++] = w->v[i];
	}
	rest.v = v + n;
	r = j->source->ops->lookup(j->source, v, n);
	return r < 0 ? r : worklist_by_netns(j, &rest, in_netns);
}

int confirm_select(struct job *j)
{
	struct flowset *set = &j->frozen.flows;

	for (size_t i = 0; i < set->n; i++)
		set->v[i].present = false;
	selection_clear(&j->after);
	j->after.lean = j->frozen.lean;
	return j->source->ops->select(j->source, &j->filter, set, &j->after);
}

void confirm_unsupported(struct flow *f)
{
	f->outcome = OUT_UNSUPPORTED;
	if (f->state == STATE_CLOSE)
		f->note = "unconnected UDP: it has no connection to cut";
	else if (f->subflow)
		f->note = "MPTCP, which this kernel does not list";
	else
		f->note = "no engine of this kernel reaches it";
}

static void settle_present(const struct job *j, struct flow *f)
{
	f->outcome = OUT_ALIVE;
	if (f->err == -EPERM || f->err == -EACCES)
		f->outcome = OUT_DENIED;
	else if (f->err == -EINTR)
		f->note = job_stopped(j) ? "interrupted before its turn" : "time ran out before its turn";
	else if (f->err && f->err != -ENOENT && !destroy_can_retry(f))
		confirm_unsupported(f);
}

static void settle_gone(struct flow *f)
{
	f->outcome = f->err && !f->engine ? OUT_STALE : OUT_DEAD;
	f->err = 0;
	f->note = f->proto == PROTO_UDP ? "disconnected; its program may connect it again" : NULL;
}

static int by_tuple(const void *a, const void *b)
{
	const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;
	int r = (x->netns > y->netns) - (x->netns < y->netns);

	r = r ? r : x->local_port - y->local_port;
	r = r ? r : x->remote_port - y->remote_port;
	r = r ? r : memcmp(x->local.b, y->local.b, sizeof(x->local.b));
	return r ? r : memcmp(x->remote.b, y->remote.b, sizeof(x->remote.b));
}

/* Where both ends of a connection are victims, the reset of the first kills the second before its turn. It did not go by
 * itself: it is dead. */
static void settle_twins(struct worklist *w)
{
	_free_ struct flow **dead = calloc(w->n + 1, sizeof(*dead));
	size_t n = 0;

	for (size_t i = 0; i < w->n && dead; i++)
		if (w->v[i]->outcome == OUT_DEAD && flow_is_tcp(w->v[i]))
			dead[n++] = w->v[i];
	if (!n)
		return;
	qsort(dead, n, sizeof(*dead), by_tuple);
	for (size_t i = 0; i < w->n; i++) {
		struct flow *f = w->v[i], twin = *f, *at = &twin;

		twin.local = f->remote;
		twin.remote = f->local;
		twin.local_port = f->remote_port;
		twin.remote_port = f->local_port;
		if (f->outcome == OUT_STALE && bsearch(&at, dead, n, sizeof(*dead), by_tuple)) {
			f->outcome = OUT_DEAD;
			f->note = "by cutting its other end";
		}
	}
}

void confirm_settle(struct job *j, struct worklist *w)
{
	bool stale = false;

	for (size_t i = 0; i < w->n; i++) {
		struct flow *f = w->v[i];

		if (f->present)
			settle_present(j, f);
		else if (f->outcome != OUT_DEAD && f->outcome != OUT_STALE)
			settle_gone(f);
		stale |= f->outcome == OUT_STALE;
	}
	if (stale)
		settle_twins(w);
}
