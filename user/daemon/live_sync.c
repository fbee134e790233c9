// SPDX-License-Identifier: LGPL-2.1-or-later
/* live_sync.c - what the ring lost is made good: the map is brought in line with the sockets, and the index with the map. */
#include "daemon/live.h"
#include "kernel/netns.h"

#include <string.h>

/* One that is new to us was lost on its way, but for those that are there when we come. */
static int on_kept(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	const struct sever_event birth = { .cookie = cookie, .kind = SEVER_EVENT_BIRTH, .flow = *f };
	struct live *l = arg;

	live_take(l, &birth, l->filled);
	return 0;
}

/* Its birth may still wait in the ring. */
static int on_gone(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	const struct sever_event e = { .cookie = cookie, .kind = SEVER_EVENT_END, .flow = *f };
	struct live *l = arg;
	int r;

	pthread_mutex_lock(&l->lock);
	r = live_drain_locked(l);
	live_take(l, &e, true);
	pthread_mutex_unlock(&l->lock);
	return r;
}

/* What the index has and the map has not: its end was lost. */
static void drop_missing(struct live *l)
{
	struct sever_flow f;

	for (size_t i = 0; i < l->index.used; i++) {
		const struct entry *e = index_at(&l->index, i);
		struct sever_event ev = { .kind = SEVER_EVENT_END };

		if (!e || track_read(l->track, e->cookie, &f) != -ENOENT)
			continue;
		ev.cookie = e->cookie;
		live_take(l, &ev, true);
	}
}

/* Every namespace there is a way into. */
static int discover(struct live *l, struct netns_table *ret)
{
	const struct filter all = { 0 };
	struct owners o = { .bpf = l->people, .bpf_err = l->people_err };
	int r;

	pthread_mutex_lock(&l->people_lock);
	r = owners_read_procs(&o);
	pthread_mutex_unlock(&l->people_lock);
	if (r == 0)
		r = netns_discover(ret, &o.procs, &all);
	owners_clear(&o);
	return r;
}

static int bring_in_line(struct live *l, const struct netns_table *t)
{
	struct track_losses now = { 0 };
	int r = 0;

	/* The passes over the sockets are long, and need no lock. */
	for (size_t i = 0; i < t->n && r >= 0; i++)
		if (t->v[i].nl)
			r = track_sync(l->track, &t->v[i], on_gone, l);
	pthread_mutex_lock(&l->lock);
	if (r >= 0)
		r = live_drain_locked(l);
	if (r == 0)
		r = track_walk(l->track, on_kept, l);
	drop_missing(l);
	l->filled |= r == 0;
	if (r == 0)
		r = track_losses(l->track, &now);
	l->damaged |= r < 0;
	l->crowded = r == 0 && now.flows != l->losses.flows;
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
	return r;
}

/* Whether there is something to make good, which is then begun. */
static int is_due(struct live *l)
{
	struct track_losses now;
	int r;

	pthread_mutex_lock(&l->lock);
	r = track_losses(l->track, &now);
	if (r == 0) {
		r = l->damaged || memcmp(&now, &l->losses, sizeof(now));
		l->damaged = false;
		l->losses = now;
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

static int resync(struct live *l)
{
	struct netns_table t = { 0 };
	int r = discover(l, &t);

	if (r == 0)
		r = bring_in_line(l, &t);
	if (r < 0) {
		pthread_mutex_lock(&l->lock);
		l->damaged = true;
		pthread_mutex_unlock(&l->lock);
	}
	netns_clear(&t);
	return r;
}

int live_resync(struct live *l)
{
	int r;

	pthread_mutex_lock(&l->resync_lock);
	r = is_due(l);
	if (r > 0)
		r = resync(l);
	if (r == 0)
		r = l->crowded;
	pthread_mutex_unlock(&l->resync_lock);
	return r;
}
