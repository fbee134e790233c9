/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sentry.h - the fences in the event loop: hits are told as they come, ends on time. */
#ifndef SEVER_SENTRY_H
#define SEVER_SENTRY_H

#include "daemon/fencing.h"

#include <systemd/sd-event.h>

struct sentry {
	struct fencing *fencing;
	sd_event_source *timer, *hits;
};

/* 0 or negative errno. */
int sentry_start(struct sentry *s, struct fencing *f, sd_event *event);
/* A fence went up or down since. */
void sentry_look(struct sentry *s);
void sentry_stop(struct sentry *s);

#endif
