/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_line.h - a line of the record: a checksum and JSON, either what a request asked or how it ended. Pure. */
#ifndef SEVER_RECORD_LINE_H
#define SEVER_RECORD_LINE_H

#include "daemon/record.h"

struct record_line {
	bool end;	   /* how it ended: id, done, status, done_us and summary. Else: what it asked, all others */
	struct recorded r; /* its references are the line's */
};

void record_line_clear(struct record_line *l);

/* Spells one half of r, with the newline. 0; -EINVAL: what cannot be read again by record_line_read(); -ENOMEM. */
int record_line_write(const struct recorded *r, bool end, char **ret, size_t *ret_len);
/* Reads one line, with or without its newline. 0; -EBADMSG; -ENOMEM. */
int record_line_read(const char *text, size_t len, struct record_line *ret);

#endif
