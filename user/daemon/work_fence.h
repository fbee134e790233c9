/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* work_fence.h - the fence of a work, and that of a kill, see struct access: arg is its work. */
#ifndef SEVER_WORK_FENCE_H
#define SEVER_WORK_FENCE_H

#include "daemon/fencing.h"
#include "daemon/work.h"

/* fencing_add() of what the work asks for. In its thread. */
int work_put_up(struct work *w, const struct fence_author *by, json_t **ret, struct refusal *ret_why, char *err);

enum status work_fence(void *arg, char *ret_id, struct refusal *ret_why, char *err);
/* The kill has been recorded. */
void work_begun(const struct work *w);
void work_lift(void *arg, const char *id);

#endif
