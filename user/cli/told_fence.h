/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* told_fence.h - a fence as severd tells of it, read and printed. */
#ifndef SEVER_TOLD_FENCE_H
#define SEVER_TOLD_FENCE_H

#include "report/report.h"
#include "report/table.h"

#include <jansson.h>

/* Texts are borrowed from the object. */
struct told_fence {
	const json_t *o, *selectors, *notes; /* arrays of texts */
	const char *id, *reason;	     /* reason: NULL none */
	uint64_t until;			     /* see moment.h */
	uint64_t remaining_ms, refused;
	struct addr last_addr; /* whom it refused last; family 0: nobody */
	uint16_t last_port;    /* 0: none is known */
};

/* 0, or -EBADMSG with the member that cannot be in *ret_bad. */
int decode_fence(const json_t *o, struct told_fence *ret, const char **ret_bad);

/* The selectors as typed, with blanks between. */
void fence_whom(struct line *l, const struct told_fence *t);
/* Whom it refused last, or "-". */
void fence_last(struct line *l, const struct told_fence *t);
/* One line of the table; the first brings the heading. width: REPORT_COLUMNS of them, kept from line to line. */
void fence_row(FILE *f, uint8_t *width, bool first, const struct told_fence *t);
/* What it cannot do here, a line each. */
void fence_notes(FILE *f, const struct told_fence *t);
/* One line of JSON. False: out of memory. */
bool fence_json(FILE *f, const struct told_fence *t);

#endif
