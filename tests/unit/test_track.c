// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track.c - births of real connections, as the programs in the kernel tell them. */
#include "tracked.h"

#include <sys/prctl.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define LOGIN 4242
#define USER 3001

static void is_end(const uint8_t *bytes, const char *text)
{
	uint8_t want[16] = { 0 };

	assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, want), 1);
	assert_memory_equal(bytes, want, sizeof(want));
}

/* As it is now: 0 where there is no such thing. */
static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void check_pair(const struct pair *p, uint16_t family, const char *server, const char *client,
		       uint16_t addr_family)
{
	struct sever_flow in = flow_of(t, p->in), out = flow_of(t, p->out);

	assert_int_equal(in.direction, SEVER_DIR_IN);
	assert_int_equal(out.direction, SEVER_DIR_OUT);
	is_end(in.local, server);
	is_end(in.remote, client);
	is_end(out.local, client);
	is_end(out.remote, server);
	assert_int_equal(in.local_port, port_of(p->in));
	assert_int_equal(in.remote_port, port_of(p->out));
	assert_int_equal(out.local_port, port_of(p->out));
	assert_int_equal(out.remote_port, port_of(p->in));
	assert_true(in.family == family && out.family == family);
	assert_true(in.addr_family == addr_family && out.addr_family == addr_family);
	assert_true(in.protocol == IPPROTO_TCP && out.protocol == IPPROTO_TCP);
	assert_true(in.state == STATE_ESTABLISHED && out.state == STATE_ESTABLISHED);
	assert_true(in.netns == own_inode() && out.netns == own_inode());
	assert_int_equal(in.flags | out.flags, 0);
}

/* Whoever calls connect() is written down; whoever listens cannot be asked. */
static void test_births(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	uint64_t before = boot_ns(), in_cookie, out_cookie;
	struct sever_event *e;
	struct sever_flow f;
	struct pair p;

	(void)state;
	must(seteuid(USER), "seteuid");
	p = connected(l, "127.0.0.2", 0);
	must(seteuid(0), "seteuid");
	in_cookie = cookie_of(p.in);
	out_cookie = cookie_of(p.out);
	check_pair(&p, AF_INET, "127.0.0.1", "127.0.0.2", AF_INET);
	e = born(t, out_cookie);
	f = flow_of(t, p.out);
	assert_memory_equal(&e->flow, &f, sizeof(f)); /* completed: it was told in SYN_SENT */
	assert_int_equal(f.uid, USER);
	assert_int_equal(f.login_uid, number_in("/proc/self/loginuid"));
	assert_int_equal(f.audit_session, number_in("/proc/self/sessionid"));
	assert_int_equal(f.pid, getpid());
	assert_string_equal(f.comm, "tracked");
	assert_true(f.cgroup && f.start && f.start < before);
	assert_true(f.birth > before && f.birth < boot_ns() && e->time == f.birth);
	f = born(t, in_cookie)->flow;
	assert_int_equal(f.pid, 0);
	assert_int_equal(f.login_uid, SEVER_ID_UNSET);
	assert_true(f.birth > before && f.cgroup);
	close_pair(&p);
	close(l);
}

/* Told before its port was known, and nobody looked before the socket was connected to somebody else. */
static void test_connected_again(void **state)
{
	int l = listener("127.0.0.1", 0, 5), nobody = listener("127.0.0.1", 0, 5), fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct end to = { .len = sizeof(to.v6) }, refusing = to;
	uint64_t cookie = cookie_of(fd);

	(void)state;
	must(getsockname(l, &to.sa, &to.len), "getsockname");
	must(getsockname(nobody, &refusing.sa, &refusing.len), "getsockname");
	close(nobody);
	must(track_drain(t, 100000, on_told, NULL), "track_drain");
	assert_int_equal(connect(fd, &refusing.sa, refusing.len), -1);
	must(connect(fd, &to.sa, to.len), "connect");
	assert_int_equal(event(t, SEVER_EVENT_BIRTH, cookie, 1)->flow.remote_port, ntohs(to.v4.sin_port));
	assert_int_equal(born(t, cookie)->flow.remote_port, ntohs(refusing.v4.sin_port));
	assert_true(born(t, cookie)->flow.birth == born(t, cookie)->time);
	assert_int_equal(ended(t, cookie)->cause, SEVER_CAUSE_REFUSED);
	close(fd);
	close(l);
}

