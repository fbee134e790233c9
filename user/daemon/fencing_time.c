// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_time.c - as time goes by: ends that come, and a thread that writes down what has changed. */
#include "daemon/fencing_parts.h"
#include "daemon/thread.h"

#define SECOND UINT64_C(1000000000)

static bool has_ended(const struct standing *s, const void *arg)
{
	return s->until_ns <= *(const uint64_t *)arg;
}

size_t fencing_drop(struct fencing *f, bool (*want)(const struct standing *s, const void *arg), const void *arg,
		    enum event what)
{
	_free_ struct standing **v = calloc(f->all.n + 1, sizeof(struct standing *));
	size_t n = v ? fencing_take(f, want, arg, v) : 0;

	for (size_t i = 0; i < n; i++) {
		fencing_tell(f, what, fencing_show(f, v[i]), 0);
		standing_free(v[i]);
	}
	return n;
}

size_t fencing_drop_ended(struct fencing *f, uint64_t now)
{
	return fencing_drop(f, has_ended, &now, EVENT_FENCE_EXPIRE);
}

void fencing_plan(struct fencing *f)
{
	uint64_t next = f->all.n || f->stale || f->unraised ? f->due ?: 1 : 0;

	for (size_t i = 0; i < f->all.n; i++)
		if (f->all.v[i]->until_ns < next)
			next = f->all.v[i]->until_ns;
	__atomic_store_n(&f->next, next, __ATOMIC_RELAXED);
}

uint64_t fencing_next(const struct fencing *f)
{
	return __atomic_load_n(&f->next, __ATOMIC_RELAXED);
}

void fencing_tick(struct fencing *f)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);

	pthread_mutex_lock(&f->lock);
	if (fencing_drop_ended(f, now))
		fencing_restore(f);
	else if (now >= f->due && (f->unraised || !f->kernel))
		fencing_raise(f, NULL);
	if (now >= f->due && (f->all.n || f->stale || f->unraised)) {
		f->asked = true;
		f->due = now + SECOND; /* or as the writer says */
		pthread_cond_signal(&f->called);
	}
	fencing_plan(f);
	pthread_mutex_unlock(&f->lock);
}

/* ---- the disk ---- */

/* Waits for the disk, so that who looks need not. */
static void *run(void *arg)
{
	struct fencing *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		if (!f->asked) {
			pthread_cond_wait(&f->called, &f->lock);
			continue;
		}
		f->asked = false;
		pthread_mutex_unlock(&f->lock);
		fencing_keep(f);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

int fencing_start(struct fencing *f)
{
	int r = thread_start(&f->writer, run, f);

	f->runs = r == 0;
	return r;
}

void fencing_stop(struct fencing *f)
{
	if (!f->runs)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->called);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->writer, NULL);
	if (f->all.n || f->stale)
		fencing_keep(f);
}
