/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sittings.h - the log-in sessions as the daemon follows them from look to look: when they begin, lose their last transport and end.
 * What a request needs to know of sessions it reads anew. */
#ifndef SEVER_SITTINGS_H
#define SEVER_SITTINGS_H

#include "daemon/index.h"
#include "daemon/log.h"
#include "kernel/owners.h"
#include "model/attribute.h"

struct sitting {
	uint32_t number; /* never used twice, from 1 on */
	uint32_t transports, flows;
	struct session session;
	struct entry transport; /* the oldest one it has, or that it had last; cookie 0 none */
	uint64_t since;		/* when it began, see moment.h; 0 unknown */
	struct past past;
	bool seen;
};

#define CUT_SESSIONS 64

struct sittings {
	struct sitting *v;
	size_t n, cap;
	uint32_t last;
	/* That a request has cut, the newest ones, in the place of their count modulo CUT_SESSIONS. */
	struct cut_session {
		uint64_t when; /* ns of CLOCK_MONOTONIC */
		uint32_t number, uid, job;
		char id[SESSION_ID_LEN];
	} cut[CUT_SESSIONS];
	uint32_t n_cut;
};

/* NULL: no longer known. */
const struct cut_session *sittings_cut(const struct sittings *s, uint32_t number);

struct sitting *sittings_find(const struct sittings *s, uint32_t number);
/* By the id of the session, or by its audit session. */
struct sitting *sittings_named(const struct sittings *s, const char *id);
/* The same session, as somebody has just read it; NULL: it is new. */
struct sitting *sittings_of(const struct sittings *s, const struct session *session);
struct sitting *sittings_audited(const struct sittings *s, uint32_t audit);

/* What was found by a look at the host: updates owners and sessions of the flows that someone in `people` holds, and logs what sessions
 * began or ended. owners: where the processes of `people` come from. 0 or -ENOMEM. */
int sittings_update(struct sittings *s, struct index *x, struct log *log, const struct owners *owners, const struct people *people);
/* A flow was found to be the session's since the last look, as f says. */
void sittings_add_flow(struct sitting *one, struct index *x, struct entry *e, const struct flow *f);
/* A flow of a session has ended, as was just told, and is out of the index. */
void sittings_flow_ended(struct sittings *s, struct log *log, const struct logged *end);
void sittings_clear(struct sittings *s);

#endif
