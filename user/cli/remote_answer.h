/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remote_answer.h - what the answers to a kill and to a listing have in common. For remote_*.c alone. */
#ifndef SEVER_REMOTE_ANSWER_H
#define SEVER_REMOTE_ANSWER_H

#include "cli/reader.h"
#include "cli/remote.h"

/* One request under way. */
struct remote {
	struct client *client;
	const struct options *o; /* NULL: a listing */
	const struct request *req;
	struct report *report;
	char *err;
	uint64_t matched; /* as it was accepted */
	uint64_t told;	  /* flows and rows so far */
	bool accepted;
};

/* What severd said cannot be: STATUS_PARTIAL. */
enum status answer_nonsense(struct remote *m, const char *where, const char *key);
/* One flow. STATUS_OK, or what answer_nonsense() returns. */
enum status answer_flow(struct remote *m, const json_t *o);
/* Refused, failed, or done in part. */
enum status answer_error(struct remote *m, const struct reply *reply);
/* The request could not be put into words, for negative errno r. */
enum status answer_none(struct remote *m, int r);
/* With the summary o. */
enum status answer_summary(struct remote *m, const json_t *o, enum status status);
/* The last hook, as the pipeline calls it whatever came of the request. Returns status, unless what was printed was
 * lost. */
enum status answer_close(struct remote *m, struct summary *s, enum status status);

#endif
