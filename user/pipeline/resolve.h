/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* resolve.h - a request's selectors become a filter: every name turned into what the kernel shows. */
#ifndef SEVER_RESOLVE_H
#define SEVER_RESOLVE_H

#include "model/filter.h"
#include "model/request.h"

/* 0; with a sentence in err: -ESRCH a name that does not exist; -EINVAL an ambiguous or unusable one; -EAGAIN a
 * resolver that could not tell; another errno. With -ESRCH, *ret_missing (may be NULL) says of what kind, as "user", which
 * is a constant. *ret is to be freed with filter_clear() in any case. */
int resolve(const struct request *req, struct filter *ret, const char **ret_missing, char *err);

/* What one selector means to this very process, which "self" and a path need. As above. */
int resolve_session(const struct selector *s, struct session_id *ret, char *err);
int resolve_netns(const struct selector *s, uint32_t *ret, char *err);

#endif
