/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_index.h - the source of flows that knows them already: it looks only at those that may match, and at the processes of people
 * who are logged in. */
#ifndef SEVER_SOURCE_INDEX_H
#define SEVER_SOURCE_INDEX_H

#include "daemon/live.h"
#include "pipeline/source.h"

/* Whether the index has all there may be; udp: connected UDP may be meant. What the kernel's map has no room for, or no hook sees, only
 * a scan finds, whatever it costs. */
bool source_index_suffices(struct live *l, bool udp);
/* That one where it suffices, or else a scan. 0 or -ENOMEM. */
int source_of_all(struct live *l, uint32_t caller, uint32_t job, bool states, bool udp, struct source **ret);

/* caller: pid of who asks; job: number of the request; states: flows are shown in the state they are in, else in that of their
 * birth, which spares a call of the kernel for each. 0 or -ENOMEM. */
int source_index_open(struct live *l, uint32_t caller, uint32_t job, bool states, struct source **ret);

#endif
