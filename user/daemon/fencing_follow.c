// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_follow.c - fences whose subject is another one by now, or gone. */
#include "daemon/fencing_parts.h"
#include "pipeline/resolve.h"

#include <string.h>

int fencing_rename(struct fencing *f, struct standing *s, const struct fence_target *to)
{
	const struct fence_target was = s->target;
	const unsigned int turn = s->turn;
	int r;

	pthread_rwlock_wrlock(&f->match_lock);
	s->target = *to;
	s->turn = (turn + 1) % FENCING_TURNS;
	r = standing_compile(s, NULL);
	if (r < 0) {
		s->target = was;
		s->turn = turn;
	}
	pthread_rwlock_unlock(&f->match_lock);
	free(s->line);
	s->line = NULL;
	return r;
}

/* The next cgroup or unit among what was typed, from *at on. */
static bool next_cgroup(const json_t *selectors, size_t *at, struct selector *ret)
{
	while (*at < json_array_size(selectors))
		if (standing_parse(json_string_value(json_array_get(selectors, (*at)++)), ret) == 0 &&
		    (ret->kind == SEL_CGROUP || ret->kind == SEL_UNIT))
			return true;
	return false;
}

int standing_find_tops(const json_t *selectors, const struct cgroup_tree *t, struct ids *ret)
{
	struct selector one;
	int r = 0;

	for (size_t i = 0; r == 0 && next_cgroup(selectors, &i, &one);) {
		r = fence_find_tops(&one, t, ret);
		r = r == -ENOENT ? 0 : r;
	}
	ids_sort(ret);
	return r;
}

static int find_cgroups(const json_t *selectors, struct filter *ret)
{
	struct selector one;
	const struct request req = { .selectors = &one, .n_selectors = 1, .verb = VERB_LIST };
	int r = 0;

	for (size_t i = 0; r == 0 && next_cgroup(selectors, &i, &one);) {
		r = resolve(&req, ret, NULL, NULL);
		r = r == -ESRCH ? 0 : r;
	}
	return r;
}

struct search {
	uint64_t number;
	json_t *selectors;
	struct fence_target found;
	int err;
};

struct searches {
	struct search *v;
	size_t n, cap;
};

static bool is_same(const struct ids *a, const struct ids *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof(*a->v)));
}

/* Looked for by name each time: one may have come beside those that are known. The id of a cgroup is never given again. */
static int check(struct standing *s, const struct cgroup_tree *t, struct searches *ret)
{
	struct search one = { .number = s->number, .selectors = s->selectors };
	int r = standing_find_tops(s->selectors, t, &one.found.subjects.cgroups);
	bool same = is_same(&one.found.subjects.cgroups, &s->target.subjects.cgroups);

	if (r == 0 && !same)
		r = grow(&ret->v, &ret->cap, ret->n + 1, sizeof(*ret->v));
	if (r < 0 || same) {
		fence_target_clear(&one.found);
	} else {
		json_incref(one.selectors);
		ret->v[ret->n++] = one;
	}
	return r;
}

static void note(struct standing *s, int r)
{
	s->notes = (s->notes & ~FENCE_NOTE_BEHIND) | (r < 0 ? FENCE_NOTE_BEHIND : 0);
}

static bool names_cgroups(const struct standing *s)
{
	return filter_names(&s->target.filter, SEL_CGROUP) || filter_names(&s->target.filter, SEL_UNIT);
}

/* The tree is looked at once, however many there are. */
static void find_due(struct fencing *f, struct searches *ret)
{
	_cleanup_(cgroup_tree_clear) struct cgroup_tree tree = { 0 };
	int r = cgroup_tree_read(&tree);

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->all.n; i++)
		if (names_cgroups(f->all.v[i]))
			note(f->all.v[i], r < 0 && r != -ENOENT ? r : check(f->all.v[i], &tree, ret));
	pthread_mutex_unlock(&f->lock);
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

/* Whether it is for others now. What failed the next look finds again. With the lock. */
static bool take_found(struct fencing *f, struct search *found)
{
	struct standing *s = fencing_find(f, found->number);
	struct fence_target to;
	int r = found->err;

	if (!s)
		return false;
	to = s->target;
	exchange(&to, &found->found);
	if (r == 0)
		r = fencing_rename(f, s, &to);
	if (r < 0)
		exchange(&to, &found->found);
	note(s, r);
	return r == 0;
}

static bool any_cgroups(struct fencing *f)
{
	bool any = false;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->all.n && !any; i++)
		any = names_cgroups(f->all.v[i]);
	pthread_mutex_unlock(&f->lock);
	return any;
}

void fencing_follow(struct fencing *f)
{
	struct searches due = { 0 };
	bool changed = false;

	if (!fencing_any_people(f) || !any_cgroups(f))
		return;
	find_due(f, &due);
	for (size_t i = 0; i < due.n; i++)
		due.v[i].err = find_cgroups(due.v[i].selectors, &due.v[i].found.filter);
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < due.n; i++)
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
