// SPDX-License-Identifier: LGPL-2.1-or-later
/* source_index.c - the index has no MPTCP connection, no UDP socket without a peer, no connection that is not fully open or quite
 * closed. Those are asked of the kernel where they may match. */
#include "daemon/source_index.h"
#include "daemon/people.h"
#include "daemon/recall.h"
#include "daemon/search.h"
#include "kernel/sockets.h"
#include "model/moment.h"
#include "pipeline/coverage.h"

#include <string.h>

/* Of the states of TCP those the index does not follow. An orphan in FIN_WAIT2 is no more than a TIME_WAIT by another name. */
#define HALF_STATES (1u << STATE_NEW_SYN_RECV | 1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT | 1u << STATE_FIN_WAIT2)

struct source_index {
	struct source base;
	struct live *live;
	uint32_t caller, job;
	bool states;
};

static void search_clear(struct search *q)
{
	flowset_clear(&q->found);
	flowset_clear(&q->unsure);
	free(q->netns.v);
	free(q->openers);
}

/* ---- what the index has not ---- */

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
	if (wants_half(&f))
		protos |= 1u << PROTO_TCP;
	f.protos &= protos | q->pending;
	if (q->select.frozen)
		f.states |= STATES_DEFAULT;
	return f;
}

/* A flow whose local end is not in the index may be there all the same. */
static void find_birth(const struct search *q, struct flow *f)
{
	const struct entry *e;

	pthread_mutex_lock(&q->live->lock);
	e = index_find(&q->live->index, f->cookie);
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
	if (q->pending & 1u << f->proto)
		find_birth(q, &born);
	return select_flow(&q->select, &born);
}

static int find_elsewhere(struct source *s, struct search *q)
{
	const struct filter f = elsewhere(q);
	int r = 0;

	for (size_t i = 0; i < s->netns.n && r >= 0 && f.protos; i++) {
		q->select.ns = &s->netns.v[i];
		r = s->netns.v[i].nl ? sockets_dump(&s->netns.v[i], &f, on_elsewhere, q) : 0;
	}
	return r < 0 ? r : 0;
}

/* Doors to where the candidates are; to everywhere only where what the index has not may match. */
static int open_netns(struct source *s, struct search *q)
{
	const struct filter *f = q->select.filter;
	struct filter near = *f;

	if (wants_unconnected(q) || wants_half(f) || q->n_open)
		return netns_discover(&s->netns, &q->select.sel->owners.procs, f);
	near.named |= 1u << SEL_NETNS;
	ids_sort(&q->netns);
	near.netns = q->netns;
	return netns_discover(&s->netns, &q->select.sel->owners.procs, &near);
}

static bool missing_netns(const struct source *s, const struct search *q)
{
	for (size_t i = 0; i < q->netns.n; i++)
		if (!netns_find(&s->netns, q->netns.v[i]))
			return true;
	return false;
}

static bool has_mptcp(const struct flowset *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].proto == PROTO_MPTCP)
			return true;
	return false;
}

static int settle(struct source *s, struct search *q)
{
	const struct selection *sel = q->select.sel;
	int r = open_netns(s, q);

	if (r == 0 && missing_netns(s, q))
		r = search_everyone(s, q);
	if (r == 0 && q->unsure.n)
		r = search_uids(s, q);
	if (r == 0)
		r = select_set(&q->select, &s->netns, &q->found);
	if (r == 0)
		r = select_set(&q->select, &s->netns, &q->unsure);
	if (r == 0)
		r = find_elsewhere(s, q);
	/* What ends an MPTCP connection needs everyone who holds it. */
	if (r == 0 && !q->select.frozen && (has_mptcp(&sel->flows) ||
					     (q->n_open && sel->flows.n < q->select.filter->flows.n)))
		r = search_everyone(s, q);
	return r;
}

