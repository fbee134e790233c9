/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attend.h - looks from time to time whose the flows are: soon after a process has entered a session, and now and then. */
#ifndef SEVER_ATTEND_H
#define SEVER_ATTEND_H

#include "daemon/live.h"

#include <systemd/sd-event.h>

struct attend {
	struct live *live;
	sd_event_source *timer;
	uint64_t cost_us; /* of the last look */
	unsigned int soon; /* looks that are still to follow at short intervals */
};

int attend_start(struct attend *a, sd_event *event, struct live *l);
/* A process has entered a session, or a session has lost its last transport: it may be seen to end. */
void attend_soon(struct attend *a);
void attend_stop(struct attend *a);

#endif