static void test_families(void **state)
{
	int l6 = listener("::1", 0, 5), l = listener("::", 0, 5);
	struct end to = end_of("::ffff:127.0.0.1", port_of(l)), from = end_of("::ffff:127.0.0.3", 0);
	struct pair p = connected(l6, "::1", 0);

	(void)state;
	check_pair(&p, AF_INET6, "::1", "::1", AF_INET6);
	close_pair(&p);
	p.out = bound(&from, SOCK_STREAM);
	must(connect(p.out, &to.sa, to.len), "connect");
	p.in = must(accept(l, NULL, NULL), "accept");
	check_pair(&p, AF_INET6, "127.0.0.1", "127.0.0.3", AF_INET);
	close_pair(&p);
	close(l6);
	close(l);
}

static void test_two_namespaces(void **state)
{
	uint32_t first = own_inode();
	int back = must(open("/proc/self/ns/net", O_RDONLY), "netns"), l;
	struct pair p;

	(void)state;
	must(own_net(), "own_net");
	assert_int_not_equal(own_inode(), first);
	l = listener("127.0.0.1", 0, 5);
	p = connected(l, "127.0.0.2", 0);
	check_pair(&p, AF_INET, "127.0.0.1", "127.0.0.2", AF_INET);
	must(setns(back, 0), "setns");
	close(back);
	assert_true(flow_of(t, p.in).netns != first && flow_of(t, p.out).netns != first);
	close_pair(&p);
	close(l);
}

/* The connection itself is left to scans; what carries it says so. */
static void test_mptcp(void **state)
{
	const struct end any = end_of("127.0.0.1", 0);
	int l = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), out = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), in;
	struct end to = { .len = sizeof(to.v6) };
	struct sever_flow f;
	unsigned int subflows = 0;

	(void)state;
	if (l < 0 || out < 0)
		skip_because("no MPTCP here");
	must(bind(l, &any.sa, any.len), "bind");
	must(listen(l, 5), "listen");
	must(getsockname(l, &to.sa, &to.len), "getsockname");
	must(connect(out, &to.sa, to.len), "connect");
	in = must(accept(l, NULL, NULL), "accept");
	assert_int_equal(track_read(t, cookie_of(out), &f), -ENOENT);
	must(track_drain(t, 100000, on_told, NULL), "track_drain");
	for (size_t i = 0; i < told.n; i++)
		subflows += told.v[i].kind == SEVER_EVENT_BIRTH && told.v[i].flow.netns == own_inode() &&
			    track_read(t, told.v[i].cookie, &f) == 0 && f.flags & SEVER_FLOW_SUBFLOW;
	assert_int_equal(subflows, 2);
	close(in);
	close(out);
	close(l);
}

static int setup(void **state)
{
	_close_ int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	prctl(PR_SET_NAME, "tracked");
	if (fd >= 0 && dprintf(fd, "%d", LOGIN) < 0)
		print_message("# the login uid is as it was\n");
	return track_setup(state);
}

/* accept() gives the socket to who calls it, which the next change of its state shows. */
static void test_acceptor(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	const struct end to = end_of("127.0.0.1", port_of(l));
	struct pair p = { .out = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket") };
	struct sever_flow f;

	(void)state;
	must(connect(p.out, &to.sa, to.len), "connect");
	must(seteuid(USER), "seteuid");
	p.in = must(accept(l, NULL, NULL), "accept");
	must(seteuid(0), "seteuid");
	must(shutdown(p.out, SHUT_WR), "shutdown");
	for (long ms = 0; ms < deadline_ms() && (f = flow_of(t, p.in)).state != STATE_CLOSE_WAIT; ms++)
		poll(NULL, 0, 1);
	assert_int_equal(f.state, STATE_CLOSE_WAIT);
	assert_int_equal(f.uid, USER);
	close_pair(&p);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_births), cmocka_unit_test(test_acceptor),
		cmocka_unit_test(test_connected_again),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_two_namespaces),
		cmocka_unit_test(test_mptcp),
	};

	return track_run("track", tests, setup, track_teardown);
}
