/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_resolve.h - the selectors of a fence become a filter, and what the kernel knows of the sessions and cgroups they name. */
#ifndef SEVER_FENCE_RESOLVE_H
#define SEVER_FENCE_RESOLVE_H

#include "daemon/fence_compile.h"
#include "daemon/live.h"
#include "kernel/cgroup.h"

struct fence_target {
	struct filter filter;
	struct fence_subjects subjects;
};

/* Asks NSS, logind and the tree of cgroups: not for the event loop. live NULL: audit sessions are taken as they come, others are
 * unknown. As resolve(), but ret_missing is not NULL; *ret is to be cleared in any case. */
int fence_resolve(struct live *live, const struct request *req, struct fence_target *ret, const char **ret_missing,
		  char *err);
void fence_target_clear(struct fence_target *t);

/* Adds the cgroups that a selector names, without those below. 0; -ENOENT: there is none, or it is of another kind; -ENOMEM. */
int fence_find_tops(const struct selector *s, const struct cgroup_tree *t, struct ids *ret);

#endif
