/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remote_decode.h - what severd tells, as the report hooks take it. Each returns 0, or -EBADMSG with the member that
 * cannot be in *ret_bad; texts are borrowed from the object. */
#ifndef SEVER_REMOTE_DECODE_H
#define SEVER_REMOTE_DECODE_H

#include "report/report.h"

#include <jansson.h>

/* A flow with tables of its own, of at most one process and one session. Not to be copied: it points into itself. */
struct told_flow {
	struct flow flow;
	struct proc proc;
	struct session session;
	struct proctab procs;
	struct sessions sessions;
	struct flow backend; /* its remote end alone */
	bool reconnected;
};
int decode_flow(const json_t *o, struct told_flow *ret, const char **ret_bad);

/* A line of a listing, and the session it is about. Not to be copied. */
struct told_row {
	struct row row;
	struct session session;
	struct flow flow; /* its handle alone */
};
int decode_row(const json_t *o, enum list_what what, struct told_row *ret, const char **ret_bad);

/* A session about to lose its transport, and the name of its user. */
int decode_cut(const json_t *o, struct session *ret, const char **ret_user, const char **ret_bad);

/* ret->request is left alone. Of *ret_notes the array is the caller's. Also -ENOMEM. */
int decode_summary(const json_t *o, struct summary *ret, const char ***ret_notes, const char **ret_bad);
/* The notes of an object into ret, with room for one more. */
int decode_notes(const json_t *o, struct summary *ret, const char ***ret_notes, const char **ret_bad);

#endif
