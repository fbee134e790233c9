// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/source_index.h"
#include "daemon/people.h"
#include "daemon/recall.h"
#include "daemon/search.h"
#include "model/moment.h"
#include "pipeline/coverage.h"

#include <string.h>

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
	int r = search_doors(s, q);

	if (r == 0 && !q->given && missing_netns(s, q))
		r = search_everyone(s, q);
	if (r == 0 && q->unsure.n)
		r = search_uids(s, q);
	if (r == 0)
		r = select_set(&q->select, &s->netns, &q->found);
	if (r == 0)
		r = select_set(&q->select, &s->netns, &q->unsure);
	if (r == 0)
		r = search_elsewhere(s, q);
	/* What ends an MPTCP connection needs everyone who holds it. */
	if (r == 0 && !q->given && !q->select.frozen && (has_mptcp(&sel->flows) ||
					     (q->n_open && sel->flows.n < q->select.filter->flows.n)))
		r = search_everyone(s, q);
	return r;
}

static int read_people(const struct source_index *x, struct search *q, struct selection *ret)
{
	int r = people_read(x->live, ret);

	/* Without BPF sockets are known by inode, which the index has not: what can be known is known at once. */
	q->late = !q->select.people && !ret->people.by_inode;
	if (r == 0 && !q->late)
		r = people_read_holders(x->live, q->select.filter, x->caller, NULL, ret);
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
		.states = !ret->given && (x->states || filter_names(f, SEL_STATE)),
		.boot = moment_of_boot(),
		.given = ret->given,
	};
	int whole = live_resync(x->live), r;

	ret->boot = q.boot;
	if (whole)
		note(&s->notes, "not all connections could be tracked (%s)", whole < 0 ? strerror(-whole) : "they are too many");
	ret->incomplete |= whole;
	r = ret->given ? 0 : read_people(x, &q, ret);
	if (r == 0)
		r = search_half(s, &q);
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

int source_of_all(struct live *l, uint32_t caller, uint32_t job, bool states, bool udp, struct source **ret)
{
	return source_index_suffices(l, udp) ? source_index_open(l, caller, job, states, ret) : scan_open(ret);
}
