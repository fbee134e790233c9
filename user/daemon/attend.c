// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/attend.h"
#include "daemon/catch.h"
#include "daemon/people.h"
#include "daemon/thread.h"

#define SOON_US 20000ull
#define LATER_US 2000000ull
#define PATIENCE_US 5000000ull /* with somebody who waits for a look */
#define CHECK_US 1000000ull /* how long a loss goes unnoticed by who only watches */
/* Looks take at most a twentieth of the time of a CPU, and so does making good. What they waited for, a lock or their turn on a busy
 * machine, costs nobody anything. */
#define SHARE 20
/* How long an end goes unnoticed that nobody counted as lost, while the looks for it take at most a hundredth of the time. */
#define AUDIT_US 60000000ull
#define AUDIT_SHARE 100

static int look(struct attend *a)
{
	_cleanup_(catch_clear) struct catch caught = { 0 };
	_cleanup_(meant_clear) struct meant meant = { 0 };
	_cleanup_(selection_clear) struct selection sel = { 0 };
	struct fencing *f = a->fencing;
	struct ids new_netns = { 0 };
	struct live *l = a->live;
	int r;

	if (f)
		fencing_follow(f);
	r = people_read(l, &sel);
	if (r == 0 && f)
		r = fencing_mean(f, &sel.people, &a->cgroups, &meant);
	if (r == 0)
		r = people_read_holders(l, &meant.any, 0, NULL, &sel);
	/* Without BPF sockets are known by inode, which no tag has: sessions are followed, but not their flows. */
	if (sel.people.by_inode)
		holders_clear(&sel.owners.holders);
	if (r == 0 && f)
		fencing_attach(f, &sel.owners, &new_netns);
	pthread_mutex_lock(&l->lock);
	if (r == 0)
		r = live_drain_locked(l);
	if (r == 0)
		r = sittings_update(&l->sittings, &l->index, &l->log, &sel.owners, &sel.people);
	pthread_mutex_unlock(&l->lock);
	live_wake(l);
	if (r == 0 && f)
		r = catch_find(&caught, l, f, &meant, &sel, &new_netns);
	else if (f)
		fencing_attach_again(f, &new_netns);
	free(new_netns.v);
	catch_end(&caught, l, f);
	return r;
}

struct plan {
	uint64_t look, check, audit; /* when they are due, ns */
	uint64_t rest;	      /* when the last look has been paid for */
	unsigned int soon;    /* looks that are still to follow at short intervals */
};

/* When it is due again: not before it has been paid for. spent: the thread's time when it began. */
static uint64_t again(uint64_t spent, uint64_t after_us, uint64_t share, uint64_t *ret_rest)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), due = now + after_us * 1000;

	*ret_rest = now + (clock_ns(CLOCK_THREAD_CPUTIME_ID) - spent) * share;
	return due > *ret_rest ? due : *ret_rest;
}

/* Without the lock. Out of memory: the next one may do better. */
static void attend(struct attend *a, struct plan *p)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC), spent = clock_ns(CLOCK_THREAD_CPUTIME_ID), rest;
	struct live *l = a->live;

	if (begun >= p->look) {
		look(a);
		p->soon -= p->soon > 0;
		p->look = again(spent, p->soon ? SOON_US << (4 - p->soon) : LATER_US, SHARE, &p->rest);
		begun = clock_ns(CLOCK_MONOTONIC);
		spent = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	}
	if (begun < p->check)
		return;
	if (begun >= p->audit)
		live_audit(l);
	live_resync(l);
	p->check = again(spent, CHECK_US, SHARE, &rest);
	if (begun >= p->audit)
		p->audit = again(spent, AUDIT_US, AUDIT_SHARE, &rest);
}

static void *run(void *arg)
{
	struct attend *a = arg;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct plan p = { .check = now + CHECK_US * 1000, .audit = now + AUDIT_US * 1000 };
	bool tick;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		uint64_t asked = a->asked;

		if (a->soon) {
			p.look = p.soon || p.look < p.rest ? p.look : p.rest;
			p.soon = 4;
			a->soon = false;
		}
		if (asked != a->answered)
			p.look = 0;
		tick = a->tick;
		a->tick = false;
		pthread_mutex_unlock(&a->lock);
		if (tick)
			fencing_tick(a->fencing);
		attend(a, &p);
		pthread_mutex_lock(&a->lock);
		a->answered = asked;
		pthread_cond_broadcast(&a->looked);
		if (!a->stop && !a->soon && !a->tick && a->asked == asked)
			thread_wait(&a->called, &a->lock, p.look < p.check ? p.look : p.check);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void attend_soon(struct attend *a)
{
	pthread_mutex_lock(&a->lock);
	a->soon = true;
	pthread_cond_signal(&a->called);
	pthread_mutex_unlock(&a->lock);
}

void attend_look(struct attend *a)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + PATIENCE_US * 1000, mine;

	pthread_mutex_lock(&a->lock);
	mine = ++a->asked;
	pthread_cond_signal(&a->called);
	while (a->answered < mine && !a->stop && clock_ns(CLOCK_MONOTONIC) < end)
		thread_wait(&a->looked, &a->lock, end);
	pthread_mutex_unlock(&a->lock);
}

void attend_tick(struct attend *a)
{
	pthread_mutex_lock(&a->lock);
	a->tick = true;
	pthread_cond_signal(&a->called);
	pthread_mutex_unlock(&a->lock);
}

int attend_start(struct attend *a, struct live *l, struct fencing *f)
{
	int r;

	*a = (struct attend){ .live = l, .fencing = f };
	pthread_mutex_init(&a->lock, NULL);
	thread_cond_init(&a->called);
	thread_cond_init(&a->looked);
	r = thread_start(&a->thread, run, a);
	a->runs = r == 0;
	return r;
}

void attend_stop(struct attend *a)
{
	if (!a->runs)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->called);
	pthread_cond_broadcast(&a->looked);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	lineage_clear(&a->cgroups);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->called);
	pthread_cond_destroy(&a->looked);
	a->runs = false;
}
