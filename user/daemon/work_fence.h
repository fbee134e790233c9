/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* work_fence.h - the fence of a kill, see struct access; arg is its work. */
#ifndef SEVER_WORK_FENCE_H
#define SEVER_WORK_FENCE_H

#include "daemon/work.h"

enum status work_fence(void *arg, char *ret_id, enum guard *ret_guard, char *err);
void work_lift(void *arg, const char *id);

#endif
