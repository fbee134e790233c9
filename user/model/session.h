/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session.h - log-in sessions at one moment: those of logind, else those of the audit subsystem. */
#ifndef SEVER_SESSION_H
#define SEVER_SESSION_H

#include "model/base.h"

#define SESSION_ID_LEN 64

/* What is left of a session once its transport is cut. */
enum survives {
	SURVIVES_UNKNOWN,
	SURVIVES_NOTHING,
	SURVIVES_DETACHED,    /* processes without the terminal, but nothing to come back to */
	SURVIVES_MULTIPLEXER, /* a detached process that owns terminals of its own: tmux, screen */
	SURVIVES_MAX
};
extern const char *const survives_name[];

/* As of now. Lives without a transport: disconnected, whether it ever had one or not. A transport without a session yet: connected. */
enum presence { PRESENCE_UNKNOWN, PRESENCE_ACTIVE, PRESENCE_DISCONNECTED, PRESENCE_CONNECTED, PRESENCE_MAX };
extern const char *const presence_name[]; /* NULL: unknown */

/* What is over, where somebody was there to see it. */
struct past {
	uint64_t sent, received; /* bytes of its TCP connections that have ended */
	uint64_t disconnected;   /* when the last of its transports ended, see moment.h; 0 unknown, or it has one */
	bool torn;               /* there was one whose bytes are not known */
};

struct session {
	char id[SESSION_ID_LEN]; /* "3" (logind) or "audit:7" */
	char tty[32];            /* "" none or unknown */
	char remote_host[256];   /* as logind recorded it, "" none */
	uint64_t start;          /* of the leader, unit of struct proc */
	uint32_t uid;            /* log-in uid */
	uint32_t leader;         /* pid of who opened it, 0 gone */
	uint32_t audit;          /* audit session id, ID_UNSET none */
	uint32_t survivor;       /* pid of the multiplexer or detached process, 0 none */
	enum survives survives;
	bool console;            /* logind says seat or not remote: nothing on the network carries it */
	bool closing;            /* logind says that who opened it is gone */
	struct past past;
};

struct sessions {
	struct session *v;
	size_t n, cap;
	bool logind; /* logind runs and was asked */
};

void sessions_clear(struct sessions *s);

#endif
