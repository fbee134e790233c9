/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.h - the newest events, numbered: what `sever watch` shows, and may ask for again. Bounded; the oldest go first. */
#ifndef SEVER_LOG_H
#define SEVER_LOG_H

#include "daemon/index.h"

#include <jansson.h>

#define LOG_EVENTS 131072 /* the ends of fifty thousand connections of the host with itself, before anybody has read one */
#define LOG_BYTES (8u << 20) /* of what is said in their `about`, as JSON */

enum event {
	EVENT_FLOW_OPEN,
	EVENT_FLOW_CLOSE,
	EVENT_SESSION_OPEN,
	EVENT_SESSION_DISCONNECTED,
	EVENT_SESSION_CLOSE,
	EVENT_REQUEST_ACCEPT,
	EVENT_REQUEST_DONE,
	EVENT_FENCE_ADD,
	EVENT_FENCE_HIT,
	EVENT_FENCE_EXPIRE,
	EVENT_FENCE_LIFT,
	EVENT_MAX
};
extern const char *const event_name[];

enum reason { REASON_NONE, REASON_ADMIN, REASON_ADMIN_SELF, REASON_CLIENT, REASON_ERROR, REASON_FENCE, REASON_UNKNOWN, REASON_MAX };
extern const char *const reason_name[];

struct logged {
	uint64_t time_us;	       /* CLOCK_REALTIME */
	uint64_t boot_ns;	       /* of an end, since boot */
	uint64_t sent, received;       /* of an end, bytes */
	struct entry flow;	       /* cookie 0: the event is not about one; of a session, what carries it */
	json_t *about;		       /* a session, a summary or a fence, as the interface has it; NULL none. Set by log_about() */
	uint32_t bytes;		       /* of that */
	uint64_t returns;	       /* of a birth: cookie of what it takes the place of; of a session: its number; 0 nothing */
	uint32_t job;		       /* number of the request that caused it, or what it takes the place of; 0 none */
	uint32_t uid;		       /* who may see it besides root: login uid, ID_UNSET nobody */
	uint8_t event, reason;
};

struct log {
	struct logged *v; /* LOG_EVENTS of them, by number modulo that */
	uint64_t first, next; /* numbers: of the oldest one kept, and of the one to come */
	uint64_t began;	      /* the first number of this run */
	size_t bytes;
};

/* Numbers begin at the time in microseconds, so that those of a run before are smaller. 0 or -ENOMEM. */
int log_open(struct log *l);
void log_close(struct log *l);
/* A new event, all zero but for its time; the oldest may go for it. */
struct logged *log_add(struct log *l, enum event what);
/* What the newest event is about, which is taken; NULL none. The oldest ones may go for it, but not this one. */
void log_about(struct log *l, struct logged *e, json_t *about);
/* NULL: not kept any more, or still to come. */
const struct logged *log_at(const struct log *l, uint64_t seq);

#endif
