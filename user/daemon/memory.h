/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.h - what is written down of a request when it is accepted and when it has ended: in the record and in the journal. */
#ifndef SEVER_MEMORY_H
#define SEVER_MEMORY_H

#include "daemon/severd.h"

/* On the disk when this returns 0. Negative errno: it must not begin. */
int memory_accept(struct severd *d, const struct work *w, size_t victims);
/* summary: borrowed; NULL: there are no totals. */
void memory_done(struct severd *d, const char *id, enum status status, json_t *summary);
/* What a severd before this one had begun and nobody goes on with is done: carried out in part, without totals. 0 or
 * -ENOMEM. */
int memory_settle(struct severd *d);

#endif
