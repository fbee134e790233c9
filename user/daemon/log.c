// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/log.h"

const char *const event_name[] = {
	[EVENT_FLOW_OPEN] = "flow.open",
	[EVENT_FLOW_CLOSE] = "flow.close",
	[EVENT_SESSION_OPEN] = "session.open",
	[EVENT_SESSION_DISCONNECTED] = "session.disconnected",
	[EVENT_SESSION_CLOSE] = "session.close",
	[EVENT_REQUEST_ACCEPT] = "request.accept",
	[EVENT_REQUEST_DONE] = "request.done",
	[EVENT_FENCE_ADD] = "fence.add",
	[EVENT_FENCE_HIT] = "fence.hit",
	[EVENT_FENCE_EXPIRE] = "fence.expire",
	[EVENT_FENCE_LIFT] = "fence.lift",
};
_Static_assert(array_size(event_name) == EVENT_MAX, "a name for every event");

const char *const reason_name[] = {
	[REASON_ADMIN] = "admin",   [REASON_ADMIN_SELF] = "admin_self", [REASON_CLIENT] = "client",
	[REASON_ERROR] = "error",   [REASON_FENCE] = "fence",
	[REASON_UNKNOWN] = "unknown",
};
_Static_assert(array_size(reason_name) == REASON_MAX, "a name for every reason");

/* calloc() of so much is a mapping: what was never written costs nothing. */
int log_open(struct log *l)
{
	*l = (struct log){ .v = calloc(LOG_EVENTS, sizeof(*l->v)), .began = clock_ns(CLOCK_REALTIME) / 1000 };
	l->first = l->next = l->began;
	return l->v ? 0 : -ENOMEM;
}

static void forget(struct log *l, struct logged *e)
{
	json_decref(e->about);
	l->bytes -= e->bytes;
	e->about = NULL;
	e->bytes = 0;
}

static void forget_first(struct log *l)
{
	forget(l, &l->v[l->first++ % LOG_EVENTS]);
}

void log_close(struct log *l)
{
	for (uint64_t seq = l->first; l->v && seq < l->next; seq++)
		forget(l, &l->v[seq % LOG_EVENTS]);
	free(l->v);
	l->v = NULL;
}

struct logged *log_add(struct log *l, enum event what)
{
	struct logged *e = &l->v[l->next % LOG_EVENTS];

	if (l->next - l->first == LOG_EVENTS)
		forget_first(l);
	l->next++;
	*e = (struct logged){ .time_us = clock_ns(CLOCK_REALTIME) / 1000, .event = what, .uid = ID_UNSET };
	return e;
}

/* What a summary says of selectors and reason is as long as its caller likes. */
void log_about(struct log *l, struct logged *e, json_t *about)
{
	e->about = about;
	e->bytes = about ? json_dumpb(about, NULL, 0, JSON_COMPACT) : 0;
	l->bytes += e->bytes;
	while (l->bytes > LOG_BYTES && l->next - l->first > 1)
		forget_first(l);
}

const struct logged *log_at(const struct log *l, uint64_t seq)
{
	return seq >= l->first && seq < l->next ? &l->v[seq % LOG_EVENTS] : NULL;
}
