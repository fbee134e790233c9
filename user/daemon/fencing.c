// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing.c - putting fences up. */
#include "daemon/fencing_parts.h"
#include "daemon/author.h"

#include <string.h>

#define MS UINT64_C(1000000)

static int describe(struct standing *s, const struct request *req, const struct fence_author *by)
{
	s->by = *by;
	s->selectors = author_typed(req);
	s->reason = req->reason ? json_string(req->reason) : NULL;
	snprintf(s->request, sizeof(s->request), "%s", req->id);
	s->pending = *req->id;
	return s->selectors && !s->reason == !req->reason ? 0 : -ENOMEM;
}

static void set_since(const struct fencing *f, struct standing *s)
{
	s->since_us = clock_ns(CLOCK_REALTIME) / 1000;
	s->since_ns = clock_ns(CLOCK_BOOTTIME);
	s->audit = filter_names_people(&s->target.filter) ? fencing_newest_session(f) : ID_UNSET;
}

/* With disk_lock: when it begins and ends, and its number. */
static int compile(struct fencing *f, struct standing *s, uint64_t ms, char *err)
{
	if (f->last >= FENCING_NUMBER_MAX - 1)
		return fail(-EBUSY, err, "no number is left for another fence");
	s->number = f->last + 1;
	set_since(f, s);
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

/* With both locks, and it is on the disk. It was not there for anybody while that took its time: who came meanwhile was there
 * before it. */
static int stand(struct fencing *f, struct standing *s, json_t **ret, char *err)
{
	struct standing *back;
	int r;

	set_since(f, s);
	free(s->line);
	s->line = NULL;
	f->stale = true;
	r = fencing_insert(f, s);
	if (r < 0)
		return r;
	r = fencing_raise(f, err);
	if (r == 0)
		r = (*ret = fencing_show(f, s)) ? 0 : -ENOMEM;
	if (r < 0) {
		fencing_take(f, is_same, s, &back);
		fencing_restore(f);
	}
	fencing_plan(f);
	return r;
}

/* With disk_lock. A number once written down is not given again, whatever became of its fence. */
static int put_up(struct fencing *f, struct standing *s, uint32_t job, json_t **ret, char *err)
{
	int r;

	f->last = s->number;
	r = fencing_save(f, s, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&f->lock);
	r = stand(f, s, ret, err);
	if (r == 0)
		fencing_tell(f, EVENT_FENCE_ADD, json_incref(*ret), job);
	pthread_mutex_unlock(&f->lock);
	return r;
}

/* With disk_lock. */
static int prepare(struct fencing *f, struct standing *s, uint64_t ms, char *err)
{
	int r = compile(f, s, ms, err);

	pthread_mutex_lock(&f->lock);
	if (r == 0)
		r = check_kernel(f, s, err);
	if (r == 0)
		r = check_room(f, s, err);
	pthread_mutex_unlock(&f->lock);
	return r;
}

/* Somebody may yet slip in, and until when nobody can say. */
static int take_back(struct fencing *f, json_t *shown, uint32_t job, int why, char *err)
{
	_cleanup_(json_decrefp) json_t *fence = shown;

	fencing_take_back(f, json_string_value(json_object_get(fence, "fence")), job);
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
	pthread_mutex_lock(&f->disk_lock);
	r = prepare(f, s, req->fence_ms, err);
	if (r == 0 && !req->dry_run)
		r = put_up(f, s, job, &shown, err);
	if (shown)
		take_ptr(&s);
	pthread_mutex_unlock(&f->disk_lock);
	if (r < 0 || req->dry_run)
		return r;
	r = fence_settle();
	if (r < 0)
		return take_back(f, shown, job, r, err);
	*ret = shown;
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
