// SPDX-License-Identifier: LGPL-2.1-or-later
/* search_kernel.c - what a search must ask the kernel for all that the index knows. */
#include "daemon/search.h"
#include "kernel/sockets.h"

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
	q->select.sel->people.by_inode = o->by_inode;
	for (size_t i = 0; i < o->n_held && r == 0; i++)
		netns_add_held(&s->netns, &o->held[i], q->select.filter);
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
