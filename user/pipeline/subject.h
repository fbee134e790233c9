/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subject.h - what a request was about, in words, and why nothing was found. */
#ifndef SEVER_SUBJECT_H
#define SEVER_SUBJECT_H

#include "pipeline/job.h"

/* "alice", "127.0.0.2", "session audit:7": for one selector that names somebody; else NULL. malloc'ed. */
char *subject_of(const struct request *req);

/* Of handles given by --flow, those that named no connection: adds them to the frozen set with their outcome. */
int subject_add_handles(struct job *j);

/* Nothing matched, but what was named is there, or may come. */
bool subject_may_come(const struct job *j);

/* Nothing matched: says why in j->err. STATUS_NO_MATCH; STATUS_OK under --ignore-none, unless part of the host could
 * not be seen: STATUS_PARTIAL. A handle that names a socket of another kind is an answer of its own. */
enum status subject_missing(struct job *j);

#endif
