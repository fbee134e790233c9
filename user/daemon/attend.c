// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/attend.h"
#include "daemon/people.h"

#define SOON_US 20000
#define LATER_US 2000000
/* Looks take at most a twentieth of the time. */
#define SHARE 20

static int look(struct live *l)
{
	struct selection sel = { 0 };
	int r = people_read(l, &sel);

	if (r == 0)
		r = people_read_holders(l, NULL, 0, &sel);
	/* Without BPF sockets are known by inode, which no tag has: sessions are followed, but not their flows. */
	if (sel.people.by_inode)
		holders_clear(&sel.owners.holders);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = live_drain_locked(l);
	if (r == 0)
		r = sittings_update(&l->sittings, &l->index, &l->log, &sel.people);
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
	selection_clear(&sel);
	return r;
}

static void again_in(struct attend *a, uint64_t us)
{
	uint64_t least = a->cost_us * SHARE;

	sd_event_source_set_time_relative(a->timer, us > least ? us : least);
	sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

static int on_time(sd_event_source *s, uint64_t usec, void *arg)
{
	struct attend *a = arg;
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	(void)s;
	(void)usec;
	look(a->live); /* out of memory: the next one may do better */
	a->cost_us = (clock_ns(CLOCK_MONOTONIC) - start) / 1000;
	a->soon -= a->soon > 0;
	again_in(a, a->soon ? SOON_US << (4 - a->soon) : LATER_US);
	return 0;
}

void attend_soon(struct attend *a)
{
	bool waits = a->soon;

	a->soon = 4;
	if (!waits)
		again_in(a, 0);
}

int attend_start(struct attend *a, sd_event *event, struct live *l)
{
	*a = (struct attend){ .live = l };
	return sd_event_add_time_relative(event, &a->timer, CLOCK_MONOTONIC, 0, 1000, on_time, a);
}

void attend_stop(struct attend *a)
{
	sd_event_source_unref(a->timer);
	a->timer = NULL;
}
