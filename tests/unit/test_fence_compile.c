// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_compile.c - from what a person typed to what the kernel is told: each kind, each combination, what is refused;
 * and for a thousand random ones that the list matches a connection exactly if the selectors do. */
#include "daemon/fence_compile.h"
#include "pipeline/resolve.h"
#include "random.h"

#include <netinet/in.h>
#include <string.h>

#include "unit.h"

#define NUMBER 7
#define UNTIL 1234567

static struct fence_list list;
static unsigned int notes;
static struct fence_subjects subjects;
static char err[ERR_LEN];

struct typed {
	enum sel kind;
	const char *text;
};

static void filter_of(const struct typed *v, size_t n, struct filter *ret)
{
	struct selector s[32];
	const struct request req = { .selectors = s, .n_selectors = n, .verb = VERB_LIST };

	assert_true(n <= array_size(s));
	for (size_t i = 0; i < n; i++)
		if (selector_parse(v[i].kind, v[i].text, &s[i], err) < 0)
			fail_msg("%s", err);
	if (resolve(&req, ret, NULL, err) < 0)
		fail_msg("%s", err);
}

static int compile(const struct typed *v, size_t n)
{
	struct filter f = { 0 };
	int r;

	free(list.v);
	list = (struct fence_list){ 0 };
	notes = 0;
	*err = '\0';
	filter_of(v, n, &f);
	r = fence_compile(&f, &subjects, NUMBER, UNTIL, &list, &notes, err);
	filter_clear(&f);
	return r;
}
#define COMPILE(...)                                               \
	({                                                         \
		const struct typed v_[] = { __VA_ARGS__ };         \
		compile(v_, array_size(v_));                       \
	})
#define GIVES(n_, ...)                                             \
	do {                                                       \
		int r_ = COMPILE(__VA_ARGS__);                     \
		if (r_ < 0)                                        \
			fail_msg("%d: %s", r_, err);               \
		assert_int_equal(list.n, n_);                      \
		check_ids();                                       \
	} while (0)
#define REFUSED(r, word, ...)                                      \
	do {                                                       \
		assert_int_equal(COMPILE(__VA_ARGS__), r);         \
		if (!strstr(err, word))                            \
			fail_msg("%s is not in: %s", word, err);   \
	} while (0)

static void check_ids(void)
{
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(list.v[i].id, (uint64_t)NUMBER << FENCE_ID_BITS | (i + 1));
		assert_int_equal(list.v[i].until, UNTIL);
	}
}

/* Whether there is one, and just one, like that. remote: NULL any. */
static bool there(enum sever_fence_kind kind, uint64_t subject, const char *remote, uint16_t port, uint8_t protocol, uint32_t netns)
{
	struct prefix p = { 0 };
	size_t n = 0;

	if (remote)
		assert_int_equal(prefix_parse(remote, &p, err), 0);
	for (size_t i = 0; i < list.n; i++) {
		const struct fence *f = &list.v[i];

		n += f->kind == kind && f->subject == subject && addr_equal(&f->remote.addr, &p.addr) && f->remote.len == p.len &&
		     f->port == port && f->protocol == protocol && f->netns == netns;
	}
	return n == 1;
}

