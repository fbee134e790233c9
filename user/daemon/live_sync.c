// SPDX-License-Identifier: LGPL-2.1-or-later
/* live_sync.c - what the ring lost is made good: the map is brought in line with the sockets, and the index with the map. */
#include "daemon/live.h"
#include "kernel/sockets.h"

#include <string.h>

/* How long the end of a flow may stand in the ring: it is drained many times a second. */
#define DOUBT_NS 1000000000ull

struct kept {
	struct live *live;
	const struct netns_table *netns; /* with who listens there; empty where nobody was adopted */
};

/* Which way one was opened that is older than the tags: by who listens now, as one shot infers it. Once said, it stays. */
static enum direction infer(const struct kept *k, uint64_t cookie, const struct sever_flow *f)
{
	const struct entry *e = index_find(&k->live->index, cookie);
	const struct netns *ns = netns_find(k->netns, f->netns);
	struct flow flow;

	if (e && e->birth == f->birth && e->direction != SEVER_DIR_UNKNOWN)
		return e->direction;
	if (!ns || !ns->listeners)
		return DIR_UNKNOWN;
	track_to_flow(cookie, f, &flow);
	return listeners_direction(ns->listeners, ns, &flow);
}

/* One that is new to us was lost on its way, but for those that are there when we come. */
static int on_kept(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct sever_event birth = { .cookie = cookie, .kind = SEVER_EVENT_BIRTH, .flow = *f };
	const struct kept *k = arg;

	if (f->flags & SEVER_FLOW_ADOPTED)
		birth.flow.direction = infer(k, cookie, f);
	live_take(k->live, &birth, k->live->filled);
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
static int compare(struct live *l, const struct netns_table *t)
{
	struct kept k = { .live = l, .netns = t };
	int r;

	if (l->doubtful)
		settle_missing(l);
	r = live_drain_locked(l);
	mark_missing(l, true);
	if (r == 0)
		r = track_walk(l->track, on_kept, &k);
	if (r < 0)
		mark_missing(l, false);
	l->doubtful = any_missing(l) ? clock_ns(CLOCK_MONOTONIC) + DOUBT_NS : 0;
	return r;
}

static const struct filter everything;

/* Where no process is, but a socket that somebody holds. It takes a look at every descriptor of the host, for which requests wait. */
static int discover_held(struct live *l, struct owners *o, struct netns_table *t)
{
	static const uint64_t none = UINT64_MAX; /* such a socket there is not */
	_free_ uint32_t *known = calloc(t->n + 1, sizeof(*known));
	const struct owner_scope scope = { .wanted = &none, .n_wanted = 1, .known = known, .n_known = t->n };
	int r;

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		known[i] = t->v[i].inode;
	pthread_mutex_lock(&l->people_lock);
	r = owners_read_holders(o, &scope);
	pthread_mutex_unlock(&l->people_lock);
	for (size_t i = 0; i < o->n_held && r == 0; i++)
		r = netns_add_held(t, &o->held[i], &everything);
	return r;
}

/* Every namespace there is a way into; that of a held socket if `held`. */
static int discover(struct live *l, bool held, struct netns_table *ret)
{
	struct owners o = { .bpf = l->people, .bpf_err = l->people_err };
	int r;

	pthread_mutex_lock(&l->people_lock);
	r = owners_read_procs(&o);
	pthread_mutex_unlock(&l->people_lock);
	if (r == 0)
		r = netns_discover(ret, &o.procs, &everything);
	if (r == 0 && held && l->people)
		r = discover_held(l, &o, ret);
	owners_clear(&o);
	return r;
}

/* Where that cannot be read in full, nothing is inferred from it. */
static void read_listeners(struct netns_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct netns *ns = &t->v[i];

		if (!ns->nl || listeners_read(ns, &ns->listeners) == 0)
			continue;
		listeners_free(ns->listeners);
		ns->listeners = NULL;
	}
}

static int bring_in_line(struct live *l, struct netns_table *ret)
{
	struct track_losses now = { 0 };
	int r = discover(l, true, ret);

	/* The passes over the sockets are long, and need no lock. */
	if (r == 0)
		r = track_sync(l->track, ret->v, ret->n, on_gone, l);
	if (r == 0)
		r = track_losses(l->track, &now);
	if (r == 0)
		read_listeners(ret);
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

static int make_good(struct live *l, enum due due)
{
	_cleanup_(netns_clear) struct netns_table t = { 0 };
	int r = due == DUE_MAP ? bring_in_line(l, &t) : 0;

	pthread_mutex_lock(&l->lock);
	if (r >= 0)
		r = compare(l, &t);
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

/* It takes as long as there are sockets, for which no request that resyncs is to wait. */
int live_audit(struct live *l)
{
	_cleanup_(netns_clear) struct netns_table t = { 0 };
	int r;

	r = discover(l, false, &t);
	if (r == 0)
		r = track_audit(l->track, t.v, t.n, on_gone, l);
	live_wake(l);
	return r;
}
