// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_set.c - the set of fences, and that the kernel has the same. */
#include "daemon/fencing_parts.h"

#include <string.h>

void standing_free(struct standing *s)
{
	if (!s)
		return;
	json_decref(s->selectors);
	json_decref(s->reason);
	fence_target_clear(&s->target);
	free(s->parts.v);
	free(s->spared.v);
	free(s->line);
	free(s);
}

static bool can_stand(const struct fencing *f, const struct fence *part)
{
	return part->kind == SEVER_FENCE_IN || fence_outbound_error(f->kernel) == 0;
}

static int gather(const struct fencing *f, struct fence_list *ret)
{
	for (size_t i = 0; i < f->all.n; i++) {
		const struct fence_list *parts = &f->all.v[i]->parts;

		if (grow(&ret->v, &ret->cap, ret->n + parts->n, sizeof(*ret->v)) < 0)
			return -ENOMEM;
		for (size_t k = 0; k < parts->n; k++)
			if (can_stand(f, &parts->v[k]))
				ret->v[ret->n++] = parts->v[k];
	}
	return 0;
}

/* Other ids for the same parts. */
static void turn_over(struct fencing *f)
{
	for (size_t i = 0; i < f->all.n; i++) {
		struct standing *s = f->all.v[i];
		const uint64_t was = s->turn;

		s->turn = (was + 1) % FENCING_TURNS;
		for (size_t k = 0; k < s->parts.n; k++)
			s->parts.v[k].id += (s->turn - was) * FENCE_LIST_MAX;
		free(s->line);
		s->line = NULL;
	}
	f->stale = true;
}

static int raise_parts(const struct fencing *f, char *err)
{
	struct fence_list all = { 0 };
	int r = gather(f, &all);

	if (r == 0)
		r = fence_replace(f->kernel, all.v, all.n, err);
	free(all.v);
	return r;
}

/* Another version of us may have compiled them otherwise: then the counts are lost, and nobody is let in. */
static int raise_all(struct fencing *f, char *err)
{
	int r;

	if (fencing_open_kernel(f) < 0)
		return !f->pin_dir || !fence_pinned(f->pin_dir) ? 0 :
			fail(-EOPNOTSUPP, err, "the fences that stand cannot be changed: %s", f->kernel_why);
	r = raise_parts(f, err);
	for (int i = 1; i < FENCING_TURNS && r == -EEXIST; i++) {
		turn_over(f);
		r = raise_parts(f, err);
	}
	return r;
}

int fencing_raise(struct fencing *f, char *err)
{
	int r = raise_all(f, err);

	f->unraised = r < 0;
	return r;
}

void fencing_restore(struct fencing *f)
{
	fencing_raise(f, NULL);
	f->stale = true;
	f->due = 0;
	fencing_plan(f);
}

/* Numbers rise, but for those that are put back. */
int fencing_insert(struct fencing *f, struct standing *s)
{
	size_t at = f->all.n;
	int r;

	pthread_rwlock_wrlock(&f->match_lock);
	r = grow(&f->all.v, &f->all.cap, f->all.n + 1, sizeof(*f->all.v));
	if (r == 0) {
		for (; at > 0 && f->all.v[at - 1]->number > s->number; at--)
			f->all.v[at] = f->all.v[at - 1];
		f->all.v[at] = s;
		f->all.n++;
		f->n_people += filter_names_people(&s->target.filter);
	}
	pthread_rwlock_unlock(&f->match_lock);
	return r;
}

size_t fencing_take(struct fencing *f, bool (*want)(const struct standing *s, const void *arg), const void *arg,
		    struct standing **ret)
{
	size_t kept = 0, taken = 0;

	pthread_rwlock_wrlock(&f->match_lock);
	for (size_t i = 0; i < f->all.n; i++) {
		struct standing *s = f->all.v[i];

		if (want(s, arg)) {
			ret[taken++] = s;
			f->n_people -= filter_names_people(&s->target.filter);
		} else {
			f->all.v[kept++] = s;
		}
	}
	f->all.n = kept;
	pthread_rwlock_unlock(&f->match_lock);
	return taken;
}

struct standing *fencing_find(const struct fencing *f, uint64_t number)
{
	size_t from = 0, to = f->all.n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (f->all.v[mid]->number == number)
			return f->all.v[mid];
		if (f->all.v[mid]->number < number)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

void fencing_tell(struct fencing *f, enum event what, json_t *about, uint32_t job)
{
	struct live *l = f->live;
	struct logged *e;

	if (!l) {
		json_decref(about);
		return;
	}
	pthread_mutex_lock(&l->lock);
	e = log_add(&l->log, what);
	e->job = job;
	log_about(&l->log, e, about);
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
}
