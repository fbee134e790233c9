// SPDX-License-Identifier: LGPL-2.1-or-later
/* live_sync.c - what the ring lost is made good: the map is brought in line with the sockets, and the index with the map. */
#include "daemon/live.h"
#include "kernel/netns.h"

#include <string.h>

/* How long the end of a flow may stand in the ring: it is drained many times a second. */
#define DOUBT_NS 1000000000ull

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

static void mark_missing(struct live *l, bool missing)
{
	for (size_t i = 0; i < l->index.used; i++)
		if (index_at(&l->index, i))
			index_at(&l->index, i)->missing = missing;
}

static bool any_missing(const struct live *l)
{
	for (size_t i = 0; i < l->index.used; i++)
		if (index_at(&l->index, i) && index_at(&l->index, i)->missing)
			return true;
	return false;
}

/* What is missing still was lost. */
static void settle_missing(struct live *l)
{
	struct sever_flow f;

	l->doubtful = 0;
	for (size_t i = 0; i < l->index.used; i++) {
		struct entry *e = index_at(&l->index, i);
		struct sever_event ev = { .kind = SEVER_EVENT_END };

		if (!e || !e->missing)
			continue;
		e->missing = false;
		ev.cookie = e->cookie;
		if (track_read(l->track, e->cookie, &f) == -ENOENT)
			live_take(l, &ev, true);
	}
	live_wake(l);
}

/* What the index has and the map has not is missing: its end may stand in the ring, unread, and is not to be told twice. */
static int compare(struct live *l)
{
	int r;

	if (l->doubtful)
		settle_missing(l);
	r = live_drain_locked(l);
	mark_missing(l, true);
	if (r == 0)
		r = track_walk(l->track, on_kept, l);
	if (r < 0)
		mark_missing(l, false);
	l->doubtful = any_missing(l) ? clock_ns(CLOCK_MONOTONIC) + DOUBT_NS : 0;
	return r;
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

static int bring_in_line(struct live *l, struct netns_table *t)
{
	struct track_losses now = { 0 };
	/* The passes over the sockets are long, and need no lock. */
	int r = track_sync(l->track, t->v, t->n, on_gone, l);

	if (r == 0)
		r = track_losses(l->track, &now);
	pthread_mutex_lock(&l->lock);
	l->crowded = r == 0 && now.flows != l->losses.flows;
	pthread_mutex_unlock(&l->lock);
	return r;
}

enum due { DUE_NOTHING, DUE_INDEX, DUE_MAP };

/* What there is to make good, which is then begun. */
static int what_is_due(struct live *l)
{
	struct track_losses now, *was = &l->losses;
	int r;

	pthread_mutex_lock(&l->lock);
	if (l->doubtful && clock_ns(CLOCK_MONOTONIC) >= l->doubtful)
		settle_missing(l);
	r = track_losses(l->track, &now);
	if (r == 0) {
		bool map = l->astray || now.flows != was->flows || now.runs != was->runs;

		r = map ? DUE_MAP : l->damaged || now.events != was->events ? DUE_INDEX : DUE_NOTHING;
		l->damaged = l->astray = false;
		l->losses = now;
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

/* Every namespace there is a way into is passed to fn. */
static int in_all(struct live *l, int (*fn)(struct live *l, struct netns_table *t))
{
	_cleanup_(netns_clear) struct netns_table t = { 0 };
	int r = discover(l, &t);

	return r < 0 ? r : fn(l, &t);
}

static int make_good(struct live *l, enum due due)
{
	int r = due == DUE_MAP ? in_all(l, bring_in_line) : 0;

	pthread_mutex_lock(&l->lock);
	if (r >= 0)
		r = compare(l);
	l->filled |= r == 0;
	l->damaged |= r < 0;
	l->astray |= r < 0 && due == DUE_MAP;
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
	return r;
}

int live_resync(struct live *l)
{
	int r;

	pthread_mutex_lock(&l->resync_lock);
	r = what_is_due(l);
	if (r > 0)
		r = make_good(l, r);
	if (r == 0)
		r = l->crowded;
	pthread_mutex_unlock(&l->resync_lock);
	return r;
}

static int audit(struct live *l, struct netns_table *t)
{
	return track_audit(l->track, t->v, t->n, on_gone, l);
}

int live_audit(struct live *l)
{
	int r;

	pthread_mutex_lock(&l->resync_lock);
	r = in_all(l, audit);
	pthread_mutex_unlock(&l->resync_lock);
	live_wake(l);
	return r;
}
