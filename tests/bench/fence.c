// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence.c - what the programs of bpf/fence*.bpf.c cost those that are let pass. Root; nothing else should run.
 *
 *	fence [RUNS [CONNECTIONS]]	without the programs, and with 0, 100 and 10,000 fences near the client, in turn
 *
 * Of connect, accept, close on loopback: the medians of both, the median and spread of the ratios pair by pair. Of a
 * packet to an unconnected UDP server, on which the inbound program runs each time: nanoseconds, without and with. Then
 * what a run costs by the kernel's own statistics, and how long it takes to put up one of many fences. */
#include "../unit/fenced.h"
#include "bench.h"

#include <bpf/bpf.h>

enum { MOST = 10000 };

static struct fence near_by[MOST];

/* Half of them, or all, inbound from addresses that share the beginning with the client's; the others for users that do
 * not exist. */
static void invent(bool both)
{
	unsigned int seed = 11;

	for (int i = 0; i < MOST; i++) {
		struct fence *v = &near_by[i];

		*v = (struct fence){ .id = i + 1, .until = FENCE_FOR_EVER };
		if (both && i % 2) {
			v->kind = SEVER_FENCE_OUT_UID;
			v->subject = 3900000 + i;
			continue;
		}
		v->remote = (struct prefix){ .addr = { .family = AF_INET, .b = { 127 } }, .len = 32 };
		for (int k = 1; k < 4; k++)
			v->remote.addr.b[k] = rand_r(&seed);
		v->remote.addr.b[3] |= 2; /* not 127.0.0.1 */
	}
}

static void begin(size_t n)
{
	const struct fence_options o = { 0 };

	f = opened(&o);
	attach_here(f);
	stand(near_by, n);
}

static void end(void)
{
	fence_close(f);
	f = NULL;
	poll(NULL, 0, 20); /* the kernel takes its time to let go of the links */
}

/* Who goes first changes from pair to pair. measure: more is better. */
static void compare(const char *what, size_t fences, unsigned int runs, struct rate (*measure)(int fd, unsigned int n),
		    int fd, unsigned int n, const char *bar)
{
	_free_ double *v = calloc(5 * runs, sizeof(*v));

	for (unsigned int i = 0; i < runs; i++) {
		struct rate on = { 0 }, off = { 0 };

		for (unsigned int k = 0; k < 2; k++) {
			if ((i + k) % 2) {
				begin(fences);
				measure(fd, n / 10);
				on = measure(fd, n);
				end();
			} else {
				poll(NULL, 0, 20);
				measure(fd, n / 10);
				off = measure(fd, n);
			}
		}
		v[i] = off.wall;
		v[runs + i] = on.wall;
		v[2 * runs + i] = off.cpu;
		v[3 * runs + i] = on.cpu;
	}
	printf("%zu fences: ", fences);
	tell(what, "the clock", v, v + runs, v + 4 * runs, runs, bar);
	printf("%zu fences: ", fences);
	tell(what, "the CPU", v + 2 * runs, v + 3 * runs, v + 4 * runs, runs, bar);
	printf("%s, %zu fences: ns of the CPU each: without %.0f, with %.0f\n", what, fences,
	       1e9 / median(v + 2 * runs, runs), 1e9 / median(v + 3 * runs, runs));
}

static int udp_client;

/* Sent by a connected socket, so that only the server's side is looked at. */
static struct rate packets(int server, unsigned int n)
{
	double start = seconds_of(CLOCK_MONOTONIC), start_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	char c;

	for (unsigned int i = 0; i < n; i++) {
		must(send(udp_client, "x", 1, 0), "send");
		must(recv(server, &c, 1, 0), "recv");
	}
	return (struct rate){ n / (seconds_of(CLOCK_MONOTONIC) - start),
			      n / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start_cpu) };
}

enum { ROUNDS = 15, PROGS = FENCE_CONNECT4_LINK - FENCE_IN };

