// SPDX-License-Identifier: LGPL-2.1-or-later
/* live.c - from the ring buffer into the index and the log. The map is the truth: what the ring lost is made good from it. */
#include "daemon/live.h"
#include "kernel/netns.h"

#include <string.h>
#include <sys/eventfd.h>

/* At most so many events while the lock is held. */
#define DRAIN_BATCH 4096

void live_wake(struct live *l)
{
	eventfd_write(l->wake, 1); /* full: it is awake already */
}

/* Who cut it, if it was cut: one of our requests, or somebody else with the kernel's own means. */
static enum reason reason_of(const struct live *l, const struct sever_event *e, const struct entry *was)
{
	const struct job_name *job = live_job(l, was->job);

	switch (e->cause) {
	case SEVER_CAUSE_DESTROYED:
		return job && job->caller_session && job->caller_session == was->session ? REASON_ADMIN_SELF : REASON_ADMIN;
	case SEVER_CAUSE_PEER:
	case SEVER_CAUSE_RESET:
		return REASON_CLIENT;
	case SEVER_CAUSE_NONE:
		return REASON_UNKNOWN;
	default:
		return REASON_ERROR;
	}
}

/* Who opened it is known at once; of what a service accepted, when somebody looks. */
static void own_at_birth(struct live *l, struct entry *e)
{
	const struct sitting *s = sittings_audited(&l->sittings, e->audit_session);

	if (e->owner != ID_UNSET || e->login_uid == SEVER_ID_UNSET)
		return;
	index_own(&l->index, e, s ? s->session.uid : e->login_uid, s ? s->number : 0);
}

static int on_birth(struct live *l, const struct sever_event *ev)
{
	struct entry *e = index_put(&l->index, ev->cookie, &ev->flow);
	struct logged *told;

	if (!e)
		return -ENOMEM;
	own_at_birth(l, e);
	told = log_add(&l->log, EVENT_FLOW_OPEN);
	told->flow = *e;
	told->uid = e->owner;
	return 0;
}

static void on_end(struct live *l, const struct sever_event *ev)
{
	struct entry *e = index_find(&l->index, ev->cookie), was;
	struct logged *told;

	/* Its birth was lost: it is told of all the same. */
	if (!e)
		e = index_put(&l->index, ev->cookie, &ev->flow);
	if (!e)
		return;
	was = *e;
	was.state = ev->state;
	index_remove(&l->index, e);
	told = log_add(&l->log, EVENT_FLOW_CLOSE);
	told->flow = was;
	told->uid = was.owner;
	told->reason = reason_of(l, ev, &was);
	told->job = ev->cause == SEVER_CAUSE_DESTROYED ? was.job : 0;
	told->boot_ns = ev->time;
	told->sent = ev->sent;
	told->received = ev->received;
	live_note_owed(l, &was, ev->queued);
	if (was.session)
		sittings_flow_ended(&l->sittings, &l->log, &was, told->reason, told->job);
}

static int on_event(const struct sever_event *e, void *arg)
{
	struct live *l = arg;

	if (e->kind == SEVER_EVENT_BIRTH)
		l->damaged |= on_birth(l, e) < 0;
	else if (e->kind == SEVER_EVENT_END)
		on_end(l, e);
	else
		l->login_seen = true;
	return 0;
}

int live_drain_locked(struct live *l)
{
	uint64_t before = l->log.next;
	int n;

	do
		n = track_drain(l->track, DRAIN_BATCH, on_event, l);
	while (n == DRAIN_BATCH);
	if (l->log.next != before || l->login_seen)
		live_wake(l);
	return n < 0 ? n : 0;
}

int live_drain(struct live *l)
{
	int r;

	pthread_mutex_lock(&l->lock);
	r = live_drain_locked(l);
	pthread_mutex_unlock(&l->lock);
	return r;
}

static int on_kept(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct live *l = arg;
	struct entry *e = index_put(&l->index, cookie, f);

	if (!e)
		return -ENOMEM;
	own_at_birth(l, e);
	return 0;
}

static int on_gone(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct sever_event e = { .cookie = cookie, .kind = SEVER_EVENT_END, .flow = *f };

	return on_event(&e, arg);
}

/* What the index has and the map has not. Its end may stand in the ring, unread, and is not to be told twice: only what is still
 * here when we look again was lost. True: we should. */
static bool drop_missing(struct live *l)
{
	bool again = false;
	struct sever_flow f;

	for (size_t i = 0; i < l->index.used; i++) {
		struct entry *e = index_at(&l->index, i);
		struct sever_event ev = { .kind = SEVER_EVENT_END };

		if (!e || track_read(l->track, e->cookie, &f) != -ENOENT)
			continue;
		ev.cookie = e->cookie;
		if (e->missing)
			on_end(l, &ev);
		else
			again = e->missing = true;
	}
	return again;
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
	/* What is told gone below must not be born later. */
	int r = live_drain_locked(l);

	for (size_t i = 0; i < t->n && r >= 0; i++)
		if (t->v[i].nl)
			r = track_sync(l->track, &t->v[i], on_gone, l);
	if (r >= 0)
		r = live_drain_locked(l);
	if (r == 0)
		r = track_walk(l->track, on_kept, l);
	l->damaged |= drop_missing(l);
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

int live_resync(struct live *l)
{
	struct netns_table t = { 0 };
	int r = is_due(l);

	if (r <= 0)
		return r;
	r = discover(l, &t);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = bring_in_line(l, &t);
	l->damaged |= r < 0;
	pthread_mutex_unlock(&l->lock);
	netns_clear(&t);
	return r;
}

static int start(struct live *l, const char *pin_dir, char *err)
{
	const struct track_options o = { .pin_dir = pin_dir };
	int r;

	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		return fail(-errno, err, "eventfd: %s", strerror(errno));
	r = log_open(&l->log);
	if (r == 0)
		r = track_open(&l->track, &o, err);
	if (r < 0)
		return r;
	l->people_err = owners_bpf_open(&l->people);
	/* What is older than the tags, and what happened while nobody was here to listen. */
	l->damaged = l->login_seen = true;
	r = live_resync(l);
	return r < 0 ? fail(r, err, "cannot take in the connections that are there: %s", strerror(-r)) : 0;
}

int live_open(struct live *l, const char *pin_dir, char *err)
{
	int r;

	*l = (struct live){ .wake = -1 };
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->people_lock, NULL);
	r = start(l, pin_dir, err);
	if (r < 0)
		live_close(l);
	return r;
}

void live_close(struct live *l)
{
	for (size_t i = 0; i < JOB_NAMES; i++)
		free(l->jobs[i].owed);
	track_close(l->track);
	owners_bpf_close(l->people);
	index_clear(&l->index);
	sittings_clear(&l->sittings);
	log_close(&l->log);
	closep(&l->wake);
	l->track = NULL;
	l->wake = -1;
}
