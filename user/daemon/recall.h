/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recall.h - what the daemon knows of the sessions of a selection besides the flows they have. */
#ifndef SEVER_RECALL_H
#define SEVER_RECALL_H

#include "daemon/live.h"
#include "pipeline/source.h"

/* See source_ops.recall. Without the lock of live. */
int recall(struct live *l, struct selection *sel);

#endif
