/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* relay.h - a report whose lines, the same as those of --json, are handed over one by one instead of being printed. */
#ifndef SEVER_RELAY_H
#define SEVER_RELAY_H

#include "report/report.h"

struct relay {
	struct report report;
	char *text; /* of the line being made */
	size_t len;
	/* Borrowed, not terminated. Negative: no memory, the report has failed. */
	int (*take)(const char *line, size_t len, void *arg);
	void *arg;
	struct refusal refusal; /* of the summary */
	bool totals_only; /* nothing but the summary */
};

int relay_open(struct relay *r, int (*take)(const char *line, size_t len, void *arg), void *arg);
void relay_close(struct relay *r);

#endif
