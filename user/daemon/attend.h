/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attend.h - a thread that looks from time to time whose the flows are, soon after a process has entered a session and now and then,
 * and whether something was lost that is to be made good. It looks at all of the host, which takes as long as that is
 * large. And it does what the fences need as time goes by. */
#ifndef SEVER_ATTEND_H
#define SEVER_ATTEND_H

#include "daemon/fencing.h"

struct attend {
	struct live *live;
	struct fencing *fencing; /* which are to hold in all namespaces; NULL: none */
	pthread_t thread;
	struct lineage cgroups; /* of the thread */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t called, looked;
	uint64_t asked, answered; /* looks that somebody waits for */
	bool runs, soon, tick, stop;
};

/* 0 or negative errno. */
int attend_start(struct attend *a, struct live *l, struct fencing *f);
/* A process has entered a session. */
void attend_soon(struct attend *a);
/* Whose what is now, is known: waits for a look that begins now, though not for ever. From any other thread, while it runs. */
void attend_look(struct attend *a);
/* fencing_tick() is due. */
void attend_tick(struct attend *a);
/* Waits for the end of a look. One that was not started may be stopped. */
void attend_stop(struct attend *a);

#endif
