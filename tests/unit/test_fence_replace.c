// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_replace.c - one set of fences instead of another: what stands in both is never down, what cannot be
 * changes nothing, and hits are told in moderation. */
#include "fenced.h"

#include <bpf/bpf.h>

static void expect_wrong(const struct fence *v, size_t n, int error, const char *why)
{
	char err[ERR_LEN] = "";

	assert_int_equal(fence_replace(f, v, n, err), error);
	if (!strstr(err, why))
		fail_msg("%s", err);
}

static void test_impossible(void **state)
{
	struct fence good = inbound(1, "127.0.0.2", 0), v[2] = { inbound(2, NULL, 0), inbound(2, "127.0.0.3", 0) }, bad;
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	stand(&good, 1);
	expect_wrong(v, 2, -EINVAL, "twice");
	bad = inbound(0, NULL, 0);
	expect_wrong(&bad, 1, -EINVAL, "no id");
	bad = inbound(1, "127.0.0.3", 0);
	expect_wrong(&bad, 1, -EEXIST, "something else");
	bad = inbound(3, "127.0.0.2", 0);
	bad.remote.len = 24;
	expect_wrong(&bad, 1, -EINVAL, "behind its length");
	bad.remote.len = 33;
	expect_wrong(&bad, 1, -EINVAL, "behind its length");
	bad = inbound(3, NULL, 0);
	bad.protocol = IPPROTO_ICMP;
	expect_wrong(&bad, 1, -EINVAL, "TCP nor UDP");
	bad.protocol = 0;
	bad.kind = SEVER_FENCE_KINDS;
	expect_wrong(&bad, 1, -EINVAL, "kind");
	bad = outbound(3, SEVER_FENCE_OUT_LOGIN, SEVER_ID_UNSET);
	expect_wrong(&bad, 1, -EINVAL, "an id that is none");
	bad = outbound(3, SEVER_FENCE_OUT_CGROUP, 0);
	expect_wrong(&bad, 1, -EINVAL, "cgroup");
	bad = outbound(3, SEVER_FENCE_OUT, 1);
	expect_wrong(&bad, 1, -EINVAL, "subject");
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(count_of(1), 1);
	close(l);
}

static void test_too_many(void **state)
{
	const struct fence_options o = { .max_fences = 2 };
	const struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.3", 0), inbound(3, "127.0.0.4", 0),
				   inbound(4, "127.0.0.5", 0) };
	struct fences *own = opened(&o);
	struct fence_stats s;

	(void)state;
	assert_int_equal(fence_replace(own, v, 3, NULL), -E2BIG);
	assert_int_equal(fence_replace(own, v, 2, NULL), 0);
	assert_int_equal(fence_replace(own, v + 2, 2, NULL), 0); /* all others, while they are there */
	assert_int_equal(fence_replace(own, v + 2, 2, NULL), 0);
	assert_int_equal(fence_stats(own, 1, &s), -ENOENT);
	assert_int_equal(fence_stats(own, 4, &s), 0);
	assert_int_equal(s.count, 0);
	fence_close(own);
}

/* Somebody tries all the time, and meanwhile all that is around his fence comes and goes. */
static void test_never_down(void **state)
{
	const char *const around[] = { "127.0.0.0/8",  "127.0.2.0/24", "127.0.2.2", "127.0.2.0/30",
				       "127.0.0.0/16", "0.0.0.0/0",    "127.0.2.3", "127.0.3.0/24" };
	int l = listener("127.0.0.1", 0, 5), status, ready[2];
	unsigned int seed = 7;
	pid_t child;
	char c;

	(void)state;
	STAND(inbound(1, "127.0.2.0/25", 0));
	must(pipe(ready), "pipe");
	child = must(fork(), "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned int i = 0; i < many(20000); i++) {
			if (knock_at(l, "127.0.2.2", "127.0.0.1") != -ECONNREFUSED)
				_exit(1);
			if (i == 10)
				must(write(ready[1], "", 1), "write");
		}
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	for (uint64_t id = 2; !waitpid(child, &status, WNOHANG);) {
		struct fence v[1 + array_size(around)] = { inbound(1, "127.0.2.0/25", 0) };
		size_t n = 1;

		for (size_t i = 0; i < array_size(around); i++)
			if (rand_r(&seed) % 2) {
				v[n] = inbound(id++, around[i], 0);
				v[n++].until = now() + rand_r(&seed) % 2000000;
			}
		stand(v, n);
	}
	assert_int_equal(status, 0);
	assert_true(count_of(1) > 0);
	close(ready[0]);
	close(ready[1]);
	close(l);
}

