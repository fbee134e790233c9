// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_follow.c - fences whose subject is another one by now, or gone. */
#include "daemon/fencing_parts.h"
#include "kernel/cgroup.h"

#include <string.h>

int fencing_rename(struct fencing *f, struct standing *s, const struct fence_target *to)
{
	const struct fence_target was = s->target;
	int r;

	pthread_rwlock_wrlock(&f->match_lock);
	s->target = *to;
	s->turn = (s->turn + 1) % FENCING_TURNS;
	r = standing_compile(s, NULL);
	if (r < 0)
		s->target = was;
	pthread_rwlock_unlock(&f->match_lock);
	free(s->line);
	s->line = NULL;
	return r;
}

struct search {
	uint64_t number;
	json_t *selectors;
	struct fence_target found;
	bool missing;
	int err;
};

struct searches {
	struct search *v;
	size_t n, cap;
};

/* To look for all of them each time would cost too much. The id of a cgroup is never given again. */
static bool is_due(const struct standing *s, struct cgroup_cache **cache)
{
	const struct ids *tops = &s->target.subjects.cgroups;
	bool due = s->missing;

	if (!filter_names(&s->target.filter, SEL_CGROUP) && !filter_names(&s->target.filter, SEL_UNIT))
		return false;
	for (size_t i = 0; i < tops->n && !due; i++)
		due = !cgroup_path(cache, tops->v[i]);
	return due;
}

static int find_due(struct fencing *f, struct searches *ret)
{
	struct cgroup_cache *cache = NULL;
	int r = 0;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->all.n && r == 0; i++) {
		struct standing *s = f->all.v[i];

		if (!is_due(s, &cache))
			continue;
		r = grow(&ret->v, &ret->cap, ret->n + 1, sizeof(*ret->v));
		if (r == 0)
			ret->v[ret->n++] = (struct search){ .number = s->number, .selectors = json_incref(s->selectors) };
	}
	pthread_mutex_unlock(&f->lock);
	cgroup_cache_free(cache);
	return r;
}

static bool is_same(const struct ids *a, const struct ids *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof(*a->v)));
}

static void exchange(struct fence_target *a, struct fence_target *b)
{
	const struct fence_target was = *a;

	a->filter.cgroups = b->filter.cgroups;
	a->filter.units = b->filter.units;
	a->subjects.cgroups = b->subjects.cgroups;
	b->filter.cgroups = was.filter.cgroups;
	b->filter.units = was.filter.units;
	b->subjects.cgroups = was.subjects.cgroups;
}

/* Whether it is for others now. With the lock. */
static bool take_found(struct fencing *f, struct search *found)
{
	struct standing *s = found->err < 0 ? NULL : fencing_find(f, found->number);
	struct fence_target to;

	if (!s)
		return false;
	s->missing = found->missing;
	if (is_same(&s->target.subjects.cgroups, &found->found.subjects.cgroups))
		return false;
	to = s->target;
	exchange(&to, &found->found);
	if (fencing_rename(f, s, &to) == 0)
		return true;
	s->missing = true;
	exchange(&to, &found->found);
	return false;
}

void fencing_follow(struct fencing *f)
{
	struct searches due = { 0 };
	bool changed = false;
	int r = find_due(f, &due);

	for (size_t i = 0; i < due.n && r == 0; i++)
		due.v[i].err = standing_find_cgroups(due.v[i].selectors, &due.v[i].found, &due.v[i].missing);
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < due.n && r == 0; i++)
		changed |= take_found(f, &due.v[i]);
	if (changed)
		fencing_restore(f);
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < due.n; i++) {
		json_decref(due.v[i].selectors);
		fence_target_clear(&due.v[i].found);
	}
	free(due.v);
}
