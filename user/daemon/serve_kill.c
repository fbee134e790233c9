// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_kill.c - Kill and GetRequest. A request goes on when its caller has hung up, and is remembered when it has ended. */
#include "daemon/memory.h"
#include "daemon/record.h"
#include "daemon/severd.h"
#include "pipeline/request_id.h"

#include <string.h>
#include <sys/eventfd.h>

/* Callers that want to know how one request ends: the one who began it, and those who came with its id. */
struct kill {
	struct severd *d;
	struct call *call; /* NULL: hung up */
	struct work *work;
	struct kill *joined; /* more of them */
	json_t *summary;
	bool accepted;
};

static void kill_free_one(struct kill *k)
{
	if (k->call) {
		call_watch(k->call, NULL, NULL);
		call_unref(k->call);
	}
	json_decref(k->summary);
	free(k);
}

static void on_hangup(struct call *c, void *arg)
{
	struct kill *k = arg;

	k->call = NULL;
	call_unref(c);
	eventfd_write(k->d->wake, 1); /* what waited for room goes on without it */
}

static void on_room(struct call *c, void *arg)
{
	const struct kill *k = arg;

	(void)c;
	eventfd_write(k->d->wake, 1);
}

static const struct call_watcher watcher = { .gone = on_hangup, .room = on_room };

/* ---- what a work says ---- */

static int on_accepted(struct work *w, size_t victims, void *arg)
{
	struct kill *k = arg;
	_cleanup_(json_decrefp) json_t *p = NULL;
	int r = memory_accept(k->d, w, victims);

	if (r < 0)
		return r;
	k->accepted = true;
	severd_tell(k->d, EVENT_REQUEST_ACCEPT, w->job, w->peer->uid, NULL);
	p = json_pack("{s{ss sI}}", "accepted", "request", w->request.id, "matched", (json_int_t)victims);
	if (p && k->call && call_wants_more(k->call))
		call_reply(k->call, p, true);
	return 0;
}

/* Nearly all lines are flows, and spelled already. */
static int tell_flow(const struct kill *k, const char *text, size_t len)
{
	_free_ char *message = NULL;
	int n = asprintf(&message, "{\"parameters\":{\"flow\":%.*s},\"continues\":true}", (int)len, text);

	return n < 0 ? -ENOMEM : call_reply_spelled(k->call, message, n, true);
}

/* One of a report: {"session_cut":{...}}, {"summary":{...}}, or a flow. */
static int on_line(struct work *w, const char *text, size_t len, void *arg)
{
	struct kill *k = arg;
	bool wanted = k->call && call_wants_more(k->call), flow = len > 8 && !memcmp(text, "{\"flow\":", 8);
	_cleanup_(json_decrefp) json_t *line = NULL, *p = NULL;
	json_t *part;

	(void)w;
	line = flow ? NULL : json_loadb(text, len, 0, NULL);
	part = json_object_get(line, "summary");
	if (part) {
		k->summary = json_incref(part);
		return 0;
	}
	if (wanted && !call_has_room(k->call))
		return call_reply(k->call, NULL, true) == -EAGAIN ? -EAGAIN : 0;
	if (flow)
		return wanted ? tell_flow(k, text, len) : 0;
	p = json_pack("{sO*}", "cut", json_object_get(line, "session_cut"));
	return wanted && p ? call_reply(k->call, p, true) : 0;
}

/* A request that was carried out is answered by its totals, whatever came of it; one that was not, and one that came to
 * something by halves, by an error. */
static int answer(struct call *c, enum status status, const struct refusal *why, const char *sentence, json_t *summary)
{
	bool some = json_integer_value(json_object_get(summary, "dead")) > 0;
	_cleanup_(json_decrefp) json_t *p = NULL;

	if (status == STATUS_OK || (status == STATUS_GUARD && some)) {
		p = json_pack("{sO? si ss*}", "summary", summary, "status", status, "message", *sentence ? sentence : NULL);
		return p ? call_reply(c, p, false) : -ENOMEM;
	}
	p = json_pack("{sO*}", "summary", summary);
	return severd_answer(c, status, why, sentence, json_incref(p));
}

static void kill_free(struct kill *first)
{
	struct kill *next;

	for (struct kill *k = first; k; k = next) {
		next = k->joined;
		kill_free_one(k);
	}
}

/* What was refused, or matched nothing, was never accepted: only its caller hears of it. */
static void on_done(struct work *w, void *arg)
{
	struct kill *first = arg;

	if (first->accepted) {
		memory_done(first->d, w->request.id, w->status, first->summary);
		severd_tell(first->d, EVENT_REQUEST_DONE, w->job, w->peer->uid, first->summary);
	}
	for (struct kill *k = first; k; k = k->joined)
		if (k->call)
			answer(k->call, w->status, &w->refusal, w->err, first->summary);
	kill_free(first);
}

