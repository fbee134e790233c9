/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* catch.h - ends connections that a fence means and the kernel could not refuse: those of a user, session, cgroup or unit, who was
 * known only when somebody had logged in or accepted them, and those of a network namespace nobody had seen before. They are selected
 * as those of a kill are. */
#ifndef SEVER_CATCH_H
#define SEVER_CATCH_H

#include "daemon/fencing.h"

struct caught {
	uint64_t handle;
	uint32_t netns;
	bool elsewhere; /* the index has it not: it is half open, or MPTCP */
	bool place;	/* by a fence that names places */
	struct fence_match by;
};

struct catch {
	struct caught *v;
	size_t n, cap;
};

/* Without the lock of live. m: whom the fences mean by sel, which holds the people and what the likely ones of m->any hold; its flows
 * are filled in. new_netns, sorted: where nobody was kept out till now. 0 or negative errno. */
int catch_find(struct catch *c, struct live *l, struct fencing *f, const struct meant *m, struct selection *sel,
	       const struct ids *new_netns);
/* Ends them. What was not ended the next look finds again. */
void catch_end(struct catch *c, struct live *l, struct fencing *f);
void catch_clear(struct catch *c);

#endif
