// SPDX-License-Identifier: LGPL-2.1-or-later
/* track.c - what the tags of bpf/track.bpf.c cost. Root; nothing else should run.
 *
 *	track [RUNS [CONNECTIONS]]	connect, accept, close on loopback, without and with the programs, in turn
 *
 * Prints both medians, the median and spread of the ratios pair by pair, nanoseconds a run of each program from the
 * kernel's own statistics, and bytes a flow as the kernel accounts them to a cgroup made for it. */
#include "../unit/tracked.h"

#include <bpf/bpf.h>
#include <sys/mount.h>
#include <sys/prctl.h>

enum { FLOWS = 100000 };

static double seconds_of(clockid_t clock)
{
	return clock_ns(clock) / 1e9;
}

struct rate {
	double wall, cpu; /* connections a second */
};

/* Each ends by a reset, so that no TIME_WAIT is left in the way of the next. Both ends are ours, and so is nearly all
 * that the kernel does for them: on a busy machine the CPU's time tells more than the clock. */
static struct rate storm(int l, unsigned int n)
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

static int ignore(const struct sever_event *e, void *arg)
{
	(void)e;
	++*(unsigned long *)arg;
	return 0;
}

/* As a daemon reads: by a timer. */
static pid_t reader(struct track *own)
{
	pid_t child = must(fork(), "fork");
	unsigned long n = 0;

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct pollfd p = { .fd = track_fd(own), .events = POLLIN };

		must(track_drain(own, SIZE_MAX, ignore, &n), "track_drain");
		poll(&p, 1, 50);
	}
}

static struct rate with_programs(int l, unsigned int n, struct track_losses *losses)
{
	const struct track_options o = { 0 };
	struct track *own = opened(&o);
	pid_t child = reader(own);
	struct rate rate = storm(l, n);

	must(track_losses(own, losses), "track_losses");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	track_close(own);
	return rate;
}

static int by_value(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void tell(const char *by, double *off, double *on, double *ratio, unsigned int n)
{
	double middle;

	for (unsigned int i = 0; i < n; i++)
		ratio[i] = on[i] / off[i];
	middle = median(ratio, n);
	printf("connections a second of %s: without %.0f, with %.0f; ratio %.4f (%.4f..%.4f) >= 0.95\n", by,
	       median(off, n), median(on, n), middle, ratio[0], ratio[n - 1]);
}

/* Who goes first changes from pair to pair. */
static void compare(int l, unsigned int runs, unsigned int n)
{
	_free_ double *v = calloc(5 * runs, sizeof(*v));
	struct track_losses losses = { 0 };

	storm(l, n);
	for (unsigned int i = 0; i < runs; i++) {
		struct rate on, off;

		if (i % 2)
			on = with_programs(l, n, &losses);
		off = storm(l, n);
		if (i % 2 == 0)
			on = with_programs(l, n, &losses);
		v[i] = off.wall;
		v[runs + i] = on.wall;
		v[2 * runs + i] = off.cpu;
		v[3 * runs + i] = on.cpu;
	}
	tell("the clock", v, v + runs, v + 4 * runs, runs);
	tell("the CPU", v + 2 * runs, v + 3 * runs, v + 4 * runs, runs);
	printf("the last run lost %lu events, %lu flows, %lu runs\n", (unsigned long)losses.events,
	       (unsigned long)losses.flows, (unsigned long)losses.runs);
}

static void per_run(int l, unsigned int n)
{
	const struct track_options o = { 0 };
	_close_ int stats = must(bpf_enable_stats(BPF_STATS_RUN_TIME), "BPF_ENABLE_STATS");
	struct track *own = opened(&o);
	pid_t child = reader(own);

	storm(l, n);
	for (int i = PART_STATE; i < PART_HOOKS; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		must(bpf_obj_get_info_by_fd(own->part[i], &info, &len), "info");
		if (info.run_cnt)
			printf("%s: %.0f ns a run, %.2f runs a connection\n", info.name,
			       (double)info.run_time_ns / info.run_cnt, (double)info.run_cnt / n);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	track_close(own);
}

static unsigned long long bytes_in(const char *dir)
{
	char path[128];
	unsigned long long n = 0;
	_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/memory.kmem.usage_in_bytes", dir);
	f = fopen(path, "re");
	if (!f) {
		snprintf(path, sizeof(path), "%s/memory.current", dir);
		f = fopen(path, "re");
	}
	return f && fscanf(f, "%llu", &n) == 1 ? n : 0;
}

/* Records of no socket cost what those of sockets do. */
static void memory(const char *dir)
{
	const struct track_options o = { 0 };
	struct sever_flow f = { .protocol = IPPROTO_TCP };
	unsigned long long none, empty, full;
	struct track *own;
	FILE *join;
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	mkdir(dir, 0755);
	join = fopen(path, "r+e");
	if (!join || fprintf(join, "0") < 0 || fclose(join))
		return;
	none = bytes_in(dir);
	if (!none)
		return;
	own = opened(&o);
	empty = bytes_in(dir);
	for (uint64_t i = 0; i < FLOWS; i++) {
		uint64_t cookie = 1ull << 61 | i;

		must(bpf_map_update_elem(own->part[PART_FLOWS], &cookie, &f, BPF_ANY), "update");
	}
	full = bytes_in(dir);
	printf("%d flows: %.0f bytes each, and %.0f KiB for programs, table and ring; without the ring %.0f bytes a "
	       "flow all told\n",
	       FLOWS, (double)(full - empty) / FLOWS, (empty - none) / 1024.0,
	       (double)(full - none - (4 << 20)) / FLOWS);
	track_close(own);
}

int main(int argc, char **argv)
{
	unsigned int runs = argc > 1 ? atoi(argv[1]) : 9, n = argc > 2 ? atoi(argv[2]) : 20000;
	char *const dirs[] = { "/sys/fs/cgroup/memory/sever-bench", "/sys/fs/cgroup/sever-bench" };
	int l;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() || own_net() < 0 || !can_track())
		return fprintf(stderr, "track: needs root and BPF\n"), 4;
	l = listener("127.0.0.1", 0, 5);
	compare(l, runs, n);
	per_run(l, n);
	for (size_t i = 0; i < array_size(dirs); i++) {
		pid_t child = must(fork(), "fork");

		if (!child)
			return memory(dirs[i]), 0;
		waitpid(child, NULL, 0);
		for (int ms = 0; ms < 5000 && rmdir(dirs[i]) < 0 && errno == EBUSY; ms++)
			poll(NULL, 0, 1);
	}
	return 0;
}
