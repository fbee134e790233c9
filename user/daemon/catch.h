/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* catch.h - ends connections that a fence means and the kernel could not refuse: those of a user or session who was known only
 * when somebody had logged in, and those of a network namespace nobody had seen before. */
#ifndef SEVER_CATCH_H
#define SEVER_CATCH_H

#include "daemon/fencing.h"

struct caught {
	uint64_t cookie;
	uint32_t netns;
	struct fence_match by;
};

struct catch {
	struct caught *v;
	size_t n, cap;
};

/* With the lock of live, after a look at everybody: the connections that came, or became whose they are, after a fence had gone up
 * and fall under it. Each is judged once, and again when it has become somebody else's. In the namespaces new_netns (sorted) the
 * addresses that fences name count as well. 0 or -ENOMEM. */
int catch_find(struct catch *c, struct live *l, struct fencing *f, const struct people *people, const struct ids *new_netns);
/* Without the lock: ends them. */
void catch_end(struct catch *c, struct live *l);
void catch_clear(struct catch *c);

#endif
