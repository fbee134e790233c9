/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* when.h - times as people read them. */
#ifndef SEVER_WHEN_H
#define SEVER_WHEN_H

#include "model/base.h"

#define WHEN_LEN 32
#define SPAN_LEN 32

/* A moment (see moment.h) by the clock of whoever reads it, "2026-11-21 03:12:07"; "-" of 0 and of what no calendar
 * has. */
const char *when_text(uint64_t us, char buf[WHEN_LEN]);

/* How long: "10m", "1h30m", "500ms". The two largest units, the rest cut off. */
const char *span_text(uint64_t ms, char buf[SPAN_LEN]);

#endif
