/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moment.h - points in time: microseconds since 1970, 0 unknown. */
#ifndef SEVER_MOMENT_H
#define SEVER_MOMENT_H

#include "model/base.h"

#define MOMENT_LEN 40

/* When the host booted, by the clock as it is set now. In whole milliseconds: two askers shall say the same of one connection, though
 * they cannot read two clocks at one instant. */
uint64_t moment_of_boot(void);

/* RFC 3339 in UTC with microseconds, "2026-11-21T17:47:21.000004Z"; NULL for what no calendar has. */
const char *moment_format(uint64_t us, char buf[MOMENT_LEN]);
/* Reads exactly that. 0 or -EINVAL. */
int moment_parse(const char *text, uint64_t *ret);

#endif
