// SPDX-License-Identifier: LGPL-2.1-or-later
/* live_sync.c - the map is the truth: what the ring lost is made good from it, and what the map lost from the sockets. With a hundred
 * thousand of them that takes a while, during which events must go on being drained: else the ring would overflow again. */
#include "daemon/live_parts.h"
#include "kernel/netns.h"

#include <signal.h>
#include <string.h>

static int on_kept(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct live *l = arg;
	struct entry *e = index_put(&l->index, cookie, f);

	if (!e)
		return -ENOMEM;
	live_own_at_birth(l, e);
	return 0;
}

/* What is told gone must not be born later: its birth may stand in the ring. */
static int on_gone(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct sever_event e = { .cookie = cookie, .kind = SEVER_EVENT_END, .flow = *f };
	struct live *l = arg;
	int r;

	pthread_mutex_lock(&l->lock);
	r = live_drain_locked(l);
	if (r == 0)
		r = live_on_event(&e, l);
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

/* Of what was missing a while ago and has not told of its end, the end was lost. */
static void settle_missing(struct live *l)
{
	struct sever_flow f;

	if (live_drain_locked(l) < 0)
		return;
	l->doubtful = 0;
	for (size_t i = 0; i < l->index.used; i++) {
		struct entry *e = index_at(&l->index, i);
		struct sever_event ev = { .kind = SEVER_EVENT_END };

		if (!e || !e->missing)
			continue;
		e->missing = false;
		ev.cookie = e->cookie;
		if (track_read(l->track, e->cookie, &f) == -ENOENT)
			live_on_event(&ev, l);
	}
	live_wake(l);
}

/* What the index has and the map has not stays missing: its end may stand in the ring, unread, and is not to be told twice. */
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
	l->doubtful = any_missing(l) ? 2 : 0;
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

static int bring_in_line(struct live *l)
{
	struct netns_table t = { 0 };
	int r = discover(l, &t);

	if (r == 0)
		r = track_sync(l->track, t.v, t.n, on_gone, l);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = compare(l);
	l->damaged |= r < 0;
	pthread_mutex_unlock(&l->lock);
	netns_clear(&t);
	return r;
}

int live_resync(struct live *l)
{
	int r = is_due(l);

	return r > 0 ? bring_in_line(l) : r;
}

static void *run(void *arg)
{
	struct live *l = arg;

	bring_in_line(l);
	pthread_mutex_lock(&l->lock);
	l->synced = true;
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Signals are for the event loop. */
static int begin(struct live *l)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&l->sync, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

void live_sync_end(struct live *l)
{
	if (l->syncing)
		pthread_join(l->sync, NULL);
	l->syncing = l->synced = false;
}

void live_check(struct live *l)
{
	bool over;

	pthread_mutex_lock(&l->lock);
	over = l->synced;
	if (l->doubtful && !--l->doubtful)
		settle_missing(l);
	pthread_mutex_unlock(&l->lock);
	if (over)
		live_sync_end(l);
	if (l->syncing || is_due(l) <= 0)
		return;
	l->syncing = begin(l) == 0;
	if (l->syncing)
		return;
	pthread_mutex_lock(&l->lock);
	l->damaged = true;
	pthread_mutex_unlock(&l->lock);
}