static void test_clients(void **state)
{
	(void)state;
	GIVES(1, { SEL_CLIENT, "10.0.0.0/8" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.0/8", 0, 0, 0));
	assert_int_equal(notes, 0);
	GIVES(1, { SEL_CLIENT, "::ffff:10.0.0.1" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", 0, 0, 0));
	GIVES(1, { SEL_CLIENT, "0.0.0.0/0" });
	assert_true(there(SEVER_FENCE_IN, 0, "0.0.0.0/0", 0, 0, 0));
	GIVES(1, { SEL_LOCAL_PORT, "22" });
	assert_true(there(SEVER_FENCE_IN, 0, NULL, 22, 0, 0));
	GIVES(12, { SEL_CLIENT, "10.0.0.1" }, { SEL_CLIENT, "fd00::/64" }, { SEL_LOCAL_PORT, "80-82" }, { SEL_PROTO, "tcp" },
	      { SEL_NETNS, "5" }, { SEL_NETNS, "6" });
	for (uint16_t port = 80; port <= 82; port++)
		for (uint32_t netns = 5; netns <= 6; netns++) {
			assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", port, IPPROTO_TCP, netns));
			assert_true(there(SEVER_FENCE_IN, 0, "fd00::/64", port, IPPROTO_TCP, netns));
		}
	GIVES(1, { SEL_CLIENT, "10.0.0.1" }, { SEL_PROTO, "udp" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", 0, IPPROTO_UDP, 0));
	GIVES(1, { SEL_CLIENT, "10.0.0.1" }, { SEL_PROTO, "udp" }, { SEL_PROTO, "tcp" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", 0, 0, 0));
}

static void test_peers(void **state)
{
	(void)state;
	GIVES(2, { SEL_PEER, "10.0.0.1" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", 0, 0, 0) && there(SEVER_FENCE_OUT, 0, "10.0.0.1", 0, 0, 0));
	GIVES(1, { SEL_PEER, "10.0.0.1" }, { SEL_LOCAL_PORT, "22" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.1", 22, 0, 0));
	assert_int_equal(notes, FENCE_NOTE_NO_OUT);
	GIVES(1, { SEL_PEER, "10.0.0.1" }, { SEL_REMOTE_PORT, "25" });
	assert_true(there(SEVER_FENCE_OUT, 0, "10.0.0.1", 25, 0, 0));
	GIVES(1, { SEL_REMOTE_PORT, "25" });
	assert_true(there(SEVER_FENCE_OUT, 0, NULL, 25, 0, 0));
	GIVES(2, { SEL_CLIENT, "10.0.0.0/8" }, { SEL_CLIENT, "192.0.2.1" }, { SEL_PEER, "10.1.0.0/16" }, { SEL_PEER, "192.0.2.0/24" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.1.0.0/16", 0, 0, 0) && there(SEVER_FENCE_IN, 0, "192.0.2.1", 0, 0, 0));
	GIVES(1, { SEL_CLIENT, "10.0.0.0/8" }, { SEL_PEER, "10.0.0.0/8" });
	assert_true(there(SEVER_FENCE_IN, 0, "10.0.0.0/8", 0, 0, 0));
	GIVES(2, { SEL_ALL, NULL });
	assert_true(there(SEVER_FENCE_IN, 0, NULL, 0, 0, 0) && there(SEVER_FENCE_OUT, 0, NULL, 0, 0, 0));
	GIVES(2, { SEL_NETNS, "9" });
	assert_true(there(SEVER_FENCE_IN, 0, NULL, 0, 0, 9) && there(SEVER_FENCE_OUT, 0, NULL, 0, 0, 9));
}

static void test_people(void **state)
{
	uint64_t audit = 3, cgroups[] = { 100, 200 };

	(void)state;
	GIVES(2, { SEL_USER, "uid:1001" });
	assert_true(there(SEVER_FENCE_OUT_LOGIN, 1001, NULL, 0, 0, 0) && there(SEVER_FENCE_OUT_UID, 1001, NULL, 0, 0, 0));
	assert_int_equal(notes, FENCE_NOTE_LATE);
	GIVES(4, { SEL_USER, "uid:1001" }, { SEL_USER, "uid:1002" }, { SEL_CLIENT, "10.0.0.1" });
	assert_true(there(SEVER_FENCE_OUT_LOGIN, 1002, "10.0.0.1", 0, 0, 0) && there(SEVER_FENCE_OUT_UID, 1001, "10.0.0.1", 0, 0, 0));
	GIVES(2, { SEL_USER, "uid:0" }, { SEL_PEER, "10.0.0.1" }, { SEL_REMOTE_PORT, "443" }, { SEL_PROTO, "tcp" });
	assert_true(there(SEVER_FENCE_OUT_LOGIN, 0, "10.0.0.1", 443, IPPROTO_TCP, 0));
	GIVES(0, { SEL_USER, "uid:1001" }, { SEL_LOCAL_PORT, "22" });
	assert_int_equal(notes, FENCE_NOTE_LATE | FENCE_NOTE_NO_OUT);
	subjects = (struct fence_subjects){ .sessions = { &audit, 1, 1 }, .cgroups = { cgroups, 2, 2 } };
	GIVES(3, { SEL_SESSION, "3" });
	assert_true(there(SEVER_FENCE_OUT_SESSION, 3, NULL, 0, 0, 0) && there(SEVER_FENCE_OUT_CGROUP, 100, NULL, 0, 0, 0) &&
		    there(SEVER_FENCE_OUT_CGROUP, 200, NULL, 0, 0, 0));
	subjects = (struct fence_subjects){ 0 };
}

static void test_refused(void **state)
{
	(void)state;
	REFUSED(-EINVAL, "--pid", { SEL_CLIENT, "10.0.0.1" }, { SEL_PID, "1" });
	REFUSED(-EINVAL, "--flow", { SEL_FLOW, "1@1" });
	REFUSED(-EINVAL, "--state", { SEL_CLIENT, "10.0.0.1" }, { SEL_STATE, "established" });
	REFUSED(-EINVAL, "--older-than", { SEL_CLIENT, "10.0.0.1" }, { SEL_OLDER_THAN, "5s" });
	REFUSED(-EINVAL, "--session", { SEL_USER, "uid:1" }, { SEL_SESSION, "3" });
	REFUSED(-EINVAL, "--remote-port", { SEL_CLIENT, "10.0.0.1" }, { SEL_REMOTE_PORT, "25" });
	REFUSED(-EINVAL, "--local-port", { SEL_LOCAL_PORT, "25" }, { SEL_REMOTE_PORT, "25" });
	REFUSED(-EINVAL, "--local-port", { SEL_USER, "uid:1" }, { SEL_LOCAL_PORT, "25" }, { SEL_REMOTE_PORT, "25" });
	REFUSED(-EINVAL, "mptcp", { SEL_CLIENT, "10.0.0.1" }, { SEL_PROTO, "mptcp" });
	REFUSED(-EINVAL, "%eth0", { SEL_CLIENT, "fe80::1%eth0" });
	REFUSED(-EINVAL, "--peer", { SEL_CLIENT, "10.0.0.1" }, { SEL_PEER, "10.0.0.2" });
	REFUSED(-E2BIG, "--local-port", { SEL_LOCAL_PORT, "1-65" });
	REFUSED(-E2BIG, "--remote-port", { SEL_REMOTE_PORT, "1-64" }, { SEL_REMOTE_PORT, "65535" });
	GIVES(64, { SEL_LOCAL_PORT, "65472-65535" });
	REFUSED(-E2BIG, "4096", { SEL_LOCAL_PORT, "1-64" }, { SEL_CLIENT, "10.0.0.0" }, { SEL_CLIENT, "10.0.0.1" },
		{ SEL_CLIENT, "10.0.0.2" }, { SEL_CLIENT, "10.0.0.3" }, { SEL_CLIENT, "10.0.0.4" }, { SEL_CLIENT, "10.0.0.5" },
		{ SEL_CLIENT, "10.0.0.6" }, { SEL_CLIENT, "10.0.0.7" }, { SEL_CLIENT, "10.0.0.8" }, { SEL_NETNS, "1" },
		{ SEL_NETNS, "2" }, { SEL_NETNS, "3" }, { SEL_NETNS, "4" }, { SEL_NETNS, "5" }, { SEL_NETNS, "6" }, { SEL_NETNS, "7" },
		{ SEL_NETNS, "8" });
}

/* ---- against the selectors themselves ---- */

static const char *const addrs[] = { "10.0.0.1", "10.0.0.2", "10.0.0.0/30", "10.0.0.0/8", "fd00::1", "fd00::/16", "192.0.2.1" };
static const char *const hosts[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.9.0.1", "fd00::1", "fd00::2", "192.0.2.1", "192.0.2.2" };
static const char *const ports[] = { "22", "80-82", "81" };
static const char *const inodes[] = { "5", "6" };
static const char *const protos[] = { "tcp", "udp" };

static size_t draw(struct typed *v)
{
	static const struct {
		enum sel kind;
		const char *const *words;
		size_t n;
	} from[] = {
		{ SEL_CLIENT, addrs, array_size(addrs) },   { SEL_PEER, addrs, array_size(addrs) },
		{ SEL_LOCAL_PORT, ports, array_size(ports) }, { SEL_REMOTE_PORT, ports, array_size(ports) },
		{ SEL_NETNS, inodes, array_size(inodes) },    { SEL_PROTO, protos, array_size(protos) },
	};
	size_t n = 1 + any(5);

	for (size_t i = 0; i < n; i++) {
		size_t k = any(array_size(from));

		v[i] = (struct typed){ from[k].kind, from[k].words[any(from[k].n)] };
	}
	return n;
}

static struct flow draw_flow(void)
{
	struct prefix remote;
	struct flow f = { .state = STATE_ESTABLISHED, .direction = any(2) ? DIR_IN : DIR_OUT };

	assert_int_equal(prefix_parse(hosts[any(array_size(hosts))], &remote, err), 0);
	f.remote = remote.addr;
	f.netns = 5 + any(3);
	f.proto = any(2) ? PROTO_TCP : PROTO_UDP;
	/* Of the two the server's port is one that is spoken of. */
	f.local_port = f.direction == DIR_IN ? 79 + any(4) : 50000;
	f.remote_port = f.direction == DIR_OUT ? 79 + any(4) : 50000;
	return f;
}

static bool refuses(const struct flow *f)
{
	for (size_t i = 0; i < list.n; i++) {
		const struct fence *one = &list.v[i];
		bool in = one->kind == SEVER_FENCE_IN;

		if (in == (f->direction == DIR_IN) && (!one->remote.addr.family || prefix_match(&one->remote, 0, &f->remote)) &&
		    (!one->port || one->port == (in ? f->local_port : f->remote_port)) &&
		    (!one->protocol || (one->protocol == IPPROTO_TCP) == (f->proto == PROTO_TCP)) &&
		    (!one->netns || one->netns == f->netns))
			return true;
	}
	return false;
}

static void test_oracle(void **state)
{
	struct typed v[8];
	size_t hits = 0;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		size_t n = draw(v);
		struct filter f = { 0 };

		if (compile(v, n) < 0)
			continue;
		filter_of(v, n, &f);
		for (int i = 0; i < 50; i++) {
			struct flow flow = draw_flow();
			bool wanted = filter_match_socket(&f, NULL, &flow) == MATCH_YES;

			assert_int_equal(refuses(&flow), wanted);
			hits += wanted;
		}
		filter_clear(&f);
	}
	assert_true(hits > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients), cmocka_unit_test(test_peers),  cmocka_unit_test(test_people),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_oracle),
	};

	return unit_run("fence_compile", tests, NULL);
}
