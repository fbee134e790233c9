// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_mean.c - whom the fences of users, sessions, cgroups and units mean at one moment. For cgroups that is who is in one or
 * anywhere below it, also where that was made later: as the kernel has it for what goes out. */
#include "daemon/fencing_parts.h"

#include <string.h>

#define MEMO 256

/* A cgroup that a fence names. */
struct top {
	const char *path;
	uint64_t fence;
};

struct tops {
	struct top *v;
	size_t n, cap;
};

void meant_clear(struct meant *m)
{
	filter_clear(&m->any);
	free(m->v);
	free(m->fences.v);
	*m = (struct meant){ 0 };
}

static int add_subject(struct meant *m, enum sel kind, uint64_t id, uint64_t fence)
{
	int r = grow(&m->v, &m->cap, m->n + 1, sizeof(*m->v));

	if (r == 0)
		m->v[m->n++] = (struct subject){ .kind = kind, .id = id, .fence = fence };
	return r;
}

static int by_subject(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : (x->id > y->id) - (x->id < y->id);
}

static int add_users(const struct standing *s, struct meant *m)
{
	const struct ids *users = &s->target.filter.users;
	int r = 0;

	for (size_t i = 0; i < users->n && r == 0; i++) {
		r = ids_add(&m->any.users, users->v[i]);
		if (r == 0)
			r = add_subject(m, SEL_USER, users->v[i], s->number);
	}
	return r;
}

static int add_session(struct meant *m, const struct session_id *id)
{
	struct session_ids *to = &m->any.sessions;
	int r = grow(&to->v, &to->cap, to->n + 1, sizeof(*to->v));

	if (r == 0)
		to->v[to->n++] = *id;
	return r;
}

/* Those that are there. */
static int add_sessions(const struct standing *s, const struct sessions *all, struct meant *m)
{
	const struct session_ids *named = &s->target.filter.sessions;
	int r = 0;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < named->n && r == 0; k++) {
			if (!session_id_is(&named->v[k], &all->v[i]))
				continue;
			r = add_session(m, &named->v[k]);
			if (r == 0)
				r = add_subject(m, SEL_SESSION, i, s->number);
		}
	return r;
}

/* Their ids, which are looked up with the others. */
static int add_tops(const struct standing *s, struct meant *m, struct ids *in_use)
{
	const struct ids *tops = &s->target.subjects.cgroups;
	int r = 0;

	if (!filter_names(&s->target.filter, SEL_CGROUP) && !filter_names(&s->target.filter, SEL_UNIT))
		return 0;
	for (size_t i = 0; i < tops->n && r == 0; i++) {
		r = ids_add(in_use, tops->v[i]);
		if (r == 0)
			r = add_subject(m, SEL_CGROUP, tops->v[i], s->number);
	}
	return r;
}

static int add_fences(struct fencing *f, const struct people *people, struct meant *m, struct ids *in_use)
{
	int r = 0;

	pthread_rwlock_rdlock(&f->match_lock);
	for (size_t i = 0; i < f->all.n && f->n_people && r == 0; i++) {
		const struct standing *s = f->all.v[i];

		if (s->notes & FENCE_NOTE_LAPSED || !filter_names_people(&s->target.filter))
			continue;
		r = ids_add(&m->fences, s->number);
		if (r == 0)
			r = add_users(s, m);
		if (r == 0)
			r = add_sessions(s, people->sessions, m);
		if (r == 0)
			r = add_tops(s, m, in_use);
	}
	pthread_rwlock_unlock(&f->match_lock);
	return r;
}

/* ---- what lies below the tops ---- */

/* Those that come again and again are many, and cgroups few. */
static int note_use(struct ids *in_use, uint64_t memo[MEMO], uint64_t id)
{
	uint64_t *last = &memo[index_hash_number(id) % MEMO];

	if (!id || *last == id)
		return 0;
	*last = id;
	return ids_add(in_use, id);
}

