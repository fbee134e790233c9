/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* text.h - the parts of the text format. */
#ifndef SEVER_TEXT_H
#define SEVER_TEXT_H

#include "report/report.h"

/* One line of `list sessions`, `users` or `clients`; the first brings the heading. */
void text_row_line(struct report *r, const struct row *row);

/* What became of it all, in one sentence on r->out. When quiet only the bad news, on r->err. */
void text_closing(struct report *r, const struct summary *s);

/* The fence that went up with the request, if one did, on r->out. */
void text_fence(struct report *r, const struct summary *s);

/* What the table does not say, a line each on r->err. */
void text_notes(struct report *r, const struct summary *s);

#endif
