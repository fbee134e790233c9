// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/table.h"

#include "report/escape.h"

#include <string.h>

#define WIDEST 48 /* one long name must not push every later line off the screen */

void line_text(struct line *l, const char *s)
{
	l->used += fwrite_unlocked(s, 1, strlen(s), l->f);
}

void line_escape(struct line *l, const char *s, size_t n)
{
	l->used += escape_putn(l->f, s, n);
}

void line_number(struct line *l, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + n % 10;
		n /= 10;
	} while (n);
	l->used += fwrite_unlocked(digits + at, 1, sizeof(digits) - at, l->f);
}

void line_endpoint(struct line *l, const struct addr *a, uint16_t port)
{
	char text[ADDR_STRLEN];
	bool brackets = a->family == AF_INET6;

	addr_format(a, text);
	if (brackets)
		line_text(l, "[");
	line_escape(l, text, sizeof(text));
	line_text(l, brackets ? "]:" : ":");
	line_number(l, port);
}

void line_next(struct line *l)
{
	static const char blanks[WIDEST + 2] = "                                                  ";
	uint8_t *width = &l->width[l->column++];

	if (l->used > *width)
		*width = l->used < WIDEST ? l->used : WIDEST;
	fwrite_unlocked(blanks, 1, l->used < *width ? *width - l->used + 2 : 2, l->f);
	l->used = 0;
}

void line_end(struct line *l)
{
	putc_unlocked('\n', l->f);
	l->column = 0;
	l->used = 0;
}

void table_heading(FILE *f, uint8_t *width, const char *const *names, const uint8_t *least, size_t n)
{
	struct line l = { .f = f, .width = width };

	memcpy(width, least, n);
	for (size_t i = 0; i < n; i++) {
		line_text(&l, names[i]);
		if (i + 1 < n)
			line_next(&l);
	}
	line_end(&l);
}