/* Of processes, and of sockets, whoever has them by now. */
static int add_uses(struct live *l, const struct proctab *procs, struct ids *in_use)
{
	uint64_t memo[MEMO] = { 0 };
	int r = 0;

	for (size_t i = 0; i < procs->n && r == 0; i++)
		r = note_use(in_use, memo, procs->v[i].cgroup);
	if (!l || r < 0)
		return r;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->index.used && r == 0; i++)
		if (index_at(&l->index, i))
			r = note_use(in_use, memo, index_at(&l->index, i)->cgroup);
	pthread_mutex_unlock(&l->lock);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct top *)a)->path, ((const struct top *)b)->path);
}

/* The tops have been added as they are. */
static int find_tops(const struct meant *m, const struct lineage *cgroups, struct tops *ret)
{
	int r = 0;

	for (size_t i = 0; i < m->n && r == 0; i++) {
		const char *path = m->v[i].kind == SEL_CGROUP ? lineage_path(cgroups, m->v[i].id) : NULL;

		if (!path)
			continue;
		r = grow(&ret->v, &ret->cap, ret->n + 1, sizeof(*ret->v));
		if (r == 0)
			ret->v[ret->n++] = (struct top){ path, m->v[i].fence };
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_path);
	return r;
}

/* path: of one that lies above id. */
static int add_below(const struct tops *tops, const char *path, uint64_t id, struct meant *m)
{
	size_t from = 0, to = tops->n;
	int r = 0;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(tops->v[mid].path, path) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < tops->n && !strcmp(tops->v[from].path, path) && r == 0; from++)
		r = add_subject(m, SEL_CGROUP, id, tops->v[from].fence);
	return r;
}

static int add_ancestors(const struct tops *tops, const struct ancestry *of, struct meant *m)
{
	_free_ char *path = of->path && strcmp(of->path, "/") ? strdup(of->path) : NULL;
	int r = 0;

	if (!path)
		return !of->path || !strcmp(of->path, "/") ? 0 : -ENOMEM;
	for (char *slash = strrchr(path, '/'); slash && r == 0; slash = slash == path ? NULL : strrchr(path, '/')) {
		*slash = '\0';
		r = add_below(tops, *path ? path : "/", of->id, m);
	}
	return r;
}

static int add_cgroups(struct live *live, const struct proctab *procs, struct lineage *cgroups, struct ids *in_use, struct meant *m)
{
	struct tops tops = { 0 };
	int r = in_use->n ? add_uses(live, procs, in_use) : 0;

	if (r == 0)
		r = lineage_update(cgroups, in_use);
	if (r == 0 && in_use->n)
		r = find_tops(m, cgroups, &tops);
	for (size_t i = 0; i < cgroups->n && tops.n && r == 0; i++)
		r = add_ancestors(&tops, &cgroups->v[i], m);
	for (size_t i = 0; i < m->n && r == 0; i++)
		if (m->v[i].kind == SEL_CGROUP)
			r = ids_add(&m->any.cgroups, m->v[i].id);
	free(tops.v);
	return r;
}

int fencing_mean(struct fencing *f, const struct people *people, struct lineage *cgroups, struct meant *ret)
{
	struct filter *any = &ret->any;
	struct ids in_use = { 0 };
	int r;

	if (!fencing_any_people(f))
		return 0;
	r = add_fences(f, people, ret, &in_use);
	if (r == 0)
		r = add_cgroups(f->live, people->procs, cgroups, &in_use, ret);
	free(in_use.v);
	any->named = (any->users.n ? 1u << SEL_USER : 0) | (any->sessions.n ? 1u << SEL_SESSION : 0) |
		     (any->cgroups.n ? 1u << SEL_CGROUP : 0);
	any->protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP;
	any->states = STATES_DEFAULT & ~(1u << STATE_CLOSE);
	any->any_people = true;
	ids_sort(&any->users);
	ids_sort(&any->cgroups);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_subject);
	return r;
}
