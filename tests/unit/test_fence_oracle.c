// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_oracle.c - random fences and flows from so small a world that they meet often: what the programs refuse,
 * and which fence they say it was, is what the definition below says, which knows no trie. The same each run. */
#include "fence_definition.h"
#include "leaver.h"

enum { SETS = 1000, FLOWS = 4, MOST = 14, SERVERS = 3 };

static unsigned int seed = 5;

static uint32_t any(uint32_t n)
{
	return rand_r(&seed) % n;
}

static const char *const v4_world[] = { "127.0.0.2", "127.0.0.3", "127.0.1.2", "127.1.0.2", "127.4.0.2", "127.128.0.2", "127.0.0.18" };
static const char *const v6_world[] = { "2001:db8::2", "2001:db8::3", "2001:db8:0:1::2", "2001:db8:20::2", "2001:db9::2" };

static int tcp[SERVERS], udp[SERVERS];
static uint16_t ports[SERVERS];
static struct leaver people[3]; /* the last one is nobody's aim */
static uint64_t cgroups[3][2];	/* of each: its own, and the one above */
static char above_path[PATH_MAX], paths[2][PATH_MAX];

struct attempt {
	int who, server;
	enum way way;
	const char *from, *to;
};

static uint64_t decide_as(const struct fence *v, size_t n, struct seen s, uint8_t kind, uint64_t subject, uint64_t at)
{
	s.kind = kind;
	s.subject = subject;
	return decide(v, n, &s, at);
}

static uint64_t decide_out(const struct fence *v, size_t n, const struct attempt *a, uint64_t at)
{
	const struct leaver *l = &people[a->who];
	struct seen s = { .port = ports[a->server], .protocol = a->way == WAY_UDP ? IPPROTO_UDP : IPPROTO_TCP };
	uint64_t id;

	set_addr(&s, a->to);
	id = decide_as(v, n, s, SEVER_FENCE_OUT_LOGIN, l->login, at);
	id = id ?: decide_as(v, n, s, SEVER_FENCE_OUT_UID, l->uid, at);
	id = id ?: decide_as(v, n, s, SEVER_FENCE_OUT_SESSION, l->session, at);
	for (int i = 0; i < 2; i++)
		id = id ?: decide_as(v, n, s, SEVER_FENCE_OUT_CGROUP, cgroups[a->who][i], at);
	return id ?: decide_as(v, n, s, SEVER_FENCE_OUT, 0, at);
}

static uint64_t decide_in(const struct fence *v, size_t n, const struct attempt *a, uint64_t at)
{
	struct seen s = { .port = ports[a->server], .protocol = a->way == WAY_UDP ? IPPROTO_UDP : IPPROTO_TCP };

	set_addr(&s, a->from);
	return decide_as(v, n, s, SEVER_FENCE_IN, 0, at);
}

/* --- the world --------------------------------------------------------------------------------- */

/* Where the addresses of the world part, and one bit further. */
static const uint8_t v4_parts[] = { 8, 9, 13, 14, 15, 16, 23, 24, 27, 28, 31, 32 };
static const uint8_t v6_parts[] = { 31, 32, 42, 43, 63, 64, 127, 128 };

static struct prefix any_prefix(void)
{
	struct prefix p = prefix(any(2) ? v4_world[any(array_size(v4_world))] : v6_world[any(array_size(v6_world))]);
	int bits = p.addr.family == AF_INET ? 32 : 128;

	p.len = !any(4) ? any(bits + 1) : bits == 32 ? v4_parts[any(array_size(v4_parts))] : v6_parts[any(array_size(v6_parts))];
	for (int i = p.len; i < bits; i++)
		p.addr.b[i / 8] &= ~(0x80 >> i % 8);
	return any(6) ? p : (struct prefix){ 0 };
}

static struct fence any_fence(uint64_t id)
{
	struct fence v = {
		.id = id,
		.until = any(3) ? now() + 3600 * SECOND + any(4) :
			 any(2) ? FENCE_FOR_EVER :
				  now() - any(4),
		.kind = any(2) ? SEVER_FENCE_IN : any(SEVER_FENCE_KINDS),
		.port = any(3) ? 0 : ports[any(SERVERS)],
		.protocol = any(3) ? 0 :
			    any(2) ? IPPROTO_TCP :
				     IPPROTO_UDP,
		.remote = any_prefix(),
	};
	int who = any(2);

	if (v.kind == SEVER_FENCE_OUT_LOGIN)
		v.subject = people[who].login;
	else if (v.kind == SEVER_FENCE_OUT_UID)
		v.subject = people[who].uid;
	else if (v.kind == SEVER_FENCE_OUT_SESSION)
		v.subject = people[who].session;
	else if (v.kind == SEVER_FENCE_OUT_CGROUP)
		v.subject = cgroups[who][any(2)];
	if (v.kind == SEVER_FENCE_OUT)
		v.netns = own_netns; /* others live on this host, too */
	else
		v.netns = any(3) ? 0 : own_netns + any(2);
	return v;
}

