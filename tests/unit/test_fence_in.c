// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_in.c - who may not come in, by client, by port, by both; and everybody else may. */
#include "fenced.h"
#include "kernel/diag.h"

#include <linux/sock_diag.h>

static void test_families(void **state)
{
	int v4 = listener("127.0.0.1", 0, 5), v6 = listener("::1", 0, 5), dual = listener("::", 0, 5);

	(void)state;
	add_v6("2001:db8::2");
	add_v6("2001:db8:1::2");
	STAND(inbound(1, "127.0.0.2", 0), inbound(2, "2001:db8::/64", 0));
	assert_int_equal(knock_at(v4, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "::ffff:127.0.0.2", "::ffff:127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(v4, "::ffff:127.0.0.2", "::ffff:127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 4);
	assert_int_equal(knock_at(v6, "2001:db8::2", "::1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "2001:db8::2", "::1"), -ECONNREFUSED);
	assert_int_equal(count_of(2), 2);
	assert_int_equal(knock_at(v4, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "::ffff:127.0.0.3", "::ffff:127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "2001:db8:1::2", "::1"), 0);
	assert_int_equal(knock_at(v6, "::1", "::1"), 0);
	STAND();
	assert_int_equal(knock_at(v4, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(knock_at(v6, "2001:db8::2", "::1"), 0);
	close(v4);
	close(v6);
	close(dual);
}

/* A v4-mapped prefix is one of IPv4, and ::/0 has no part in it. */
static void test_mapped(void **state)
{
	struct fence raw = inbound(1, NULL, 0);
	int dual = listener("::", 0, 5);

	(void)state;
	raw.remote =
		(struct prefix){ .addr = { .family = AF_INET6, .b = { [10] = 0xff, 0xff, 127, 0, 0, 2 } }, .len = 128 };
	stand(&raw, 1);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "127.0.0.3", "127.0.0.1"), 0);
	STAND(inbound(4, "::/0", 0));
	assert_int_equal(knock_at(dual, "::1", "::1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), 0);
	STAND(inbound(2, "0.0.0.0/0", 0));
	assert_int_equal(knock_at(dual, "::1", "::1"), 0);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	STAND(inbound(3, NULL, 0));
	assert_int_equal(knock_at(dual, "::1", "::1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	close(dual);
}

static void wait_until(uint64_t when)
{
	while (now() < when)
		poll(NULL, 0, 5);
}

/* Those that expire uncover the others, and the counts say whose turn it was. */
static void test_longest_and_expired(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.0/8", 0), inbound(2, "127.0.2.0/24", 0), inbound(3, "127.0.2.2", 0),
			     inbound(4, "127.0.2.2", 0) };
	int l = listener("127.0.0.1", 0, 5);
	uint64_t soon = now() + deadline_ms() * (SECOND / 5000);

	(void)state;
	v[1].until = now() - 1;
	v[2].until = soon;
	v[3].until = soon - 1;
	stand(v, 4);
	assert_int_equal(knock_at(l, "127.0.2.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.2.3", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.9.9.9", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(3), 1); /* stands longer than 4 */
	assert_int_equal(count_of(1), 2);
	assert_int_equal(count_of(2) + count_of(4), 0);
	wait_until(soon);
	assert_int_equal(knock_at(l, "127.0.2.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 3);
	stand(v + 1, 3);
	assert_int_equal(knock_at(l, "127.0.2.2", "127.0.0.1"), 0);
	v[3].until = FENCE_FOR_EVER;
	stand(v + 1, 3);
	assert_int_equal(knock_at(l, "127.0.2.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(4), 1);
	stand(v + 1, 2);
	assert_int_equal(knock_at(l, "127.0.2.2", "127.0.0.1"), 0);
	close(l);
}

/* A fence that has ended leaves what a wider one covers to that, to the bit. */
static void test_covered(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.0/12", 0), inbound(2, "127.15.0.2", 0), inbound(3, "127.16.0.2", 0) };
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	v[1].until = v[2].until = now() - 1;
	stand(v, 3);
	assert_int_equal(knock_at(l, "127.15.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 1);
	assert_int_equal(knock_at(l, "127.16.0.2", "127.0.0.1"), 0);
	close(l);
}

static void test_ports(void **state)
{
	int a = listener("127.0.0.1", 0, 5), b = listener("127.0.0.1", 0, 5), u = udp_server("127.0.0.1");
	struct fence udp_only = inbound(3, "127.0.0.0/8", 0);

	(void)state;
	STAND(inbound(1, "127.0.0.2", port_of(a)), inbound(2, NULL, port_of(b)));
	assert_int_equal(knock_at(a, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(a, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(knock_at(b, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(b, "127.0.0.3", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_knock(u, "127.0.0.2", "127.0.0.1"), 0);
	udp_only.protocol = IPPROTO_UDP;
	stand(&udp_only, 1);
	assert_int_equal(knock_at(a, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(udp_knock(u, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	udp_only.port = port_of(u) + 1;
	udp_only.id = 4;
	stand(&udp_only, 1);
	assert_int_equal(udp_knock(u, "127.0.0.2", "127.0.0.1"), 0);
	close(a);
	close(b);
	close(u);
}

/* One is attached, then both. */
static void test_two_namespaces(void **state)
{
	_close_ int home = must(netns_own(), "netns_own"), away = -1;
	int l = listener("127.0.0.1", 0, 5), other;
	uint32_t inode;

	(void)state;
	STAND(inbound(1, "127.0.0.2", 0));
	must(own_net(), "own_net");
	away = must(netns_own(), "netns_own");
	must(netns_inode_of_fd(away, &inode), "inode");
	other = listener("127.0.0.1", port_of(l), 5);
	assert_false(fence_attached(f, inode));
	assert_int_equal(knock_at(other, "127.0.0.2", "127.0.0.1"), 0);
	attach_here(f);
	attach_here(f);
	assert_true(fence_attached(f, inode));
	assert_int_equal(knock_at(other, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(other, "127.0.0.3", "127.0.0.1"), 0);
	close(other);
	must(setns(home, CLONE_NEWNET), "setns");
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), 0);
	close(l);
	assert_int_equal(fence_prune(f), 0);
	close(take_fd(&away));
	for (long ms = 0, n = 0; !n; ms++) { /* the kernel takes its time to end a namespace */
		n = must(fence_prune(f), "prune");
		assert_true(ms < deadline_ms());
		poll(NULL, 0, 1);
	}
	assert_false(fence_attached(f, inode));
	assert_int_equal(f->n_doors, 1);
}

/* The same addresses and port in both: it is named, and attached before or after the fence. */
static void test_named_namespace(void **state)
{
	_close_ int home = must(netns_own(), "netns_own"), away = -1;
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.4", 0), inbound(3, NULL, 0) };
	int l = listener("127.0.0.1", 0, 5), other;

	(void)state;
	for (int before = 0; before < 2; before++) {
		stand(NULL, 0);
		must(own_net(), "own_net");
		away = must(netns_own(), "netns_own");
		must(netns_inode_of_fd(away, &v[0].netns), "inode");
		v[2].netns = v[0].netns;
		v[2].port = port_of(l) + 1;
		other = listener("127.0.0.1", port_of(l), 5);
		if (before)
			attach_here(f);
		stand(v, 3);
		if (!before)
			attach_here(f);
		assert_int_equal(knock_at(other, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(knock_at(other, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(knock_at(other, "127.0.0.3", "127.0.0.1"), 0);
		must(setns(home, CLONE_NEWNET), "setns");
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
		assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(count_of(1), 1);
		assert_int_equal(count_of(2), 2);
		assert_int_equal(count_of(3), 0);
		must(setns(away, CLONE_NEWNET), "setns");
		stand(v + 1, 1);
		assert_int_equal(knock_at(other, "127.0.0.2", "127.0.0.1"), 0);
		assert_int_equal(knock_at(other, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		must(setns(home, CLONE_NEWNET), "setns");
		close(other);
		close(take_fd(&away));
	}
	close(l);
}

static void test_reuseport(void **state)
{
	struct end at = end_of("127.0.0.1", 0);
	struct pollfd p[4];
	int one = 1;

	(void)state;
	for (int i = 0; i < 4; i++) {
		p[i] = (struct pollfd){ .fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), .events = POLLIN };
		must(setsockopt(p[i].fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), "SO_REUSEPORT");
		must(bind(p[i].fd, &at.sa, at.len), "bind");
		must(listen(p[i].fd, 64), "listen");
		at.v4.sin_port = htons(port_of(p[i].fd));
	}
	STAND(inbound(1, "127.0.0.2", 0));
	for (int i = 0; i < 64; i++) {
		const struct end in = end_of("127.0.0.3", 0), out = end_of("127.0.0.2", 0);
		int good = bound(&in, SOCK_STREAM), bad = bound(&out, SOCK_STREAM);

		assert_int_equal(connect(bad, &at.sa, at.len), -1);
		assert_int_equal(errno, ECONNREFUSED);
		must(connect(good, &at.sa, at.len), "connect");
		assert_int_equal(poll(p, 4, deadline_ms()), 1);
		for (int k = 0; k < 4; k++)
			if (p[k].revents)
				take_one(p[k].fd);
		close(good);
		close(bad);
	}
	assert_int_equal(count_of(1), 64);
	for (int i = 0; i < 4; i++)
		close(p[i].fd);
}

static void test_one_address(void **state)
{
	int five = listener("127.0.0.5", 0, 5), six = listener("127.0.0.6", port_of(five), 5);

	(void)state;
	STAND(inbound(1, "127.0.0.2", port_of(five)));
	assert_int_equal(knock_at(five, "127.0.0.2", "127.0.0.5"), -ECONNREFUSED);
	assert_int_equal(knock_at(six, "127.0.0.2", "127.0.0.6"), -ECONNREFUSED);
	assert_int_equal(knock_at(five, "127.0.0.3", "127.0.0.5"), 0);
	assert_int_equal(knock_at(six, "127.0.0.3", "127.0.0.6"), 0);
	close(five);
	close(six);
}

static void exchange(int a, int b)
{
	char c = 0;

	assert_int_equal(send(a, "x", 1, 0), 1);
	assert_int_equal(recv(b, &c, 1, 0), 1);
	assert_int_equal(send(b, "y", 1, 0), 1);
	assert_int_equal(recv(a, &c, 1, 0), 1);
	assert_int_equal(c, 'y');
}

/* What is established, what waits to be accepted, and a handshake that has begun go on: whoever wants them dead finds
 * them among the flows. */
static void test_begun_before(void **state)
{
	const struct end from = end_of("127.0.0.2", 0);
	int l = listener("127.0.0.1", 0, 5), a_minute = 60, waiting = bound(&from, SOCK_STREAM);
	struct pair standing = connected(l, "127.0.0.2", 0), late = { .out = bound(&from, SOCK_STREAM) };
	const struct end to = end_of("127.0.0.1", port_of(l));
	char c;

	(void)state;
	must(connect(waiting, &to.sa, to.len), "connect");
	must(setsockopt(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, &a_minute, sizeof(a_minute)), "TCP_DEFER_ACCEPT");
	must(connect(late.out, &to.sa, to.len), "connect"); /* a request, until data comes */
	STAND(inbound(1, "127.0.0.2", 0));
	assert_int_equal(fence_settle(), 0);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	exchange(standing.out, standing.in);
	take_one(l);
	assert_int_equal(send(late.out, "x", 1, 0), 1);
	late.in = must(accept(l, NULL, NULL), "accept");
	assert_int_equal(recv(late.in, &c, 1, 0), 1);
	exchange(late.out, late.in);
	assert_int_equal(count_of(1), 1);
	close(waiting);
	close(standing.in);
	close(standing.out);
	close(late.in);
	close(late.out);
	close(l);
}

/* sock_diag asks for each connection that is looked for and is no more who would get it. That is nobody who comes in. */
static void test_looked_for(void **state)
{
	int l = listener("127.0.0.1", 0, 5), nl = must(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "netlink");
	_Alignas(struct nlmsghdr) char ask[DIAG_FLOW_LEN], answer[512];
	struct flow gone = { .family = AF_INET, .proto = PROTO_TCP, .cookie = 1, .local_port = port_of(l), .remote_port = 9 };
	const struct nlmsghdr *h = (void *)answer;

	(void)state;
	gone.local = prefix("127.0.0.1").addr;
	gone.remote = prefix("127.0.0.2").addr;
	STAND(inbound(1, "127.0.0.2", 0));
	diag_flow_request(ask, SOCK_DIAG_BY_FAMILY, &gone);
	must(send(nl, ask, sizeof(ask), 0), "send");
	assert_true(recv(nl, answer, sizeof(answer), 0) >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)));
	assert_int_equal(h->nlmsg_type, NLMSG_ERROR);
	assert_int_equal(((const struct nlmsgerr *)NLMSG_DATA(h))->error, -ENOENT);
	assert_int_equal(count_of(1), 0);
	close(nl);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fence_test(test_families),  fence_test(test_mapped),	     fence_test(test_longest_and_expired),
		fence_test(test_ports),	    fence_test(test_two_namespaces), fence_test(test_named_namespace),
		fence_test(test_reuseport), fence_test(test_one_address),    fence_test(test_begun_before),
		fence_test(test_looked_for), fence_test(test_covered),
	};

	return fence_run("fence_in", tests, fence_setup, fence_teardown);
}
