// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/attend.h"
#include "names/sessions.h"

#include <time.h>

#define SOON_US 20000
#define LATER_US 2000000
/* Looks take at most a twentieth of the time. */
#define SHARE 20

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

/* What those who are logged in hold. */
static int read_people(struct live *l, struct owners *o, struct sessions *sessions, struct people *ret)
{
	_free_ bool *likely = NULL;
	struct owner_scope scope = { 0 };
	int r = owners_read_procs(o);

	if (r == 0)
		r = sessions_read(&o->procs, sessions);
	*ret = (struct people){ .procs = &o->procs, .sessions = sessions, .holders = &o->holders };
	if (r < 0)
		return r;
	likely = calloc(o->procs.n + 1, sizeof(*likely));
	if (!likely)
		return -ENOMEM;
	for (size_t i = 0; i < o->procs.n; i++)
		likely[i] = proc_login(ret, &o->procs.v[i]) != ID_UNSET;
	scope.procs = likely;
	r = owners_read_holders(o, &scope);
	/* Without BPF sockets are known by inode, which no tag has: sessions are followed, but not their flows. */
	if (o->by_inode)
		holders_clear(&o->holders);
	(void)l;
	return r;
}

static int look(struct live *l)
{
	struct owners o = { .bpf = l->people, .bpf_err = l->people_err };
	struct sessions sessions = { 0 };
	struct people people;
	int r;

	pthread_mutex_lock(&l->people_lock);
	r = read_people(l, &o, &sessions, &people);
	pthread_mutex_unlock(&l->people_lock);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = live_drain_locked(l);
	if (r == 0)
		r = sittings_update(&l->sittings, &l->index, &l->log, &people);
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
	owners_clear(&o);
	sessions_clear(&sessions);
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
	uint64_t start = now_us();

	(void)s;
	(void)usec;
	look(a->live); /* out of memory: the next one may do better */
	a->cost_us = now_us() - start;
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
