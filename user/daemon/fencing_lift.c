// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_lift.c - which fences are meant: taking them down, and showing them. */
#include "daemon/fencing_parts.h"
#include "daemon/author.h"

#include <string.h>

struct wanted {
	uint64_t number;   /* 0: by what was typed */
	json_t *selectors; /* NULL: all */
};

static bool has(const json_t *array, const json_t *one)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_equal(json_array_get(array, i), one))
			return true;
	return false;
}

static bool is_subset(const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!has(b, json_array_get(a, i)))
			return false;
	return true;
}

static bool is_wanted(const struct standing *s, const void *arg)
{
	const struct wanted *w = arg;

	if (w->number)
		return s->number == w->number;
	return !w->selectors || (is_subset(s->selectors, w->selectors) && is_subset(w->selectors, s->selectors));
}

/* "f12", as it is shown. */
static uint64_t number_of(const char *id)
{
	char shown[FENCE_ID_LEN], *end;
	uint64_t n = *id == 'f' ? strtoull(id + 1, &end, 10) : 0;

	snprintf(shown, sizeof(shown), "f%llu", (unsigned long long)n);
	return strcmp(shown, id) ? 0 : n;
}

/* What they have refused is known only before they are down. */
static json_t *show_all(const struct fencing *f, struct standing *const *v, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n && all; i++)
		if (json_array_append_new(all, fencing_show(f, v[i])) < 0) {
			json_decref(all);
			all = NULL;
		}
	return all;
}

static void put_back(struct fencing *f, struct standing **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fencing_insert(f, v[i]); /* there is room: it was there */
	fencing_restore(f);
}

static bool is_leaving(const struct standing *s, const void *arg)
{
	(void)arg;
	return s->leaving;
}

/* How many of them stand. With both locks. */
static size_t mark(struct fencing *f, const struct wanted *w, bool leaving)
{
	size_t n = 0;

	for (size_t i = 0; i < f->all.n; i++)
		if (is_wanted(f->all.v[i], w)) {
			f->all.v[i]->leaving = leaving;
			n++;
		}
	return n;
}

/* With both locks: those that are leaving, which the file does not have any more. Some may have ended meanwhile. */
static int take_down(struct fencing *f, const struct fence_author *by, uint32_t job, json_t **ret, char *err)
{
	_free_ struct standing **v = calloc(f->all.n + 1, sizeof(struct standing *));
	size_t n = v ? fencing_take(f, is_leaving, NULL, v) : 0;
	_cleanup_(json_decrefp) json_t *shown = v ? show_all(f, v, n) : NULL;
	int r = shown ? fencing_raise(f, err) : -ENOMEM;

	if (r < 0) {
		put_back(f, v, n);
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		json_object_set_new(json_array_get(shown, i), "lifted_by", author_show(by));
		fencing_tell(f, EVENT_FENCE_LIFT, json_incref(json_array_get(shown, i)), job);
		standing_free(v[i]);
	}
	fencing_plan(f);
	*ret = take_ptr(&shown);
	return 0;
}

int fencing_lift(struct fencing *f, const char *id, const struct request *req, const struct fence_author *by, uint32_t job,
		 json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *selectors = id ? NULL : author_typed(req);
	const struct wanted w = { .number = id ? number_of(id) : 0, .selectors = selectors };
	size_t n;
	int r;

	if (!id && !selectors)
		return -ENOMEM;
	if (id && !w.number)
		return fail(-ENOENT, err, "no such fence");
	pthread_mutex_lock(&f->disk_lock);
	pthread_mutex_lock(&f->lock);
	n = mark(f, &w, true);
	pthread_mutex_unlock(&f->lock);
	r = n ? fencing_save(f, NULL, err) : fail(-ENOENT, err, "no such fence");
	pthread_mutex_lock(&f->lock);
	if (r == 0)
		r = take_down(f, by, job, ret, err);
	mark(f, &w, false);
	pthread_mutex_unlock(&f->lock);
	pthread_mutex_unlock(&f->disk_lock);
	return r;
}

void fencing_take_back(struct fencing *f, const char *id, uint32_t job)
{
	const struct wanted w = { .number = number_of(id) };
	struct standing *s;
	json_t *shown;

	pthread_mutex_lock(&f->lock);
	if (w.number && fencing_take(f, is_wanted, &w, &s)) {
		shown = fencing_show(f, s);
		fencing_restore(f);
		fencing_tell(f, EVENT_FENCE_LIFT, shown, job);
		standing_free(s);
	}
	pthread_mutex_unlock(&f->lock);
}

/* ---- shown ---- */

static int by_end(const void *a, const void *b)
{
	const struct standing *x = *(struct standing *const *)a, *y = *(struct standing *const *)b;

	return x->until_ns != y->until_ns ? (x->until_ns > y->until_ns) - (x->until_ns < y->until_ns) :
					    (x->number > y->number) - (x->number < y->number);
}

/* Without those that have ended, though nobody may have looked since. */
static json_t *list(const struct fencing *f, const struct wanted *w)
{
	_free_ struct standing **v = calloc(f->all.n + 1, sizeof(struct standing *));
	uint64_t now = clock_ns(CLOCK_BOOTTIME);
	size_t n = 0;

	if (!v)
		return NULL;
	for (size_t i = 0; i < f->all.n; i++)
		if (f->all.v[i]->until_ns > now && is_wanted(f->all.v[i], w))
			v[n++] = f->all.v[i];
	if (n)
		qsort(v, n, sizeof(*v), by_end);
	return show_all(f, v, n);
}

int fencing_list(struct fencing *f, const struct request *req, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *selectors = req->n_selectors ? author_typed(req) : NULL;
	const struct wanted w = { .selectors = selectors };
	json_t *all;

	if (req->n_selectors && !selectors)
		return -ENOMEM;
	pthread_mutex_lock(&f->lock);
	all = list(f, &w);
	pthread_mutex_unlock(&f->lock);
	if (!all)
		return -ENOMEM;
	*ret = all;
	return 0;
}
