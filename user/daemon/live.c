// SPDX-License-Identifier: LGPL-2.1-or-later
/* live.c - from the ring buffer into the index and the log. The map is the truth: what the ring lost is made good from it. */
#include "daemon/live.h"

#include <string.h>
#include <sys/eventfd.h>

/* Together more than the ring holds: what was there at the beginning is taken, and who floods it does not keep us. */
#define DRAIN_BATCH 4096
#define DRAIN_ROUNDS 8

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
		if (job && job->fence)
			return REASON_FENCE;
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
	if (told->job)
		returns_note(&l->returns, &was, clock_ns(CLOCK_MONOTONIC));
	live_note_owed(l, &was, ev->queued);
	if (was.session)
		sittings_flow_ended(&l->sittings, &l->log, told);
}

static int on_birth(struct live *l, const struct sever_event *ev, bool tell)
{
	struct entry *e = index_find(&l->index, ev->cookie);
	const struct sever_event end = { .cookie = ev->cookie, .kind = SEVER_EVENT_END };
	bool known = e && e->birth == ev->flow.birth;
	const struct cut *cut;
	struct logged *told;

	/* The socket was connected before, and the end of that was lost: whose that was does not say whose this is. */
	if (e && !known)
		on_end(l, &end);
	e = index_put(&l->index, ev->cookie, &ev->flow);
	if (!e)
		return -ENOMEM;
	own_at_birth(l, e);
	if (known || !tell)
		return 0;
	told = log_add(&l->log, EVENT_FLOW_OPEN);
	told->flow = *e;
	told->uid = e->owner;
	cut = returns_find(&l->returns, e, clock_ns(CLOCK_MONOTONIC));
	told->returns = cut ? cut->cookie : 0;
	told->job = cut ? cut->job : 0;
	return 0;
}

void live_take(struct live *l, const struct sever_event *e, bool tell)
{
	if (e->kind == SEVER_EVENT_BIRTH)
		l->damaged |= on_birth(l, e, tell) < 0;
	else if (e->kind == SEVER_EVENT_END)
		on_end(l, e);
	else
		l->login_seen = true;
}

/* One that is older than the tags is taken from the map, once the pass that met it is over: then it is known which way it was opened. */
static int on_event(const struct sever_event *e, void *arg)
{
	if (e->kind != SEVER_EVENT_BIRTH || !(e->flow.flags & SEVER_FLOW_ADOPTED))
		live_take(arg, e, true);
	return 0;
}

int live_drain_locked(struct live *l)
{
	uint64_t before = l->log.next;
	int n = DRAIN_BATCH;

	for (int i = 0; i < DRAIN_ROUNDS && n == DRAIN_BATCH; i++)
		n = track_drain(l->track, DRAIN_BATCH, on_event, l);
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

static int start(struct live *l, const char *pin_dir, char *err)
{
	const struct track_options o = { .pin_dir = pin_dir };
	int r;

	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		return fail(-errno, err, "eventfd: %s", strerror(errno));
	r = log_open(&l->log);
	if (r == 0)
		r = returns_open(&l->returns);
	if (r == 0)
		r = track_open(&l->track, &o, err);
	if (r < 0)
		return r;
	l->udp_err = track_udp_error(l->track);
	l->people_err = owners_bpf_open(&l->people);
	if (owners_sole_open(&l->sole) < 0)
		l->sole = NULL; /* all are asked instead */
	/* What is older than the tags, and what happened while nobody was here to listen. */
	l->astray = l->login_seen = true;
	r = live_resync(l);
	return r < 0 ? fail(r, err, "cannot take in the connections that are there: %s", strerror(-r)) : 0;
}

int live_open(struct live *l, const char *pin_dir, char *err)
{
	int r;

	*l = (struct live){ .wake = -1 };
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->resync_lock, NULL);
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
	owners_sole_close(l->sole);
	index_clear(&l->index);
	sittings_clear(&l->sittings);
	log_close(&l->log);
	returns_close(&l->returns);
	closep(&l->wake);
	l->track = NULL;
	l->wake = -1;
}