static struct attempt any_attempt(void)
{
	struct attempt a = { .who = any(array_size(people)),
			     .server = any(SERVERS),
			     .way = any(2) ? WAY_UDP : WAY_TCP_STAYS };
	bool six = any(2);

	a.from = six ? v6_world[any(array_size(v6_world))] : v4_world[any(array_size(v4_world))];
	a.to = six ? v6_world[any(array_size(v6_world))] : v4_world[any(array_size(v4_world))];
	return a;
}

static uint64_t sum(const struct fence *v, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += count_of(v[i].id);
	return total;
}

static bool comes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, deadline_ms()) == 1;
}

/* As the definition has it, in all that can be seen of it. */
static void check(const struct fence *v, size_t n, const struct attempt *a, uint64_t tally[3])
{
	uint64_t out = decide_out(v, n, a, now()), in = out ? 0 : decide_in(v, n, a, now()), id = out ?: in,
		 total = sum(v, n), before = id ? count_of(id) : 0;
	int r = leaves(&people[a->who], a->way, a->from, a->to, ports[a->server]);
	char c;

	tally[out ? 0 : in ? 1 : 2]++;
	if (r != (out ? -EPERM : in && a->way == WAY_TCP_STAYS ? -ECONNREFUSED : 0))
		fail_msg("%d by %llu out, %llu in", r, (unsigned long long)out, (unsigned long long)in);
	if (!id && a->way == WAY_TCP_STAYS) {
		take_one(tcp[a->server]);
	} else if (!id) {
		assert_true(comes(udp[a->server]));
		assert_int_equal(recv(udp[a->server], &c, 1, MSG_DONTWAIT), 1);
	} else if (in && a->way == WAY_UDP) {
		for (long ms = 0; count_of(id) == before && ms < deadline_ms(); ms++)
			poll(NULL, 0, 1);
		assert_true(count_of(id) > before);
		assert_int_equal(recv(udp[a->server], &c, 1, MSG_DONTWAIT), -1);
		/* What ICMP says to the sender counts as well, if that is fenced, and may come when all else is done. */
		do {
			total = sum(v, n);
			poll(NULL, 0, deadline_ms() / 5000);
		} while (sum(v, n) != total);
		return;
	} else {
		assert_int_equal(count_of(id), before + 1);
	}
	assert_int_equal(sum(v, n), total + !!id);
}

static void test_oracle(void **state)
{
	uint64_t id = 1, tally[3] = { 0 }, kept = 0;
	struct fence v[2 * MOST];

	(void)state;
	for (unsigned int i = 0; i < many(SETS); i++) {
		size_t n = kept;

		for (uint32_t k = 1 + any(MOST); k; k--)
			v[n++] = any_fence(id++);
		stand(v, n);
		for (int k = 0; k < FLOWS; k++) {
			struct attempt a = any_attempt();

			check(v, n, &a, tally);
		}
		kept = any(2) ? 0 : any(n < MOST ? n : MOST); /* some of them go on standing */
	}
	printf("# refused %llu out, %llu in; let pass %llu\n", (unsigned long long)tally[0],
	       (unsigned long long)tally[1], (unsigned long long)tally[2]);
	for (int i = 0; i < 3; i++)
		assert_true(tally[i] > many(SETS) / 4);
}

/* One port for both protocols. */
static void open_server(int i)
{
	for (udp[i] = -1; udp[i] < 0;) {
		struct end e = end_of("::", 0);

		tcp[i] = listener("::", 0, 16);
		e.v6.sin6_port = htons(port_of(tcp[i]));
		udp[i] = must(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
		if (bind(udp[i], &e.sa, e.len) < 0) {
			close(take_fd(&udp[i]));
			close(tcp[i]);
		}
	}
	ports[i] = port_of(tcp[i]);
}

static int setup(void **state)
{
	struct stat st;
	uint64_t above;

	if (fence_setup(state) < 0 || stat("/proc/self/ns/net", &st) < 0)
		return -1;
	own_netns = st.st_ino;
	for (size_t i = 0; i < array_size(v6_world); i++)
		add_v6(v6_world[i]);
	for (int i = 0; i < SERVERS; i++)
		open_server(i);
	above = new_cgroup(NULL, "sever-oracle", above_path);
	for (int i = 0; i < 2; i++) {
		cgroups[i][0] = new_cgroup(above_path, i ? "b" : "a", paths[i]);
		cgroups[i][1] = above;
		people[i] = (struct leaver){ .uid = own_uid(i),
					     .login = own_uid(2 + i),
					     .cgroup = paths[i] };
	}
	for (size_t i = 0; i < array_size(people); i++)
		leaver_start(&people[i]);
	return 0;
}

static int teardown(void **state)
{
	all_gone(state);
	return fence_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_oracle) };

	return leaver_run("fence_oracle", tests, setup, teardown);
}
