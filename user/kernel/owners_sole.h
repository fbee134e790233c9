/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* owners_sole.h - whether a socket is held by one process alone, without a look at all the others' descriptors. */
#ifndef SEVER_OWNERS_SOLE_H
#define SEVER_OWNERS_SOLE_H

#include "model/base.h"

struct owners_sole;

/* 0 or negative errno: this kernel cannot (before Linux 6.1), or refuses. */
int owners_sole_open(struct owners_sole **ret);
void owners_sole_close(struct owners_sole *o);
/* Whether the socket is that process's descriptor fd and nobody else's, nor on its way to anybody. 1; 0: no, or nobody knows; negative
 * errno. One caller at a time. */
int owners_sole_ask(struct owners_sole *o, uint32_t pid, uint32_t fd, uint64_t cookie);

#endif
