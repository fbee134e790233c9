/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* event.h - an event of severd, read and printed as one line. */
#ifndef SEVER_EVENT_H
#define SEVER_EVENT_H

#include "cli/remote_decode.h"
#include "cli/told_fence.h"

/* Texts are borrowed from the object; the parts that do not apply are absent. Not to be copied. */
struct event {
	const json_t *o;
	uint64_t seq, count;
	const char *time, *name, *reason, *request, *returns;
	bool has_flow, has_session, has_summary, has_count, has_fence;
	struct told_flow flow;
	struct told_row session;
	struct summary summary;
	struct told_fence fence;
	const char **notes; /* to be freed */
};

/* 0; -EBADMSG with the member that cannot be in *ret_bad; -ENOMEM. *ret is to be cleared in any case. */
int event_decode(const json_t *o, struct event *ret, const char **ret_bad);
void event_clear(struct event *e);

/* width: REPORT_COLUMNS of them, zero at first, kept from line to line. */
void event_text(FILE *f, uint8_t *width, const struct event *e);
/* False: out of memory. */
bool event_json(FILE *f, const struct event *e);

#endif
