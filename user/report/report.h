/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h - the hooks through which a request speaks. The pipeline calls them and never prints. A format
 * leaves a hook NULL where it has nothing to say; callers go through the report_*() functions below, which skip those.
 *
 * Order of calls: begin, then (session* and note* before the first flow dies; flow* once each flow's outcome is
 * final), progress at any time, end. A listing calls begin, then flow or row, then end. */
#ifndef SEVER_REPORT_H
#define SEVER_REPORT_H

#include "model/flow.h"
#include "model/request.h"

#include <stdio.h>

struct report;

/* One line of `list sessions`, `list users` or `list clients`. What does not apply is 0, NULL or -1. */
struct row {
	enum list_what what;
	const struct session *session; /* list sessions */
	const char *user_name;         /* sessions, users; NULL unknown */
	uint32_t user;                 /* uid, ID_UNSET none */
	struct addr client;            /* clients; of a session: where its transport comes from; family 0 none */
	uint64_t transports;           /* flows that carry it */
	uint64_t flows;                /* all of its flows */
	uint64_t sessions, users;      /* users: sessions; clients: users */
	uint64_t rqueue, wqueue;
	uint64_t sent, received; /* bytes of payload, where `counted`; of a session with what ended, as far as that is known */
	uint32_t idle_ms;        /* of the transport that was used last; where `timed` */
	bool counted, timed;
	uint64_t since;          /* of a session: when it began, see moment.h; 0 unknown */
	uint64_t connected;      /* its oldest transport; 0 unknown or none */
	uint64_t disconnected;   /* when it lost the last one; 0 unknown, or it has one */
	enum presence presence;
	const char *carrier;     /* protocol of its first transport: "tcp6"; NULL none */
	const struct flow *flow; /* where there is no session yet: its transport to be; NULL there is one */
};

#define REPORT_COLUMNS 9

struct report_ops {
	void (*begin)(struct report *r, const struct request *req);
	/* A session about to lose its transport, with what survives; before anything dies. */
	void (*session)(struct report *r, const struct session *s, const char *user_name);
	/* sessions may be NULL where the flow has none. */
	void (*flow)(struct report *r, const struct flow *f, const struct proctab *procs, const struct sessions *sessions);
	/* A flow that came after the list was frozen, matches and was left alone. */
	void (*reconnected)(struct report *r, const struct flow *f, const struct proctab *procs,
			    const struct sessions *sessions);
	void (*row)(struct report *r, const struct row *row);
	void (*progress)(struct report *r, const char *doing, uint64_t done, uint64_t total);
	void (*end)(struct report *r, const struct summary *s);
};

struct report {
	const struct report_ops *ops;
	FILE *out;     /* the answer */
	FILE *err;     /* notes and progress of the text format */
	bool tty;      /* err is a terminal: progress may be shown */
	bool quiet;    /* text: no table; the closing sentence goes too, errors stay */
	enum verb verb; /* set by begin */
	enum list_what what;
	uint64_t lines;   /* flows or rows printed so far; the first one brings the heading */
	uint64_t drawn_ms; /* when progress was last drawn */
	bool drawn;        /* progress stands on the terminal */
	bool failed;       /* a line could not be built: out of memory */
	uint8_t width[REPORT_COLUMNS]; /* of the text table so far; it only grows */
};

extern const struct report_ops report_text, report_json;

void report_begin(struct report *r, const struct request *req);
void report_session(struct report *r, const struct session *s, const char *user_name);
void report_flow(struct report *r, const struct flow *f, const struct proctab *procs, const struct sessions *sessions);
void report_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
			const struct sessions *sessions);
void report_row(struct report *r, const struct row *row);
void report_progress(struct report *r, const char *doing, uint64_t done, uint64_t total);
/* Flushes out; 0, or -EIO when the answer could not be written in full. */
int report_end(struct report *r, const struct summary *s);

#endif