static int index_select(struct source *s, const struct filter *f, struct flowset *frozen, struct selection *ret)
{
	const struct source_index *x = (struct source_index *)s;
	_cleanup_(search_clear) struct search q = {
		.select = { .filter = f, .frozen = frozen, .sel = ret, .people = filter_names_people(f) },
		.live = x->live,
		.wide = *f,
		.now = clock_ns(CLOCK_BOOTTIME),
		.states = x->states || filter_names(f, SEL_STATE),
		.boot = moment_of_boot(),
	};
	int whole = live_resync(x->live), r;

	if (whole)
		note(&s->notes, "not all connections could be tracked (%s)", whole < 0 ? strerror(-whole) : "they are too many");
	ret->incomplete |= whole;
	r = people_read(x->live, ret);
	/* Without BPF sockets are known by inode, which the index has not: what can be known is known at once. */
	q.late = !q.select.people && !ret->people.by_inode;
	if (r == 0 && !q.late)
		r = people_read_holders(x->live, f, x->caller, NULL, ret);
	if (r < 0)
		return r;
	q.wide.states = ~0u;
	q.wide.named &= ~(1u << SEL_OLDER_THAN);
	pthread_mutex_lock(&x->live->lock);
	r = live_drain_locked(x->live);
	if (r == 0)
		r = search_candidates(&q);
	s->crowd = x->live->index.n;
	pthread_mutex_unlock(&x->live->lock);
	if (r >= 0)
		r = settle(s, &q);
	if (r >= 0)
		r = search_holders(&q, x->caller);
	if (r < 0)
		return r;
	select_attribute(&q.select);
	/* A connection asked for by its handle is to cost nothing: of what a service accepted nobody is shown. */
	if (f->holders && !filter_names(f, SEL_FLOW))
		r = search_other_holders(s, &q);
	coverage_account(s, f, ret);
	return r;
}

/* Whether the map still has it. What the index has may have gone all the same, where an event was lost. */
static int still_there(const struct live *l, const struct flow *f)
{
	struct sever_flow now;
	int r = index_find(&l->index, f->cookie) ? track_read(l->track, f->cookie, &now) : -ENOENT;

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int index_lookup(struct source *s, struct flow *const *v, size_t n)
{
	const struct source_index *x = (struct source_index *)s;
	int r;

	pthread_mutex_lock(&x->live->lock);
	r = live_drain_locked(x->live);
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = still_there(x->live, v[i]);
		v[i]->present = r > 0;
	}
	pthread_mutex_unlock(&x->live->lock);
	if (r < 0)
		return r;
	live_owed(x->live, x->job, v, n);
	return 0;
}

static int index_recall(struct source *s, struct selection *sel)
{
	return recall(((struct source_index *)s)->live, sel);
}

static int index_holders(struct source *s, struct owners *o, struct owner_scope *scope)
{
	struct live *l = ((struct source_index *)s)->live;
	int r;

	pthread_mutex_lock(&l->people_lock);
	r = owners_read_procs(o);
	if (r == 0)
		r = owners_read_holders(o, scope);
	pthread_mutex_unlock(&l->people_lock);
	return r;
}

static void index_catch_up(struct source *s)
{
	live_drain(((struct source_index *)s)->live);
}

static void index_close(struct source *s)
{
	source_clear(s);
	free(s);
}

static const struct source_ops index_ops = {
	.select = index_select,
	.lookup = index_lookup,
	.recall = index_recall,
	.holders = index_holders,
	.catch_up = index_catch_up,
	.close = index_close,
};

bool source_index_suffices(struct live *l, bool udp)
{
	bool yes;

	pthread_mutex_lock(&l->lock);
	yes = !l->crowded && (!udp || l->udp_err == 0);
	pthread_mutex_unlock(&l->lock);
	return yes;
}

int source_index_open(struct live *l, uint32_t caller, uint32_t job, bool states, struct source **ret)
{
	struct source_index *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct source_index){ .live = l, .caller = caller, .job = job, .states = states };
	s->base = (struct source){ .ops = &index_ops, .bpf = l->people, .bpf_err = l->people_err };
	*ret = &s->base;
	return 0;
}
