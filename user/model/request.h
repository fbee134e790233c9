/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* request.h - one request, whichever door it came through, and the answer's totals. */
#ifndef SEVER_REQUEST_H
#define SEVER_REQUEST_H

#include "model/selector.h"
#include "model/session.h"

#include <signal.h>

enum verb { VERB_LIST, VERB_KILL, VERB_DISCONNECT };

enum list_what { LIST_SESSIONS, LIST_FLOWS, LIST_USERS, LIST_CLIENTS, LIST_MAX };
extern const char *const list_what_name[]; /* by enum list_what: "sessions" */

/* How far a request goes before it answers. */
enum stage { STAGE_DEAD, STAGE_RELEASED, STAGE_ENDED, STAGE_VERIFIED, STAGE_MAX };
extern const char *const stage_name[];

/* The documented exit codes. */
enum status {
	STATUS_OK = 0,
	STATUS_NO_MATCH = 1,
	STATUS_USAGE = 2,
	STATUS_PARTIAL = 3,
	STATUS_DENIED = 4,
	STATUS_KERNEL = 5,
	STATUS_GUARD = 6,
	STATUS_NO_DAEMON = 7,
};

/* What held a request back. */
enum guard { GUARD_NONE, GUARD_SELF, GUARD_MAX, GUARD_COLLATERAL, GUARD_ALL, GUARD_PROTECT };
extern const char *const guard_name[]; /* NULL: none */

/* Why a request was refused, for programs; people are told in a sentence. */
struct refusal {
	enum guard guard;	      /* that held back some of it, or all */
	const char *missing;	      /* "user": a selector of that kind names what there is not; NULL: none does */
	char session[SESSION_ID_LEN]; /* that is not the caller's; "" none */
};

#define FENCE_ID_LEN 24	/* "f12" */
#define REQUEST_ID_LEN 37	/* a UUID and its NUL */
#define REQUEST_TIMEOUT_MS 5000 /* where nobody says how long to wait */

#define FENCE_MS_MAX (366 * UINT64_C(86400000)) /* that a fence may stand */

struct request {
	char id[REQUEST_ID_LEN];
	enum verb verb;
	enum list_what what;
	const struct selector *selectors;
	size_t n_selectors;
	enum stage wait;
	uint64_t timeout_ms; /* for drain-less confirmation */
	uint64_t drain_ms;   /* 0: at once */
	uint64_t fence_ms;   /* 0: none; only severd can */
	uint64_t max;        /* 0: no limit */
	const char *reason;  /* NULL none */
	uint32_t caller;     /* pid of who asks, whose own connection is not to be cut; 0: this process */
	const volatile sig_atomic_t *stop; /* set by a signal: end soon, and truthfully; may be NULL */
	bool dry_run, collateral, include_self, yes, ignore_none;
};

/* Totals of a request. matched == dead + alive + stale + denied + unsupported + spared (+ planned). */
struct summary {
	const struct request *request;
	uint64_t matched, dead, alive, stale, denied, unsupported, spared, planned;
	uint64_t reconnected;  /* flows that match now and were not there when the list was frozen */
	uint64_t unattributed; /* accepted flows no user selector could judge: only a service's uid is known */
	uint64_t age_unknown;  /* flows --older-than could not judge */
	uint64_t discarded;    /* bytes the victims had not delivered */
	enum stage stage;      /* reached */
	bool staged;           /* false: no stage was reached */
	struct refusal refusal;
	bool already;          /* all that was named had been disconnected before */
	bool interrupted;      /* a signal ended the work early */
	double elapsed_ms;     /* frozen to proven */
	const char *owners;    /* "bpf", "proc", "none" (could not be read), NULL not needed */
	const char *subject;   /* for the closing sentence: "alice", "127.0.0.2", ... */
	const char *const *notes; /* what could not be seen or done, a sentence each */
	size_t n_notes;
	const char *fence;     /* id of the one that went up with the request; NULL none */
	uint64_t fence_until;  /* when it ends, see moment.h; 0 unknown */
	bool fence_over;       /* it has ended, or was lifted */
};

#endif
