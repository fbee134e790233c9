/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* toy.h - methods of io.sever that cut nothing, for tests of what carries them.
 *
 *	List	cursor "big": a reply of 900 KB; cursor "emit": `limit` events to all watchers; cursor "mute": never
 *		answered; cursor "later": held until hang-up. With more: `limit` pages.
 *	Kill	verb kill: `options.max` flows and a summary, as fast as they are read; verb disconnect: held until hang-up
 *	Watch	held
 *	Doctor	what the toy has seen */
#ifndef SEVER_TEST_TOY_H
#define SEVER_TEST_TOY_H

#include "daemon/service.h"
#include "daemon/wire.h"
#include "model/base.h"

#include <string.h>

struct toy_held {
	struct toy_held *next;
	struct toy *toy;
	struct call *call;
	uint64_t left; /* flows to send */
	uint64_t lost; /* events */
	bool watches;
};

struct toy {
	struct toy_held *held;
	struct wire *wire; /* NULL: none */
	struct service *service;
	uint64_t n_list, n_kill, n_gone, n_room, n_lost, seq;
};

static inline void toy_release(struct toy_held *h)
{
	struct toy_held **at = &h->toy->held;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	call_unref(h->call);
	free(h);
}

static inline void toy_gone(struct call *c, void *arg)
{
	struct toy_held *h = arg;

	if (!call_is_gone(c) || call_reply(c, NULL, false) != -ENOTCONN)
		abort();
	h->toy->n_gone++;
	toy_release(h);
}

static inline json_t *toy_text(const char *key, size_t n)
{
	_free_ char *text = malloc(n + 1);

	if (!text)
		abort();
	memset(text, 'x', n);
	text[n] = '\0';
	return json_pack("{ss}", key, text);
}

/* Sends until there is no more room; then room() comes. */
static inline void toy_flows(struct toy_held *h)
{
	for (int r = 0; h->left; h->left--) {
		_cleanup_(json_decrefp) json_t *p = toy_text("flow", 400);

		r = call_reply(h->call, p, true);
		if (r == -EAGAIN || r == -ENOTCONN)
			return;
		if (r < 0)
			abort();
	}
	_cleanup_(json_decrefp) json_t *p = json_pack("{si}", "status", 0);

	if (call_reply(h->call, p, false) < 0)
		abort();
	toy_release(h);
}

static inline int toy_lost(struct toy_held *h)
{
	_cleanup_(json_decrefp) json_t *p = json_pack("{s{sIsssI}}", "event", "seq", (json_int_t)h->toy->seq, "event",
						      "lost", "count", (json_int_t)h->lost);
	int r = h->lost ? call_reply(h->call, p, true) : 0;

	if (r == 0)
		h->lost = 0;
	return r;
}

static inline void toy_event(struct toy_held *h, const json_t *p)
{
	int r = toy_lost(h);

	if (r == 0)
		r = call_reply(h->call, p, true);
	if (r < 0 && r != -EAGAIN)
		abort();
	h->lost += r < 0;
	h->toy->n_lost += r < 0;
}

static inline void toy_room(struct call *c, void *arg)
{
	struct toy_held *h = arg;

	(void)c;
	h->toy->n_room++;
	if (h->watches)
		toy_lost(h);
	else
		toy_flows(h);
}

static const struct call_watcher toy_watcher = { .gone = toy_gone, .room = toy_room };

static inline struct toy_held *toy_hold(struct toy *t, struct call *c)
{
	struct toy_held *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	*h = (struct toy_held){ .next = t->held, .toy = t, .call = call_ref(c) };
	t->held = h;
	call_watch(c, &toy_watcher, h);
	return h;
}

static inline void toy_emit(struct toy *t, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		_cleanup_(json_decrefp) json_t *p =
			json_pack("{s{sIss}}", "event", "seq", (json_int_t)++t->seq, "event", "flow.close");
		json_t *fill = toy_text("flow", 400);

		json_object_update(json_object_get(p, "event"), fill);
		json_decref(fill);
		for (struct toy_held *h = t->held; h; h = h->next)
			if (h->watches)
				toy_event(h, p);
	}
}

static inline int toy_list(struct call *c, void *arg)
{
	json_t *p = call_parameters(c);
	const char *cursor = json_string_value(json_object_get(p, "cursor"));
	json_int_t limit = json_integer_value(json_object_get(p, "limit"));
	_cleanup_(json_decrefp) json_t *big = NULL;
	struct toy *t = arg;

	t->n_list++;
	if (cursor && !strcmp(cursor, "mute"))
		return 0;
	if (cursor && !strcmp(cursor, "later")) {
		toy_hold(t, c);
		return 0;
	}
	if (cursor && !strcmp(cursor, "emit"))
		toy_emit(t, limit);
	if (cursor && !strcmp(cursor, "big"))
		big = toy_text("next", 900 << 10);
	for (json_int_t i = 1; call_wants_more(c) && i < limit; i++)
		if (call_reply(c, p, true) == -EINVAL)
			abort();
	return call_reply(c, big ? big : p, false);
}

static inline int toy_kill(struct call *c, void *arg)
{
	json_t *p = call_parameters(c), *max = json_object_get(json_object_get(p, "options"), "max");
	struct toy_held *h;
	struct toy *t = arg;

	t->n_kill++;
	if (call_is_oneway(c))
		return call_reply(c, NULL, false);
	h = toy_hold(t, c);
	if (strcmp(json_string_value(json_object_get(p, "verb")), "kill") != 0)
		return 0;
	if (call_wants_more(c))
		h->left = max ? json_integer_value(max) : 3;
	toy_flows(h);
	return 0;
}

static inline int toy_watch(struct call *c, void *arg)
{
	toy_hold(arg, c)->watches = true;
	call_may_lag(c);
	return 0;
}

static inline int toy_doctor(struct call *c, void *arg)
{
	struct toy *t = arg;
	struct wire_stats s = { 0 };
	_cleanup_(json_decrefp) json_t *p = NULL;
	size_t held = 0;

	if (t->wire)
		s = wire_stats(t->wire);
	for (struct toy_held *h = t->held; h; h = h->next)
		held++;
	p = json_pack("{sI sI sI sI sI sI sI sI sI sI sI}", "list", (json_int_t)t->n_list, "kill",
		      (json_int_t)t->n_kill, "gone", (json_int_t)t->n_gone, "room", (json_int_t)t->n_room, "held",
		      (json_int_t)held, "lost", (json_int_t)t->n_lost, "connections",
		      (json_int_t)s.connections, "bytes", (json_int_t)s.bytes, "refused", (json_int_t)s.refused,
		      "expired", (json_int_t)s.expired, "pid", (json_int_t)getpid());
	json_object_set_new(p, "peer_uid", json_integer(call_peer(c)->uid));
	json_object_set_new(p, "peer_pid", json_integer(call_peer(c)->pid));
	return call_reply(c, p, false);
}

/* GetRequest is not implemented. */
static const struct io_sever toy_methods = {
	.list = toy_list,
	.kill = toy_kill,
	.watch = toy_watch,
	.doctor = toy_doctor,
};

#endif
