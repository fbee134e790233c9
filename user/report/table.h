/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table.h - lines of aligned cells, written as they come: a column is as wide as its widest cell so far, so that
 * nothing has to be kept. Hand-built, because 200,000 lines through printf are a pause one can feel. */
#ifndef SEVER_TABLE_H
#define SEVER_TABLE_H

#include "model/addr.h"

struct line {
	FILE *f;
	uint8_t *width; /* REPORT_COLUMNS of them */
	unsigned column;
	size_t used; /* characters in the open cell */
};

void line_text(struct line *l, const char *s);		   /* our own words, ASCII */
void line_escape(struct line *l, const char *s, size_t n); /* anybody's words, at most n bytes */
void line_number(struct line *l, uint64_t n);
void line_endpoint(struct line *l, const struct addr *a, uint16_t port);
void line_next(struct line *l); /* closes the cell */
void line_end(struct line *l);

/* Sets every width to its heading's and writes the headings. */
void table_heading(FILE *f, uint8_t *width, const char *const *names, const uint8_t *least, size_t n);

#endif
