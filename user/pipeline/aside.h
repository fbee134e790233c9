/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aside.h - what a listing says beyond its own flows: where a relay leads, and who is about to log in. */
#ifndef SEVER_ASIDE_H
#define SEVER_ASIDE_H

#include "pipeline/job.h"

/* Looks at flows that were not asked for, whoever may see them, in order to judge those that were. 0 or negative errno. */
int look_aside(struct job *j, const struct filter *f, struct selection *ret);

/* Sets `backend` of the frozen flows: where a process holds one connection that it was given and one that it opened, and no other
 * socket, the first leads to the other end of the second. What it points to lives in the frozen flows and in j->after. 0 or negative errno. */
int backends_find(struct job *j);

/* Sets `waiting` of the frozen flows that were accepted, are held by nobody with a log-in, and will be a session's if somebody logs
 * in: (1) a session is there that came in at the same address and port, or (2) a root process keeps them, and one that it has shut
 * in speaks for it. What neither shows is left alone. 0 or negative errno. */
int waiting_find(struct job *j);

#endif