/* We end: what it has come to is as good an answer as any. */
static void on_drop(void *arg)
{
	const struct kill *k = arg;

	on_done(k->work, arg);
}

static const struct work_hooks hooks = { .accepted = on_accepted, .line = on_line, .done = on_done, .drop = on_drop };

/* ---- the methods ---- */

/* Of a request that has ended, as its first caller was answered. Without totals it was left by a severd before this one. */
static int answer_recorded(struct call *c, const struct recorded *r)
{
	static const struct refusal unknown;
	static const char interrupted[] = "severd was interrupted while it was carried out";

	return answer(c, r->done ? r->status : STATUS_PARTIAL, &unknown, r->summary ? "" : interrupted, r->summary);
}

static struct kill *find(const struct severd *d, const char *id)
{
	for (struct work *w = d->works; w; w = w->next)
		if (w->hooks == &hooks && !strcmp(w->request.id, id))
			return w->arg;
	return NULL;
}

static bool is_same(const json_t *a, const json_t *b, const char *member)
{
	const json_t *x = json_object_get(a, member), *y = json_object_get(b, member);

	return x == y || json_equal(x, y);
}

/* Another request of this caller that is doing just the same. One of somebody else, or that waits for longer, must not stand in
 * the way: nobody could be cut who began to cut himself first, and takes his time. */
static const struct work *find_twin(const struct severd *d, const struct work *new, uid_t uid)
{
	for (const struct work *w = d->works; w; w = w->next) {
		const struct kill *k = w->hooks == &hooks ? w->arg : NULL;

		if (k && w->peer->uid == uid && w->request.verb == new->request.verb &&
		    is_same(w->parameters, new->parameters, "selectors") && is_same(w->parameters, new->parameters, "options"))
			return w;
	}
	return NULL;
}

static int begin(struct severd *d, struct call *c, struct work *w)
{
	struct kill *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	*k = (struct kill){ .d = d, .work = w };
	w->hooks = &hooks;
	w->arg = k;
	w->totals_only = !call_wants_more(c);
	r = severd_begin(d, w, c);
	if (r < 0) {
		kill_free(k);
		return r;
	}
	k->call = call_ref(c);
	call_watch(c, &watcher, k);
	return 0;
}

static int join(struct kill *k, struct call *c)
{
	struct kill *more = calloc(1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*more = (struct kill){ .d = k->d, .call = call_ref(c), .joined = k->joined };
	k->joined = more;
	call_watch(c, &watcher, more);
	return 0;
}

static int refuse_twin(struct call *c, const struct work *twin)
{
	_cleanup_(json_decrefp) json_t *p = NULL;
	char text[128];

	snprintf(text, sizeof(text), "request %s is doing the same; nothing was touched", twin->request.id);
	p = json_pack("{ss ss}", "message", text, "request", twin->request.id);
	return p ? call_error(c, "io.sever.Busy", p) : -ENOMEM;
}

static bool may_know(const struct severd *d, const struct call *c, uint32_t uid)
{
	return call_peer(c)->uid == uid || severd_may_all(d, c);
}

/* What is known of this id already, if anything: 1 answered. */
static int answer_known(struct severd *d, struct call *c, const char *id)
{
	struct recorded known;
	struct kill *k = find(d, id);
	int r;

	if (k)
		r = may_know(d, c, k->work->peer->uid) ? join(k, c) : call_fail(c, -EPERM, "a request of somebody else");
	else if (record_find(d->record, id, &known) == 0) {
		r = may_know(d, c, known.uid) ? answer_recorded(c, &known) : call_fail(c, -EPERM, "a request of somebody else");
		recorded_clear(&known);
	} else {
		return 0;
	}
	return r < 0 ? r : 1;
}

int serve_kill(struct call *c, void *arg)
{
	struct severd *d = arg;
	const struct work *twin;
	struct work *w;
	int r = severd_read(c, &w);

	if (!w)
		return r;
	if (w->request.fence_ms && !severd_may_all(d, c)) {
		work_free(w);
		return call_fail(c, -EPERM, "only root and the group sever may put up a fence; nothing was touched");
	}
	if (*w->request.id)
		r = answer_known(d, c, w->request.id);
	else
		r = request_id_make(w->request.id);
	twin = r == 0 && !w->request.dry_run ? find_twin(d, w, call_peer(c)->uid) : NULL;
	if (twin)
		r = refuse_twin(c, twin);
	else if (r == 0 && (r = begin(d, c, w)) == 0)
		return 0;
	work_free(w);
	return r < 0 ? r : 0;
}
