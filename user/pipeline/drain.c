// SPDX-License-Identifier: LGPL-2.1-or-later
/* drain.c - let the peer have what was sent, then cut. */
#include "pipeline/job.h"

#include <time.h>

#define POLL_MS 10

/* Moves the flows that owe nothing any more, or are gone, to the front; how many. */
static size_t drained(struct flow **v, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		if (!v[i]->present || !v[i]->wqueue) {
			struct flow *f = v[i];

			v[i] = v[done];
			v[done++] = f;
		}
	return done;
}

static void nap(void)
{
	const struct timespec t = { .tv_nsec = POLL_MS * 1000000 };

	nanosleep(&t, NULL);
}

int drain(struct job *j, struct worklist *w)
{
	uint64_t end = now_us() + j->req->drain_ms * 1000;
	struct worklist left = *w, done = *w;
	int r = 0;

	while (left.n) {
		bool over = now_us() >= end || job_stopped(j);

		r = confirm_lookup(j, &left);
		if (r < 0)
			return r;
		done.v = left.v;
		done.n = over ? left.n : drained(left.v, left.n);
		j->deadline_us = now_us() + j->req->timeout_ms * 1000;
		r = destroy_order(j, &done);
		if (r < 0)
			return r;
		left.v += done.n;
		left.n -= done.n;
		report_progress(j->report, "draining", w->n - left.n, w->n);
		if (left.n)
			nap();
	}
	return 0;
}
