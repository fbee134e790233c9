/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record.h - what was asked and how it ended, kept in a file so that a request's id answers after a restart too.
 *
 * The newest requests are kept, as many as the limits below say; one that is not done is never forgotten. Of one uid
 * other than root only a quarter of that, lest somebody washes the others' away with requests of his own. */
#ifndef SEVER_RECORD_H
#define SEVER_RECORD_H

#include "model/proc.h"
#include "model/request.h"

#include <jansson.h>

#define RECORD_REQUESTS 1000	     /* kept; half of them may be unfinished */
#define RECORD_BYTES (4u << 20)	     /* of text in memory; half of it of unfinished ones */
#define RECORD_FILE_MAX (8u << 20)   /* before it is written anew */
#define RECORD_LINE_MAX (256u << 10) /* of what one request asks; twice that for how it ended */
#define RECORD_SHARE 4		     /* of one uid other than root: one part in so many of each of these */

#define RECORDED_VERBS (VERB_DISCONNECT + 1)
extern const char *const recorded_verb[]; /* by enum verb; NULL: never recorded */

struct recorded {
	char id[REQUEST_ID_LEN];
	enum verb verb; /* VERB_KILL, VERB_DISCONNECT */
	bool done;
	int status;		       /* of one that is done: what the command line would exit with */
	uint64_t accepted_us, done_us; /* CLOCK_REALTIME */
	uint32_t uid, login_uid;       /* of the caller; ID_UNSET: never logged in */
	uint32_t pid;		       /* 0: unknown */
	json_t *selectors;	       /* strings, as typed: "--user alice" */
	json_t *reason;		       /* a string; NULL: none was given */
	json_t *summary;	       /* an object; NULL: not done, or refused */
};

void recorded_clear(struct recorded *r);

struct record;

/* state_dir is made if it is missing, with mode 0700. 0; -EPERM: it is not ours alone; -EBUSY: another process has it; other
 * negative errno. With a sentence in err (ERR_LEN bytes). */
int record_open(const char *state_dir, struct record **ret, char *err);
/* What could not be read of the file, or not be written when it was opened, in a sentence that is to be told once; NULL:
 * nothing. */
const char *record_complaint(const struct record *rec);
void record_close(struct record *rec);
DEFINE_CLEANUP(struct record *, record_close)

/* Remembers a request that is not done; it is on the disk when this returns 0, and not accepted before. -EEXIST: there is
 * one of that id; -EBUSY: too many are not done; -E2BIG: it asks for more than RECORD_LINE_MAX; -EINVAL: no such request
 * can be; else what the disk said (-ENOSPC, -EIO ...), and the request is unknown as before. */
int record_accept(struct record *rec, const struct recorded *r);
/* It ended now. summary may be NULL. From here on it is done, whatever is returned: 0; -E2BIG: the summary was too long and
 * is not kept; what the disk said, and it will be written with the next. But -ENOENT, -EALREADY, -EINVAL, -ENOMEM: nothing
 * changed. Nobody waits for the disk here: what a crash of the host undoes is how a request ended of whose connections
 * none outlived the crash. */
int record_done(struct record *rec, const char *id, int status, json_t *summary);
/* -ENOENT: no such request, or no longer; -ENOMEM. What *ret points to is the caller's. */
int record_find(const struct record *rec, const char *id, struct recorded *ret);
/* Shows each request that is not done, oldest first; cb may call record_done(). A negative answer ends the walk. */
typedef int (*record_cb)(const struct recorded *r, void *arg);
int record_unfinished(struct record *rec, record_cb cb, void *arg);

#endif
