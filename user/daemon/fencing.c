// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing.c - putting fences up, taking them down, showing them. */
#include "daemon/fencing_parts.h"
#include "daemon/author.h"

#include <string.h>

#define MS UINT64_C(1000000)

/* ---- up ---- */

static int describe(struct standing *s, const struct request *req, const struct fence_author *by)
{
	s->by = *by;
	s->selectors = author_typed(req);
	s->reason = req->reason ? json_string(req->reason) : NULL;
	snprintf(s->request, sizeof(s->request), "%s", req->id);
	return s->selectors && !s->reason == !req->reason ? 0 : -ENOMEM;
}

/* With the lock: when it begins and ends, and its number. */
static int compile(struct fencing *f, struct standing *s, uint64_t ms, char *err)
{
	if (f->last >= FENCING_NUMBER_MAX - 1)
		return fail(-EBUSY, err, "no number is left for another fence");
	s->number = f->last + 1;
	s->since_us = clock_ns(CLOCK_REALTIME) / 1000;
	s->since_ns = clock_ns(CLOCK_BOOTTIME);
	s->until_ns = s->since_ns + ms * MS;
	return fence_compile(&s->target.filter, &s->target.subjects, s->number, s->until_ns, &s->parts, &s->notes, err);
}

static int check_kernel(const struct fencing *f, const struct standing *s, char *err)
{
	size_t in = 0;

	if (!f->kernel)
		return fail(-EOPNOTSUPP, err, "no fences can be put up: %s", f->kernel_why);
	for (size_t i = 0; i < s->parts.n; i++)
		in += s->parts.v[i].kind == SEVER_FENCE_IN;
	if (s->parts.n && !in && fence_outbound_error(f->kernel) < 0)
		return fail(-EOPNOTSUPP, err, "outbound connections cannot be refused here: %s",
			    strerrordesc_np(-fence_outbound_error(f->kernel)));
	return 0;
}

static int check_room(const struct fencing *f, const struct standing *s, char *err)
{
	size_t parts = s->parts.n;

	for (size_t i = 0; i < f->all.n; i++)
		parts += f->all.v[i]->parts.n;
	if (f->all.n >= FENCING_MAX || parts > FENCING_PARTS_MAX)
		return fail(-EBUSY, err, "%zu fences stand, more than these are not possible", f->all.n);
	return 0;
}

static bool is_same(const struct standing *s, const void *arg)
{
	return s == arg;
}

/* With the lock. A number once written down is not given again, whatever became of its fence. */
static int put_up(struct fencing *f, struct standing *s, char *err)
{
	struct standing *back;
	int r = fencing_insert(f, s);

	if (r < 0)
		return r;
	f->last = s->number;
	r = fencing_commit(f, err);
	if (r < 0) {
		fencing_take(f, is_same, s, &back);
		fencing_restore(f);
	}
	return r;
}

/* Somebody may yet slip in, and until when nobody can say. */
static int take_back(struct fencing *f, json_t *shown, uint32_t job, int why, char *err)
{
	_cleanup_(json_decrefp) json_t *fence = shown, *lifted = NULL;

	fencing_lift(f, json_string_value(json_object_get(fence, "fence")), NULL, NULL, job, &lifted, NULL);
	return fail(why, err, "what was under way cannot be waited for: %s", strerrordesc_np(-why));
}

int fencing_add(struct fencing *f, const struct request *req, const struct fence_author *by, uint32_t job, json_t **ret,
		struct refusal *ret_why, char *err)
{
	_cleanup_(standing_freep) struct standing *s = calloc(1, sizeof(*s));
	json_t *shown = NULL;
	int r = s ? describe(s, req, by) : -ENOMEM;

	*ret_why = (struct refusal){ 0 };
	if (r == 0)
		r = fence_resolve(f->live, req, &s->target, &ret_why->missing, err);
	if (r == 0)
		r = fencing_check_netns(f, &s->target.filter, &ret_why->missing, err);
	if (r == 0)
		r = fence_guard(f, req, &s->target.filter, &ret_why->guard, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&f->lock);
	r = compile(f, s, req->fence_ms, err);
	if (r == 0)
		r = check_kernel(f, s, err);
	if (r == 0)
		r = check_room(f, s, err);
	if (r == 0 && !req->dry_run)
		r = put_up(f, s, err);
	if (r == 0 && !req->dry_run) {
		shown = fencing_show(f, s);
		fencing_tell(f, EVENT_FENCE_ADD, json_incref(shown), job);
		take_ptr(&s);
	}
	pthread_mutex_unlock(&f->lock);
	if (r < 0 || req->dry_run)
		return r;
	if (!shown)
		return -ENOMEM;
	r = fence_settle();
	if (r < 0)
		return take_back(f, shown, job, r, err);
	*ret = shown;
	return 0;
}

/* ---- down ---- */

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

/* With the lock. */
static int take_down(struct fencing *f, const struct wanted *w, const struct fence_author *by, uint32_t job, json_t **ret,
		     char *err)
{
	_free_ struct standing **v = calloc(f->all.n + 1, sizeof(struct standing *));
	size_t n = v ? fencing_take(f, is_wanted, w, v) : 0;
	_cleanup_(json_decrefp) json_t *shown = n ? show_all(f, v, n) : NULL;
	int r = !v ? -ENOMEM : !n ? -ENOENT : shown ? fencing_commit(f, err) : -ENOMEM;

	if (r < 0) {
		if (n)
			put_back(f, v, n);
		return r == -ENOENT && !n ? fail(r, err, "no such fence") : r;
	}
	for (size_t i = 0; i < n; i++) {
		if (by)
			json_object_set_new(json_array_get(shown, i), "lifted_by", author_show(by));
		fencing_tell(f, EVENT_FENCE_LIFT, json_incref(json_array_get(shown, i)), job);
		standing_free(v[i]);
	}
	*ret = take_ptr(&shown);
	return 0;
}

int fencing_lift(struct fencing *f, const char *id, const struct request *req, const struct fence_author *by, uint32_t job,
		 json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *selectors = id ? NULL : author_typed(req);
	const struct wanted w = { .number = id ? number_of(id) : 0, .selectors = selectors };
	int r;

	if (!id && !selectors)
		return -ENOMEM;
	if (id && !w.number)
		return fail(-ENOENT, err, "no such fence");
	pthread_mutex_lock(&f->lock);
	r = take_down(f, &w, by, job, ret, err);
	pthread_mutex_unlock(&f->lock);
	return r;
}

/* ---- shown ---- */

static int by_end(const void *a, const void *b)
{
	const struct standing *x = *(struct standing *const *)a, *y = *(struct standing *const *)b;

	return x->until_ns != y->until_ns ? (x->until_ns > y->until_ns) - (x->until_ns < y->until_ns) :
					    (x->number > y->number) - (x->number < y->number);
}

static json_t *list(const struct fencing *f, const struct wanted *w)
{
	_free_ struct standing **v = calloc(f->all.n + 1, sizeof(struct standing *));
	size_t n = 0;

	if (!v)
		return NULL;
	for (size_t i = 0; i < f->all.n; i++)
		if (is_wanted(f->all.v[i], w))
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

enum status fencing_status(int r)
{
	switch (r) {
	case -ECANCELED:
		return STATUS_GUARD;
	case -EINVAL:
	case -E2BIG:
	case -EAGAIN:
		return STATUS_USAGE;
	case -ESRCH:
		return STATUS_NO_MATCH;
	case -EOPNOTSUPP:
		return STATUS_KERNEL;
	default:
		return STATUS_NO_DAEMON; /* not ready: a full disk, too many */
	}
}
