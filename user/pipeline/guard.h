/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guard.h - questions of guard.c and everyone.c, for who asks them of something else than a kill. */
#ifndef SEVER_GUARD_H
#define SEVER_GUARD_H

#include "model/request.h"
#include "pipeline/source.h"

/* Marks the flows of a selection that carry the caller (a pid, 0: this process). *ret_orphaned: not all processes that started
 * it can be seen; *ret_hidden: one does not show what it holds. Neither is set to false. 0 or -ENOMEM. */
int guard_find_self(struct selection *s, uint32_t caller, bool *ret_orphaned, bool *ret_hidden);
/* Whether nothing that was said restricts it to somebody: a protocol, a state, every port, every address. A namespace is
 * somebody, unless everyone in it was asked for in so many words. */
bool guard_means_everyone(const struct filter *f, const struct request *req);

#endif
