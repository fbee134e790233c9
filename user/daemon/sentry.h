/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sentry.h - the fences in the event loop: hits are told as they come, ends on time. */
#ifndef SEVER_SENTRY_H
#define SEVER_SENTRY_H

#include "daemon/severd.h"

struct fencing;

struct sentry {
	struct fencing *fencing;
	sd_event_source *timer, *hits;
};

/* Sets d->fencing; pinned among the tags, where pin_dir is not NULL. What could not be taken up is said in the journal. 0 or
 * negative errno with a sentence in err. */
int sentry_open(const char *state_dir, const char *pin_dir, const struct prefixes *protect, struct severd *d, char *err);
/* All fences and tags off this host. */
int sentry_detach_all(const char *pin_dir, char *err);

/* 0 or negative errno. */
int sentry_start(struct sentry *s, struct fencing *f, sd_event *event);
/* A fence went up or down since. */
void sentry_look(struct sentry *s);
void sentry_stop(struct sentry *s);

#endif
