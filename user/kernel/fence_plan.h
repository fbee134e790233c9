/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_plan.h - what is to be done so that these fences stand and no others. Nothing here changes anything. */
#ifndef SEVER_FENCE_PLAN_H
#define SEVER_FENCE_PLAN_H

#include "kernel/fence_parts.h"

/* One key, or one id, of before, after or both. */
struct fence_change {
	const void *was, *is;
};
struct fence_changes {
	struct fence_change *v;
	size_t n;
};

struct fence_plan {
	struct fence_slots slots;
	struct fence_names names;
	struct fence_leavers leavers;
	struct fence_changes of_slots, of_names, of_leavers;
	struct sever_fence_control control;
	uint32_t last_number;
};

/* p is zero; its errors are those of fence_replace() that change nothing. */
int fence_plan(const struct fences *f, const struct fence *v, size_t n, struct fence_plan *p, char *err);
void fence_plan_clear(struct fence_plan *p);

#endif
