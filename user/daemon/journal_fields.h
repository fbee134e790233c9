/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journal_fields.h - what a record in the journal says, field by field, and how it is spelled for journald and for people.
 * No I/O. What is unknown has no field. */
#ifndef SEVER_JOURNAL_FIELDS_H
#define SEVER_JOURNAL_FIELDS_H

#include "daemon/record.h"
#include "model/flow.h"

#include <sys/uio.h>

#define FIELDS_MAX 96
#define FIELDS_SELECTORS 64 /* of a request that has more, one more field says how many */

struct fields {
	char *text; /* all of them, one behind the other */
	size_t len, cap;
	struct {
		size_t at, len; /* in text: "NAME=value" */
	} v[FIELDS_MAX];
	size_t n;
	bool failed; /* out of memory: not all are here */
};

#define CUT_UNKNOWN UINT64_MAX

/* A connection that was cut. */
struct journal_cut {
	const char *request;				  /* id; NULL: no request of ours did it */
	const struct flow *flow;			  /* cookie, netns, remote address, direction, user */
	const char *session;				  /* id; NULL none */
	const char *cause;				  /* as in the events of io.sever: "admin" */
	uint64_t bytes_sent, bytes_received, duration_us; /* CUT_UNKNOWN */
};

/* What became of a fence. */
enum journal_fence { JOURNAL_FENCE_ADD, JOURNAL_FENCE_HIT, JOURNAL_FENCE_EXPIRE, JOURNAL_FENCE_LIFT };

/* Each begins anew. The memory is used again. */
void fields_accepted(struct fields *f, const struct recorded *r, uint64_t matched);
void fields_done(struct fields *f, const struct recorded *r);
void fields_cut(struct fields *f, const struct journal_cut *c);
/* fence: a Fence of io.sever. */
void fields_fence(struct fields *f, enum journal_fence what, const json_t *fence);
void fields_lost(struct fields *f, uint64_t n);
void fields_say(struct fields *f, int priority, const char *sentence);
void fields_clear(struct fields *f);

/* Points v into f. Their number. */
size_t fields_iovec(const struct fields *f, struct iovec v[FIELDS_MAX]);

/* Appends to text (a growing buffer): as journald wants it, which takes any byte; as one line for people, in which there are
 * printable ASCII characters only and at most LINE_BYTES of them, its newline included. 0 or -ENOMEM. */
#define LINE_BYTES 4096 /* PIPE_BUF: a pipe takes it as a whole */
struct buffer {
	char *text;
	size_t len, cap;
};
int fields_native(const struct fields *f, struct buffer *b);
int fields_line(const struct fields *f, uint64_t realtime_us, struct buffer *b);

#endif
