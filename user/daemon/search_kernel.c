// SPDX-License-Identifier: LGPL-2.1-or-later
/* search_kernel.c - what a search must ask the kernel for all that the index knows. */
#include "daemon/people.h"
#include "daemon/search.h"
#include "kernel/sockets.h"

struct held_at {
	uint32_t pid, fd;
};

/* A look at every descriptor of the host, for the sockets that are given: shows the way into a namespace that no process is in, and
 * what a handle means that is no connection. */
int search_everyone(struct source *s, struct search *q)
{
	struct owners *o = &q->select.sel->owners;
	const struct flow_ids *ids = &q->select.filter->flows;
	const struct flowset *sets[] = { &q->found, &q->unsure, &q->select.sel->flows };
	size_t n = ids->n, cap = ids->n + q->found.n + q->unsure.n + q->select.sel->flows.n;
	_free_ uint64_t *wanted = calloc(cap + 1, sizeof(*wanted));
	_free_ uint32_t *known = calloc(s->netns.n + 1, sizeof(*known));
	struct owner_scope scope = { .wanted = wanted, .known = known, .n_known = s->netns.n };
	int r;

	if (!wanted || !known)
		return -ENOMEM;
	for (size_t i = 0; i < ids->n; i++)
		wanted[i] = ids->v[i].cookie;
	for (size_t k = 0; k < array_size(sets); k++)
		for (size_t i = 0; i < sets[k]->n; i++)
			wanted[n++] = sets[k]->v[i].cookie;
	for (size_t i = 0; i < s->netns.n; i++)
		known[i] = s->netns.v[i].inode;
	scope.n_wanted = n;
	pthread_mutex_lock(&q->live->people_lock);
	r = owners_read_holders(o, &scope);
	pthread_mutex_unlock(&q->live->people_lock);
	q->asked_everyone = true;
	q->select.sel->people.by_inode = o->by_inode;
	for (size_t i = 0; i < o->n_held && r == 0; i++)
		netns_add_held(&s->netns, &o->held[i], q->select.filter);
	return r;
}

/* Up to so many are asked about one by one. */
#define FEW 16

/* Where each was seen last. */
static void recollect(struct live *l, const struct flowset *set, struct held_at v[FEW])
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < set->n; i++) {
		const struct entry *e = index_find(&l->index, set->v[i].cookie);

		v[i] = (struct held_at){ e ? e->holder : 0, e ? e->holder_fd : 0 };
	}
	pthread_mutex_unlock(&l->lock);
}

/* 1: one process that is logged in holds it, and nobody else does, so that nobody else need be asked. 0: nobody knows. */
static int add_sole(struct search *q, const struct flow *f, const struct held_at *at)
{
	struct selection *sel = q->select.sel;
	int32_t proc = at->pid ? proctab_find(&sel->owners.procs, at->pid) : -1;
	int r;

	if (proc < 0 || proc_login(&sel->people, &sel->owners.procs.v[proc]) == ID_UNSET ||
	    owners_sole_ask(q->live->sole, at->pid, at->fd, f->cookie) <= 0)
		return 0;
	r = holders_add_at(&sel->owners.holders, f->cookie, proc, at->fd);
	return r < 0 ? r : 1;
}

/* 1: all of them. */
static int add_soles(struct search *q)
{
	const struct flowset *set = &q->select.sel->flows;
	struct held_at v[FEW];
	int r = 1;

	if (!q->live->sole || set->n > FEW)
		return 0;
	recollect(q->live, set, v);
	pthread_mutex_lock(&q->live->people_lock);
	for (size_t i = 0; i < set->n && r > 0; i++)
		r = add_sole(q, &set->v[i], &v[i]);
	pthread_mutex_unlock(&q->live->people_lock);
	return r;
}

int search_holders(struct search *q, uint32_t caller)
{
	struct selection *sel = q->select.sel;
	int r;

	if (!q->late || q->asked_everyone || !sel->flows.n)
		return 0;
	r = add_soles(q);
	if (r == 0)
		r = people_read_holders(q->live, q->select.filter, caller, &sel->flows, sel);
	r = r < 0 ? r : 0;
	for (size_t i = 0; i < q->n_openers && r == 0 && !sel->people.by_inode; i++)
		r = holders_add(&sel->owners.holders, q->openers[i].cookie, q->openers[i].proc);
	return r;
}

int search_other_holders(struct source *s, struct search *q)
{
	struct selection *sel = q->select.sel;
	int r = sel->flows.n && !sel->people.by_inode ? search_everyone(s, q) : 0;

	for (size_t i = 0; i < sel->flows.n && r == 0; i++)
		if (sel->flows.v[i].proc < 0)
			flow_attribute(&sel->flows.v[i], &sel->people);
	return r;
}

struct verify {
	struct search *q;
	struct flowset *set;
};

static int on_verified(const struct flow *f, void *arg)
{
	struct verify *v = arg;
	struct flow *known = flowset_find(v->set, f);
	struct live *l = v->q->live;
	struct entry *e;

	if (!known || !f->inode)
		return 0;
	known->uid = f->uid;
	/* Not around the look-ups: they may be as many as there are connections. */
	pthread_mutex_lock(&l->lock);
	e = index_find(&l->index, f->cookie);
	if (e)
		index_set_uid(&l->index, e, f->uid);
	pthread_mutex_unlock(&l->lock);
	return 0;
}

/* The kernel's own word for the uid of each; what it says is kept. */
int search_uids(struct source *s, struct search *q)
{
	struct verify v = { .q = q, .set = &q->unsure };
	_free_ struct flow **of = calloc(q->unsure.n + 1, sizeof(*of));
	int r = of ? 0 : -ENOMEM;

	for (size_t i = 0; i < s->netns.n && r == 0; i++) {
		size_t n = 0;

		for (size_t k = 0; k < q->unsure.n; k++)
			if (q->unsure.v[k].netns == s->netns.v[i].inode)
				of[n++] = &q->unsure.v[k];
		if (!n || !s->netns.v[i].nl)
			continue;
		r = sockets_lookup(&s->netns.v[i], of, n, on_verified, &v);
	}
	return r;
}
