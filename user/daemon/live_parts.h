/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* live_parts.h - what the files live*.c share. All of it with the lock held, unless it says otherwise. */
#ifndef SEVER_LIVE_PARTS_H
#define SEVER_LIVE_PARTS_H

#include "daemon/live.h"

/* A birth, an end or a log-in: arg is the struct live. */
int live_on_event(const struct sever_event *e, void *arg);
void live_own_at_birth(struct live *l, struct entry *e);
/* Waits for the thread of live_check(), if it runs. Without the lock. */
void live_sync_end(struct live *l);

#endif