static void test_counts_stay(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.0/8", 0) };
	int l = listener("127.0.0.1", 0, 5);
	uint64_t start = now();
	struct fence_stats s;

	(void)state;
	stand(v, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	v[0].until = now() + 60 * SECOND;
	stand(v, 1);
	assert_int_equal(count_of(1), 3);
	assert_int_equal(fence_stats(f, 2, &s), -ENOENT);
	assert_int_equal(fence_stats(f, 1, &s), 0);
	assert_true(s.last >= start && s.last <= now());
	assert_int_equal(s.local_port, port_of(l));
	assert_int_not_equal(s.remote_port, 0);
	assert_int_equal(s.remote.family, AF_INET);
	assert_memory_equal(s.remote.b, "\177\0\0\2", 4);
	stand(v, 2);
	assert_int_equal(count_of(1), 3);
	assert_int_equal(count_of(2), 0);
	close(l);
}

/* Each step fails in turn: what is in both stands, and the next try finds its way from wherever that was. */
static void test_half_way(void **state)
{
	static const int parts[] = { FENCE_TRIE, FENCE_LEAVERS, FENCE_COUNTS, FENCE_CONTROL };
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	for (size_t i = 0; i < array_size(parts); i++) {
		const struct fence before[] = { inbound(10 * i + 1, "127.0.0.2", 0),
						inbound(10 * i + 2, "127.0.0.4", 0),
						outbound(10 * i + 3, SEVER_FENCE_OUT_UID, own_uid(0)) };
		const struct fence after[] = { inbound(10 * i + 1, "127.0.0.2", 0), inbound(10 * i + 4, "127.0.0.5", 7),
					       outbound(10 * i + 5, SEVER_FENCE_OUT_UID, own_uid(1)) };
		int kept = f->part[parts[i]];
		struct fence_stats s;

		stand(before, 3);
		f->part[parts[i]] = -1;
		assert_int_equal(fence_replace(f, after, 3, NULL), -EBADF);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(fence_replace(f, after, 3, NULL), -EBADF);
		f->part[parts[i]] = kept;
		stand(after, 3);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), 0);
		assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
		assert_int_equal(udp_leaves(own_uid(1), 4567), -EPERM);
		assert_int_equal(count_of(10 * i + 1), 2);
		assert_int_equal(fence_stats(f, 10 * i + 2, &s), -ENOENT);
		assert_int_equal(f->slots.n, 3);
		assert_int_equal(f->leavers.n, 1);
		stand(NULL, 0);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_TRIE], NULL, &(struct sever_fence_key){ 0 }),
				 -ENOENT);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_LEAVERS], NULL, &(struct sever_fence_who){ 0 }),
				 -ENOENT);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_COUNTS], NULL, &(uint64_t){ 0 }), -ENOENT);
	}
	close(l);
}

static struct hits {
	struct sever_fence_hit v[4096];
	size_t n;
} hits;

static int keep(const struct sever_fence_hit *h, void *arg)
{
	(void)arg;
	assert_true(hits.n < array_size(hits.v));
	hits.v[hits.n++] = *h;
	return 0;
}

static void drained(void)
{
	must(fence_drain(f, SIZE_MAX, keep, NULL), "fence_drain");
}

/* What was told before counts no longer. */
static void next_second(void)
{
	uint64_t second = now() / SECOND;

	while (now() / SECOND == second)
		poll(NULL, 0, 1);
	drained();
	hits.n = 0;
}

/* A flood at one fence is one hit a second, with all of them in its count. */
static void test_one_a_second(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	unsigned int knocks = 0;
	uint64_t start, end;

	(void)state;
	next_second();
	STAND(inbound(1, "127.0.0.2", 0));
	start = now();
	end = start + 5 * SECOND / 2;
	for (; now() < end; knocks++)
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	drained();
	assert_int_equal(count_of(1), knocks);
	assert_int_equal(hits.n, 3);
	for (size_t i = 0; i < hits.n; i++) {
		assert_int_equal(hits.v[i].fence, 1);
		assert_true(!i || hits.v[i].time - hits.v[i - 1].time >= SECOND);
		assert_true(i ? hits.v[i].count > hits.v[i - 1].count : hits.v[i].count == 1);
	}
	assert_int_equal(hits.v[0].local_port, port_of(l));
	assert_int_equal(hits.v[0].pid, 0);
	assert_int_equal(hits.v[0].kind, SEVER_FENCE_IN);
	assert_int_equal(hits.v[0].login_uid, SEVER_ID_UNSET);
	close(l);
}

enum { CROWD = 1000, TOLD = 100 };

/* Many fences share 100 a second; a hit that was not told is made up for by the next. */
static void test_all_bounded(void **state)
{
	_free_ struct fence *v = calloc(CROWD, sizeof(*v));
	int l = listener("127.0.0.1", 0, 5);
	size_t in_second[64] = { 0 };
	uint64_t start, first;

	(void)state;
	next_second();
	for (int i = 0; i < CROWD; i++) {
		char text[32];

		snprintf(text, sizeof(text), "127.1.%d.%d", i / 250, 1 + i % 250);
		v[i] = inbound(i + 1, text, 0);
	}
	stand(v, CROWD);
	start = now();
	first = start / SECOND;
	while (now() < start + 2 * SECOND)
		for (int i = 0; i < CROWD; i++) {
			char text[32];

			snprintf(text, sizeof(text), "127.1.%d.%d", i / 250, 1 + i % 250);
			assert_int_equal(knock_at(l, text, "127.0.0.1"), -ECONNREFUSED);
		}
	drained();
	for (size_t i = 0; i < hits.n; i++) {
		assert_true(hits.v[i].time / SECOND - first < array_size(in_second));
		in_second[hits.v[i].time / SECOND - first]++;
	}
	assert_true(in_second[1] == TOLD); /* a whole one of them */
	for (size_t i = 0; i < array_size(in_second); i++)
		assert_true(in_second[i] <= TOLD);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fence_test(test_impossible),  fence_test(test_too_many), fence_test(test_never_down),
		fence_test(test_counts_stay), fence_test(test_half_way), fence_test(test_one_a_second),
		fence_test(test_all_bounded),
	};

	return fence_run("fence_replace", tests, fence_setup, fence_teardown);
}
