/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire.h - the sockets that callers connect to, on an sd-event loop. What a caller does wrong, or does not do at all,
 * costs nobody but himself. */
#ifndef SEVER_WIRE_H
#define SEVER_WIRE_H

#include "daemon/service.h"

#include <systemd/sd-event.h>

struct wire_limits {
	size_t connections; /* in all; the last sixteenth is root's */
	size_t per_uid;	    /* of one uid other than root */
	size_t queue;	    /* bytes that wait to be read by one caller, beyond which only final answers are queued */
	size_t memory;	    /* bytes in all queues of root, and in those of all others */
	size_t memory_per_uid; /* of one uid other than root */
	uint64_t
		message_ms; /* from the first byte of a message to its last, and for a caller to read anything at all */
	uint64_t idle_ms;   /* without a call */
};

extern const struct wire_limits wire_limits_default;

struct wire_stats {
	size_t connections, bytes;	     /* now; what waits in user space */
	uint64_t accepted, refused, expired; /* since the start: let in, turned away, timed out */
};

struct wire;

/* service and limits (NULL: the default) stay the caller's and are used until wire_free(). 0 or negative errno. */
int wire_new(sd_event *event, struct service *service, const struct wire_limits *limits, struct wire **ret);
/* Accepts from a listening socket. fd is taken, also on failure. */
int wire_listen(struct wire *w, int fd);
/* Serves one connected socket. fd is taken, also on failure. 0; -EUSERS, -ENFILE: too many, and the caller was told
 * so. */
int wire_serve(struct wire *w, int fd);
/* Hangs up on everybody. Not from within a hook. */
void wire_free(struct wire *w);

struct wire_stats wire_stats(const struct wire *w);

DEFINE_CLEANUP(struct wire *, wire_free)

#endif
