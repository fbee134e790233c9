/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sentry.h - the fences in the event loop, which never waits for them: hits are told as they come, and complaints; when one
 * ends, who attends is woken. */
#ifndef SEVER_SENTRY_H
#define SEVER_SENTRY_H

#include "daemon/severd.h"

struct fencing;

struct sentry {
	struct fencing *fencing;
	struct attend *attend;
	struct journal *journal;
	sd_event_source *timer, *hits;
};

/* Sets d->fencing; pinned among the tags, where pin_dir is not NULL. 0 or negative errno with a sentence in err. */
int sentry_open(const char *state_dir, const char *pin_dir, const struct prefixes *protect, struct severd *d, char *err);
/* All fences and tags off this host. */
int sentry_detach_all(const char *pin_dir, char *err);

/* Who attends is started before the loop turns. 0 or negative errno. */
int sentry_start(struct sentry *s, struct severd *d);
/* A fence may have gone up or down since. Often: it costs little. */
void sentry_look(struct sentry *s);
void sentry_stop(struct sentry *s);

#endif
