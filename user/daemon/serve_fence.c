// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_fence.c - FenceAdd, FenceList and FenceLift. Names are looked up, and the disk is waited for, by a thread; a caller who
 * hangs up meanwhile undoes nothing. */
#include "daemon/author.h"
#include "daemon/decode.h"
#include "daemon/fencing.h"
#include "daemon/severd.h"
#include "daemon/work_fence.h"

#include <string.h>

#define PAGE_BYTES (512 << 10)

struct fence_call {
	struct severd *d;
	struct call *call; /* NULL: hung up */
	struct work *work; /* NULL: done */
	const char *unchanged; /* to be said where it could not be done */
	struct fence_author by;
	int r;
	struct refusal refusal;
	json_t *result;
	size_t at; /* of the result that is shown next */
};

static void fence_call_free(struct fence_call *f)
{
	json_decref(f->result);
	if (f->call) {
		call_watch(f->call, NULL, NULL);
		call_unref(f->call);
	}
	free(f);
}

static void on_hangup(struct call *c, void *arg)
{
	struct fence_call *f = arg;

	f->call = NULL;
	call_unref(c);
	if (!f->work)
		fence_call_free(f);
}

/* ---- the answer ---- */

/* The disk is full, or the kernel will not: it may yet go. */
static int not_ready(struct fence_call *f, const char *sentence)
{
	char text[ERR_LEN + 64];

	snprintf(text, sizeof(text), "%s; %s", *sentence ? sentence : strerrordesc_np(-f->r), f->unchanged);
	return call_fail(f->call, -EBUSY, text);
}

static int refuse(struct fence_call *f, const char *sentence)
{
	json_t *more;

	switch (f->r) {
	case -ECANCELED:
	case -EINVAL:
	case -E2BIG:
	case -EAGAIN:
	case -ESRCH:
	case -EOPNOTSUPP:
		return severd_answer(f->call, fencing_status(f->r), &f->refusal, sentence, NULL);
	case -ENOENT:
		more = json_pack("{ss ss}", "what", "fence", "message", sentence);
		f->r = more ? call_error(f->call, "io.sever.NotFound", more) : -ENOMEM;
		json_decref(more);
		return f->r;
	case -ENOMEM:
		return call_fail(f->call, f->r, *sentence ? sentence : NULL);
	default:
		return not_ready(f, sentence);
	}
}

/* So many as a message holds, with "more"; else all. */
static json_t *page(struct fence_call *f, bool *ret_last)
{
	size_t n = json_array_size(f->result), bytes = 0;
	json_t *part = json_array();

	while (part && f->at < n && (bytes < PAGE_BYTES || !call_wants_more(f->call))) {
		json_t *one = json_array_get(f->result, f->at++);

		bytes += json_dumpb(one, NULL, 0, JSON_COMPACT);
		json_array_append(part, one);
	}
	*ret_last = f->at == n;
	return part ? json_pack("{so}", "fences", part) : NULL;
}

/* Frees f after the last page. */
static void send_pages(struct fence_call *f)
{
	bool last = false;
	int r = 0;

	while (!last && r == 0 && (!call_wants_more(f->call) || call_has_room(f->call))) {
		_cleanup_(json_decrefp) json_t *p = page(f, &last);

		r = p ? call_reply(f->call, p, !last) : -ENOMEM;
	}
	if (r == -EMSGSIZE)
		call_fail(f->call, r, "they are too many for one message: ask with \"more\"");
	else if (r < 0)
		call_fail(f->call, r, NULL);
	if (last || r < 0)
		fence_call_free(f);
	else
		call_reply(f->call, NULL, true); /* -EAGAIN, and room() comes */
}

static void on_room(struct call *c, void *arg)
{
	struct fence_call *f = arg;

	(void)c;
	if (!f->work)
		send_pages(f);
}

static const struct call_watcher watcher = { .gone = on_hangup, .room = on_room };

