// SPDX-License-Identifier: LGPL-2.1-or-later
/* search_elsewhere.c - the index has no MPTCP connection, no UDP socket without a peer, no connection that is not fully open or
 * quite closed. Those are asked of the kernel where they may match. */
#include "daemon/search.h"
#include "kernel/sockets.h"

/* Of the states of TCP those the index does not follow. An orphan in FIN_WAIT2 is no more than a TIME_WAIT by another name. */
#define HALF_STATES (1u << STATE_NEW_SYN_RECV | 1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT | 1u << STATE_FIN_WAIT2)

/* A socket is one thing: what is named by a handle that the index has needs no look elsewhere. */
static bool is_all_ours(const struct search *q)
{
	return filter_names(q->select.filter, SEL_FLOW) && !q->n_open;
}

static bool wants_unconnected(const struct search *q)
{
	const struct filter *f = q->select.filter;

	return !is_all_ours(q) && f->protos & 1u << PROTO_UDP && f->states & 1u << STATE_CLOSE && !filter_names(f, SEL_CLIENT) &&
	       !filter_names(f, SEL_PEER);
}

/* Half-open connections are many during a flood of them, and become flows at once or never: only who names the state gets them. */
static bool wants_half(const struct filter *f)
{
	return filter_names(f, SEL_STATE) && f->protos & 1u << PROTO_TCP && f->states & HALF_STATES;
}

/* What is to be dumped; protos 0: nothing. */
static struct filter elsewhere(const struct search *q)
{
	struct filter f = *q->select.filter;
	uint32_t protos = 0;

	if (q->mptcp || q->n_open)
		protos |= 1u << PROTO_MPTCP;
	if (wants_unconnected(q))
		protos |= 1u << PROTO_UDP;
	f.protos &= protos | q->pending;
	if (q->select.frozen)
		f.states |= STATES_DEFAULT;
	return f;
}

/* A flow whose local end is not in the index may be there all the same, and an MPTCP connection began with what lies below it. */
static void find_birth(const struct search *q, struct flow *f)
{
	const struct entry *e;

	pthread_mutex_lock(&q->live->lock);
	e = index_origin(&q->live->index, f);
	if (e)
		search_birth(q, e, f);
	pthread_mutex_unlock(&q->live->lock);
}

static int on_elsewhere(const struct flow *f, void *arg)
{
	struct search *q = arg;
	struct flow born = *f;
	uint32_t states = HALF_STATES | (q->pending & 1u << PROTO_TCP ? 1u << STATE_SYN_SENT : 0);

	if (f->proto == PROTO_TCP && !(states & 1u << f->state))
		return 0; /* the index has it, or it has just ended */
	if (f->proto == PROTO_MPTCP || q->pending & 1u << f->proto)
		find_birth(q, &born);
	return select_flow(&q->select, &born);
}

static int dump_all(struct source *s, struct search *q, const struct filter *f)
{
	int r = 0;

	for (size_t i = 0; i < s->netns.n && r >= 0 && f->protos; i++) {
		q->select.ns = &s->netns.v[i];
		r = s->netns.v[i].nl ? sockets_dump(&s->netns.v[i], f, on_elsewhere, q) : 0;
	}
	return r < 0 ? r : 0;
}

int search_half(struct source *s, struct search *q)
{
	struct filter f = *q->select.filter;
	int r;

	if (!wants_half(&f))
		return 0;
	f.protos = 1u << PROTO_TCP;
	f.states = (q->select.frozen ? f.states | STATES_DEFAULT : f.states) & HALF_STATES;
	r = netns_discover(&s->netns, &q->select.sel->owners.procs, &f);
	return r < 0 ? r : dump_all(s, q, &f);
}

int search_elsewhere(struct source *s, struct search *q)
{
	const struct filter f = elsewhere(q);

	return dump_all(s, q, &f);
}

int search_doors(struct source *s, struct search *q)
{
	const struct filter *f = q->select.filter;
	struct filter near = *f;

	if (q->given && !q->mptcp)
		return 0;
	if (wants_unconnected(q) || wants_half(f) || q->n_open)
		return netns_discover(&s->netns, &q->select.sel->owners.procs, f);
	near.named |= 1u << SEL_NETNS;
	ids_sort(&q->netns);
	near.netns = q->netns;
	return netns_discover(&s->netns, &q->select.sel->owners.procs, &near);
}
