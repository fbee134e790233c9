// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_ways.c - the less usual ways in: SYN cookies, TCP Fast Open, MPTCP, UDP; and who only looks. */
#include "fenced.h"
#include "kernel/sockets.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* A number of a counter of /proc/net/netstat. */
static unsigned long counter(const char *name)
{
	_fclose_ FILE *file = fopen("/proc/self/net/netstat", "re");
	_free_ char *names = NULL, *values = NULL;
	size_t names_cap = 0, values_cap = 0;

	while (file && getline(&names, &names_cap, file) > 0 && getline(&values, &values_cap, file) > 0) {
		char *in_names = NULL, *in_values = NULL, *n = strtok_r(names, " \n", &in_names),
		     *v = strtok_r(values, " \n", &in_values);

		for (; n && v; n = strtok_r(NULL, " \n", &in_names), v = strtok_r(NULL, " \n", &in_values))
			if (!strcmp(n, name))
				return strtoul(v, NULL, 10);
	}
	fail_msg("no %s", name);
	return 0;
}

static void test_syn_cookies(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	unsigned long before;

	(void)state;
	write_to("/proc/sys/net/ipv4/tcp_syncookies", "2");
	STAND(inbound(1, "127.0.0.2", 0));
	before = counter("SyncookiesSent");
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(counter("SyncookiesSent"), before);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(counter("SyncookiesSent"), before + 1);
	assert_int_equal(count_of(1), 1);
	write_to("/proc/sys/net/ipv4/tcp_syncookies", "1");
	close(l);
}

/* Data comes with the SYN, without a cookie: 0 and it is there, or what the sender is told later. */
static int fast_open(int l, const char *from)
{
	const struct end a = end_of(from, 0), b = end_of("127.0.0.1", port_of(l));
	_close_ int fd = bound(&a, SOCK_STREAM);
	struct pollfd p[] = { { .fd = l, .events = POLLIN }, { .fd = fd } };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int in, err = 0;
	char c;

	if (sendto(fd, "x", 1, MSG_FASTOPEN, &b.sa, b.len) < 0)
		return -errno;
	assert_true(poll(p, 2, deadline_ms()) > 0);
	if (!(p[0].revents & POLLIN)) {
		len = sizeof(err);
		must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), "SO_ERROR");
		return -err;
	}
	in = must(accept(l, NULL, NULL), "accept");
	assert_int_equal(recv(in, &c, 1, 0), 1);
	must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), "TCP_INFO");
	assert_true(info.tcpi_options & TCPI_OPT_SYN_DATA);
	reset_on_close(in);
	close(in);
	return 0;
}

static void test_fast_open(void **state)
{
	int l = listener("127.0.0.1", 0, 5), queue = 5;

	(void)state;
	write_to("/proc/sys/net/ipv4/tcp_fastopen", "519"); /* client and server, without cookies */
	must(setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)), "TCP_FASTOPEN");
	STAND(inbound(1, "127.0.0.2", 0));
	assert_int_equal(fast_open(l, "127.0.0.2"), -ECONNREFUSED);
	assert_int_equal(fast_open(l, "127.0.0.3"), 0);
	assert_int_equal(count_of(1), 1);
	close(l);
}

static int mptcp(int l, const char *from)
{
	const struct end a = end_of(from, 0), b = end_of("127.0.0.1", port_of(l));
	_close_ int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), "socket");

	must(bind(fd, &a.sa, a.len), "bind");
	if (connect(fd, &b.sa, b.len) < 0)
		return -errno;
	close(must(accept(l, NULL, NULL), "accept"));
	return 0;
}

static void test_mptcp(void **state)
{
	const struct end at = end_of("127.0.0.1", 0);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	(void)state;
	if (l < 0)
		skip_because("no MPTCP here");
	must(bind(l, &at.sa, at.len), "bind");
	must(listen(l, 5), "listen");
	STAND(inbound(1, "127.0.0.2", 0));
	assert_int_equal(mptcp(l, "127.0.0.2"), -ECONNREFUSED);
	assert_int_equal(mptcp(l, "127.0.0.3"), 0);
	close(l);
}

