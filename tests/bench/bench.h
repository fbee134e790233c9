/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench.h - a storm of connections, and figures of many runs in turn. After unit/own_net.h. */
#ifndef SEVER_BENCH_H
#define SEVER_BENCH_H

#include "model/base.h"

static inline double seconds_of(clockid_t clock)
{
	return clock_ns(clock) / 1e9;
}

struct rate {
	double wall, cpu; /* connections a second */
};

/* Each ends by a reset, so that no TIME_WAIT is left in the way of the next. Both ends are ours, and so is nearly all
 * that the kernel does for them: on a busy machine the CPU's time tells more than the clock. */
static inline struct rate storm(int l, unsigned int n)
{
	double start = seconds_of(CLOCK_MONOTONIC), start_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	struct end to = { .len = sizeof(to.v6) };

	must(getsockname(l, &to.sa, &to.len), "getsockname");
	for (unsigned int i = 0; i < n; i++) {
		int out = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), in;

		must(connect(out, &to.sa, to.len), "connect");
		in = must(accept(l, NULL, NULL), "accept");
		reset_on_close(out);
		close(out);
		close(in);
	}
	return (struct rate){ n / (seconds_of(CLOCK_MONOTONIC) - start),
			      n / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start_cpu) };
}

static inline int by_value(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static inline double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static inline void tell(const char *what, const char *by, double *off, double *on, double *ratio, unsigned int n,
			const char *bar)
{
	double middle;

	for (unsigned int i = 0; i < n; i++)
		ratio[i] = on[i] / off[i];
	middle = median(ratio, n);
	printf("%s a second of %s: without %.0f, with %.0f; ratio %.4f (%.4f..%.4f) >= %s\n", what, by, median(off, n),
	       median(on, n), middle, ratio[0], ratio[n - 1], bar);
}

#endif
