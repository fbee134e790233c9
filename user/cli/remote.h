/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remote.h - a request handed to severd, whose answer goes to the hooks that the pipeline would speak through: what is
 * printed cannot tell who did the work. */
#ifndef SEVER_REMOTE_H
#define SEVER_REMOTE_H

#include "cli/client.h"
#include "cli/opts.h"
#include "report/report.h"

/* That a crowd may stand before its door, and that it may take to say its first word: systemd opens the door before it has
 * started. */
#define REMOTE_OPEN_MS 20000
#define REMOTE_PATIENCE_MS 60000 /* that severd may think before it says anything, beside what it was told to wait for */

/* Whom to ask. STATUS_OK, and severd in *ret, or NULL: nobody listens there and the work can be done here. Another
 * status is to be left with, and the sentence is in err. */
enum status remote_open(const struct options *o, struct client **ret, char *err);
/* Part of that: whether anybody answers who may be asked. 0 or negative errno with a sentence in err. */
int remote_greet(struct client *c, unsigned int timeout_ms, char *err);

/* As terminate() and list() of pipeline.h; a refusal is an answer. request.stop hangs up; the request goes on. */
enum status remote_kill(struct client *c, const struct options *o, struct report *report, char *err);
enum status remote_list(struct client *c, const struct request *req, struct report *report, char *err);
/* The events, to out, until request.stop is set: STATUS_OK. */
enum status remote_watch(struct client *c, const struct options *o, FILE *out, char *err);

/* Adds to err that nothing was touched, where something was to be, and --direct, where that does the same; resident: what
 * needs severd, NULL nothing. */
void remote_instead(const struct request *req, const char *resident, char *err);
/* What an error reply means; one sentence in err. */
enum status remote_error(const struct reply *reply, char *err);
/* What client.h returned, after the request was sent, or was too much to be. */
enum status remote_broken(int r, char *err);

#endif