/* The server connected to its client before goes on. */
static void test_udp(void **state)
{
	int server = udp_server("127.0.0.1"), dual = udp_server("::"), known = udp_server("127.0.0.1");
	const struct end a = end_of("127.0.0.2", 0);
	int client = bound(&a, SOCK_DGRAM), answered = bound(&a, SOCK_DGRAM);
	const struct end c = end_of("127.0.0.2", port_of(client)), k = end_of("127.0.0.1", port_of(known)),
			 s = end_of("127.0.0.1", port_of(server));

	(void)state;
	add_v6("2001:db8::2");
	must(connect(known, &c.sa, c.len), "connect");
	must(connect(client, &k.sa, k.len), "connect");
	STAND(inbound(1, "127.0.0.2", 0), inbound(2, "2001:db8::2", 0));
	assert_int_equal(udp_knock(server, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_knock(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_knock(dual, "::ffff:127.0.0.2", "::ffff:127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_knock(dual, "2001:db8::2", "::1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 3);
	assert_int_equal(count_of(2), 1);
	assert_int_equal(udp_knock(server, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(udp_knock(dual, "::1", "::1"), 0);
	/* Its sender need not be connected either, but is not told then. */
	assert_int_equal(sendto(answered, "x", 1, 0, &s.sa, s.len), 1);
	for (long ms = 0; count_of(1) < 4 && ms < deadline_ms(); ms++)
		poll(NULL, 0, 1);
	assert_int_equal(count_of(1), 4);
	assert_int_equal(recv(server, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(arrives(known, client), 0);
	close(server);
	close(dual);
	close(known);
	close(client);
	close(answered);
}

/* What is for everybody is handed to each socket, and none is looked up for it. */
static void test_udp_to_all(void **state)
{
	const struct end a = end_of("127.0.0.2", 0);
	int server = udp_server("0.0.0.0"), client = bound(&a, SOCK_DGRAM), yes = 1;
	const struct end all = end_of("127.255.255.255", port_of(server));

	(void)state;
	must(setsockopt(client, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), "SO_BROADCAST");
	STAND(inbound(1, "127.0.0.2", 0));
	assert_int_equal(udp_knock(server, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(sendto(client, "x", 1, 0, &all.sa, all.len), 1);
	assert_int_equal(arrives(server, client), 0);
	assert_int_equal(count_of(1), 1);
	close(server);
	close(client);
}

/* sock_diag asks for a connection that is gone and finds its listener, by the same way as a packet would. */
static void test_diag_is_nobody(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0);
	const struct filter all = { 0 };
	struct netns ns = { 0 };
	struct flow gone = {
		.cookie = cookie_of(p.in),
		.family = AF_INET,
		.proto = PROTO_TCP,
		.state = STATE_ESTABLISHED,
		.local_port = port_of(p.in),
		.remote_port = port_of(p.out),
		.local = { .family = AF_INET, .b = { 127, 0, 0, 1 } },
		.remote = { .family = AF_INET, .b = { 127, 0, 0, 2 } },
	}, *v = &gone;

	(void)state;
	must(netns_open_here(&ns, &all), "netns_open_here");
	STAND(inbound(1, "127.0.0.2", 0));
	assert_int_equal(sockets_destroy(&ns, &v, 1), 0);
	assert_int_equal(gone.err, 0);
	assert_int_equal(sockets_destroy(&ns, &v, 1), 0);
	assert_int_equal(gone.err, -ENOENT);
	assert_int_equal(count_of(1), 0);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 1);
	nl_close(ns.nl);
	close(p.in);
	close(p.out);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fence_test(test_syn_cookies), fence_test(test_fast_open),      fence_test(test_mptcp),
		fence_test(test_udp),	      fence_test(test_udp_to_all),     fence_test(test_diag_is_nobody),
	};

	return fence_run("fence_ways", tests, fence_setup, fence_teardown);
}