/* By the kernel's own statistics, which count their own look at the clock, twice, as well: what it is with no fence. */
static void per_run(size_t fences, int l, int server, unsigned int n)
{
	_close_ int stats = must(bpf_enable_stats(BPF_STATS_RUN_TIME), "BPF_ENABLE_STATS");
	double v[PROGS][ROUNDS];

	begin(fences);
	for (int k = 0; k < ROUNDS; k++) {
		struct bpf_prog_info before[PROGS] = { 0 }, after[PROGS] = { 0 };
		__u32 len = sizeof(*before);

		for (int i = 0; i < PROGS; i++)
			must(bpf_obj_get_info_by_fd(f->part[FENCE_IN + i], &before[i], &len), "info");
		storm(l, n / 10);
		packets(server, n / 10);
		for (int i = 0; i < PROGS; i++) {
			must(bpf_obj_get_info_by_fd(f->part[FENCE_IN + i], &after[i], &len), "info");
			v[i][k] = (double)(after[i].run_time_ns - before[i].run_time_ns) /
				  (after[i].run_cnt - before[i].run_cnt + 1e-9);
		}
	}
	printf("%zu fences, ns a run: fence_in %.0f, fence_connect4 %.0f\n", fences, median(v[0], ROUNDS),
	       median(v[1], ROUNDS));
	end();
}

/* From the call to the first who is refused. */
static double first_refusal(size_t others)
{
	int l = listener("127.0.0.1", 0, 5);
	double v[21];

	for (size_t i = 0; i < array_size(v); i++) {
		double start;

		stand(near_by + 1, others);
		assert_int_equal(knock_at(l, "127.255.255.1", "127.0.0.1"), 0);
		near_by[0] = inbound(1, "127.255.255.1", 0);
		start = seconds_of(CLOCK_MONOTONIC);
		stand(near_by, others + 1);
		assert_int_equal(knock_at(l, "127.255.255.1", "127.0.0.1"), -ECONNREFUSED);
		v[i] = seconds_of(CLOCK_MONOTONIC) - start;
	}
	close(l);
	return median(v, array_size(v)) * 1e3;
}

static void changes(void)
{
	double start, all, one, settle;
	int i;

	begin(0);
	start = seconds_of(CLOCK_MONOTONIC);
	stand(near_by, MOST);
	all = seconds_of(CLOCK_MONOTONIC) - start;
	start = seconds_of(CLOCK_MONOTONIC);
	for (i = 0; i < 20; i++)
		stand(near_by, MOST - i % 2);
	one = (seconds_of(CLOCK_MONOTONIC) - start) / i;
	start = seconds_of(CLOCK_MONOTONIC);
	for (i = 0; i < 20; i++)
		must(fence_settle(), "fence_settle");
	settle = (seconds_of(CLOCK_MONOTONIC) - start) / i;
	printf("%d fences put up: %.1f ms; one more or less: %.2f ms; fence_settle(): %.1f ms\n", MOST, all * 1e3,
	       one * 1e3, settle * 1e3);
	printf("from fence_replace() to the first refusal: %.2f ms, among %d others %.2f ms\n", first_refusal(0),
	       MOST - 1, first_refusal(MOST - 1));
	end();
}

int main(int argc, char **argv)
{
	unsigned int runs = argc > 1 ? atoi(argv[1]) : 9, n = argc > 2 ? atoi(argv[2]) : 20000;
	static const size_t many_fences[] = { 0, 100, MOST };
	struct end to = end_of("127.0.0.1", 0);
	int l, server;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() || own_net() < 0 || !can_fence())
		return fprintf(stderr, "fence: needs root and BPF\n"), 4;
	l = listener("127.0.0.1", 0, 5);
	server = udp_server("127.0.0.1");
	to.v4.sin_port = htons(port_of(server));
	udp_client = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(connect(udp_client, &to.sa, to.len), "connect");
	invent(false);
	for (size_t i = 0; i < array_size(many_fences); i++) {
		compare("connections", many_fences[i], runs, storm, l, n, "0.97");
		compare("packets of UDP", many_fences[i], runs, packets, server, 5 * n, "-");
		per_run(many_fences[i], l, server, n);
	}
	changes();
	invent(true);
	compare("connections, half of the fences outbound", MOST, runs, storm, l, n, "0.97");
	per_run(MOST, l, server, n);
	return 0;
}