static void on_done(struct work *w, void *arg)
{
	struct fence_call *f = arg;
	_cleanup_(json_decrefp) json_t *p = NULL;

	f->work = NULL;
	if (f->call && f->r == 0 && json_is_array(f->result)) {
		send_pages(f);
		return;
	}
	if (f->call && f->r == 0) {
		p = json_pack("{sO}", "fence", f->result);
		if (p)
			call_reply(f->call, p, false);
	} else if (f->call) {
		refuse(f, w->err);
	}
	fence_call_free(f);
}

/* We end: one that went up stands on, and its caller is told so. */
static void on_drop(void *arg)
{
	struct fence_call *f = arg;

	if (json_is_array(f->result))
		fence_call_free(f);
	else
		on_done(f->work, f);
}

static const struct work_hooks hooks = { .done = on_done, .drop = on_drop };

/* ---- in the thread ---- */

static void do_add(struct work *w)
{
	struct fence_call *f = w->arg;

	f->r = work_put_up(w, &f->by, &f->result, &f->refusal, w->err);
}

static void do_list(struct work *w)
{
	struct fence_call *f = w->arg;

	f->r = fencing_list(f->d->fencing, &w->request, &f->result);
}

static void do_lift(struct work *w)
{
	const char *id = json_string_value(json_object_get(w->parameters, "fence"));
	struct fence_call *f = w->arg;

	f->r = fencing_lift(f->d->fencing, id, &w->request, &f->by, 0, &f->result, w->err);
	if (f->r == -ENOENT && id)
		fail(f->r, w->err, "no such fence: %s", id);
	else if (f->r == -ENOENT)
		fail(f->r, w->err, "no fence was put up with just these selectors");
}

/* ---- the methods ---- */

static int begin(struct severd *d, struct call *c, struct work *w, void (*body)(struct work *w))
{
	struct fence_call *f = calloc(1, sizeof(*f));
	const struct peer *p = call_peer(c);
	int r;

	if (!f)
		return -ENOMEM;
	*f = (struct fence_call){ .d = d, .work = w };
	f->unchanged = body == do_add ? "no fence went up" : "what stood stands";
	f->by = (struct fence_author){ .uid = p->uid, .login_uid = author_login(p), .pid = p->pid };
	w->hooks = &hooks;
	w->body = body;
	w->arg = f;
	r = severd_begin(d, w, c);
	if (r < 0) {
		fence_call_free(f);
		return r;
	}
	f->call = call_ref(c);
	call_watch(c, &watcher, f);
	return 0;
}

/* Before anything else is looked at. */
static int read_call(struct severd *d, struct call *c, struct work **ret)
{
	*ret = NULL;
	if (!severd_may_all(d, c))
		return call_fail(c, -EPERM, "only root and the group sever may have to do with fences");
	return severd_read(c, ret);
}

static int start(struct severd *d, struct call *c, struct work *w, void (*body)(struct work *w))
{
	int r = begin(d, c, w, body);

	if (r < 0)
		work_free(w);
	return r;
}

static int refuse_parameter(struct call *c, struct work *w, const char *err)
{
	work_free(w);
	return decode_refuse(c, -EINVAL, err);
}

int serve_fence_add(struct call *c, void *arg)
{
	struct work *w;
	int r = read_call(arg, c, &w);

	if (!w)
		return r;
	if (!w->request.n_selectors)
		return refuse_parameter(c, w, "selectors: none; that would be everyone");
	w->request.fence_ms = json_integer_value(json_object_get(w->parameters, "for_ms"));
	w->request.reason = json_string_value(json_object_get(w->parameters, "reason"));
	w->request.include_self = json_is_true(json_object_get(w->parameters, "include_self"));
	w->request.yes = json_is_true(json_object_get(w->parameters, "yes"));
	return start(arg, c, w, do_add);
}

int serve_fence_list(struct call *c, void *arg)
{
	struct work *w;
	int r = read_call(arg, c, &w);

	return w ? start(arg, c, w, do_list) : r;
}

int serve_fence_lift(struct call *c, void *arg)
{
	struct work *w;
	int r = read_call(arg, c, &w);

	if (!w)
		return r;
	if (!w->request.n_selectors == !json_object_get(w->parameters, "fence"))
		return refuse_parameter(c, w, "fence: either that or selectors");
	return start(arg, c, w, do_lift);
}
