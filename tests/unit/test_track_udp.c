// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track_udp.c - connected UDP: told before the kernel has connected it, completed later. */
#include "kernel/iterator.h"
#include "tracked.h"

#include <bpf/bpf.h>

static int server(uint16_t port)
{
	const struct end e = end_of("127.0.0.1", port);

	return bound(&e, SOCK_DGRAM);
}

static int client_of(const char *addr, uint16_t port)
{
	const struct end e = end_of(addr, port);
	int fd = must(socket(e.sa.sa_family, SOCK_DGRAM, 0), "socket");

	must(connect(fd, &e.sa, e.len), "connect");
	return fd;
}

static void is_flow(const struct sever_flow *f, uint16_t local_port, uint16_t remote_port)
{
	static const uint8_t local[16] = { 127, 0, 0, 1 };

	assert_memory_equal(f->local, local, sizeof(local));
	assert_memory_equal(f->remote, local, sizeof(local));
	assert_int_equal(f->local_port, local_port);
	assert_int_equal(f->remote_port, remote_port);
	assert_true(f->protocol == IPPROTO_UDP && f->direction == SEVER_DIR_OUT && f->netns == own_inode());
	assert_true(f->pid == (uint32_t)getpid() && f->cgroup && f->birth);
	assert_int_equal(f->addr_family, AF_INET);
	assert_int_equal(f->login_uid, number_in("/proc/self/loginuid"));
}

static void test_life(void **state)
{
	int l = server(5300), fd = client_of("127.0.0.1", 5300);
	uint16_t port = port_of(fd);
	uint64_t cookie = cookie_of(fd);
	struct netns ns = here();
	struct sever_flow f;

	(void)state;
	f = born(t, cookie)->flow;
	assert_true(f.flags & SEVER_FLOW_PENDING);
	assert_int_equal(f.remote_port, 5300);
	assert_int_equal(f.pid, getpid());
	assert_int_equal(track_adopt(t, &ns), 0);
	f = flow_of(t, fd);
	assert_int_equal(f.flags, 0);
	is_flow(&f, port, 5300);
	close(fd);
	f = ended(t, cookie)->flow;
	is_flow(&f, port, 5300);
	assert_int_equal(ended(t, cookie)->cause, SEVER_CAUSE_LOCAL);
	assert_int_equal(track_read(t, cookie, &f), -ENOENT);
	/* The socket that nobody connected is no flow. */
	assert_int_equal(track_read(t, cookie_of(l), &f), -ENOENT);
	leave(&ns);
	close(l);
}

/* So short that no pass came by. The end tells the local port all the same. */
static void test_short(void **state)
{
	int l = server(5301), fd = client_of("127.0.0.1", 5301);
	uint16_t port = port_of(fd);
	uint64_t cookie = cookie_of(fd);
	struct sever_flow f;

	(void)state;
	close(fd);
	f = ended(t, cookie)->flow;
	assert_int_equal(f.flags, 0);
	is_flow(&f, port, 5301);
	close(l);
}

static void test_reconnect(void **state)
{
	const struct end to = end_of("127.0.0.1", 5303);
	int fd = client_of("127.0.0.1", 5302);
	uint64_t cookie = cookie_of(fd);
	struct netns ns = here();

	(void)state;
	must(connect(fd, &to.sa, to.len), "connect");
	assert_int_equal(event(t, SEVER_EVENT_END, cookie, 0)->flow.remote_port, 5302);
	assert_int_equal(event(t, SEVER_EVENT_END, cookie, 0)->flow.local_port, port_of(fd));
	assert_int_equal(event(t, SEVER_EVENT_BIRTH, cookie, 1)->flow.remote_port, 5303);
	assert_int_equal(flow_of(t, fd).remote_port, 5303);
	assert_int_equal(track_adopt(t, &ns), 0);
	assert_int_equal(flow_of(t, fd).flags, 0);
	close(fd);
	assert_int_equal(event(t, SEVER_EVENT_END, cookie, 1)->flow.remote_port, 5303);
	leave(&ns);
}

static void test_destroyed(void **state)
{
	int fd = client_of("127.0.0.1", 5304);
	uint64_t cookie = cookie_of(fd);
	struct netns ns = here();
	uint16_t port = port_of(fd);
	struct sever_event *e;

	(void)state;
	assert_int_equal(track_adopt(t, &ns), 0);
	assert_int_equal(destroyed(&ns, t, fd), 0);
	e = ended(t, cookie);
	assert_int_equal(e->cause, SEVER_CAUSE_DESTROYED);
	assert_int_equal(e->err, ECONNABORTED);
	is_flow(&e->flow, port, 5304);
	close(fd);
	assert_null(find_event(SEVER_EVENT_END, cookie, 1));
	leave(&ns);
}

static void test_v6(void **state)
{
	int six = client_of("::1", 5305), mapped = client_of("::ffff:127.0.0.1", 5305);
	static const uint8_t one[16] = { [15] = 1 };
	struct netns ns = here();
	struct sever_flow f;

	(void)state;
	assert_int_equal(track_adopt(t, &ns), 0);
	f = flow_of(t, six);
	assert_memory_equal(f.local, one, 16);
	assert_memory_equal(f.remote, one, 16);
	assert_true(f.family == AF_INET6 && f.addr_family == AF_INET6);
	f = flow_of(t, mapped);
	is_flow(&f, port_of(mapped), 5305);
	assert_int_equal(f.family, AF_INET6);
	close(six);
	close(mapped);
	leave(&ns);
}

static int count_gone(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	(void)f;
	*(uint64_t *)arg = cookie;
	return 0;
}

/* Nobody tells of connect(AF_UNSPEC), nor whether a connect() has failed: a look at the sockets does. */
static void test_silent_ends(void **state)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = client_of("127.0.0.1", 5306), kept = client_of("127.0.0.1", 5307);
	struct netns ns = here();
	uint64_t gone = 0;
	struct sever_flow f;

	(void)state;
	assert_int_equal(track_adopt(t, &ns), 0);
	must(connect(fd, &none, sizeof(none)), "AF_UNSPEC");
	assert_int_equal(track_read(t, cookie_of(fd), &f), 0);
	assert_int_equal(track_sync(t, &ns, 1, count_gone, &gone), 0);
	assert_int_equal(gone, cookie_of(fd));
	assert_int_equal(track_read(t, cookie_of(fd), &f), -ENOENT);
	assert_int_equal(track_read(t, cookie_of(kept), &f), 0);
	close(fd);
	close(kept);
	leave(&ns);
}

static void test_older(void **state)
{
	const struct track_options o = { 0 };
	int fd = client_of("127.0.0.1", 5308);
	struct track *later = opened(&o);
	uint64_t cookie = cookie_of(fd);
	struct netns ns = here();
	struct sever_flow f;

	(void)state;
	assert_int_equal(track_read(later, cookie, &f), -ENOENT);
	assert_int_equal(track_adopt(later, &ns), 0);
	f = flow_of(later, fd);
	assert_int_equal(f.flags, SEVER_FLOW_ADOPTED);
	assert_int_equal(f.local_port, port_of(fd));
	close(fd);
	ended(later, cookie);
	assert_int_equal(track_read(later, cookie, &f), -ENOENT);
	track_close(later);
	leave(&ns);
}

/* Over the UDP sockets alone: a pass over all takes ten times as long. */
static void pass_udp(struct track *small)
{
	_close_ int link = must(bpf_link_create(small->part[PART_ADOPT_UDP], 0, BPF_TRACE_ITER, NULL), "bpf_link_create");

	small->pass++;
	assert_int_equal(track_control(small), 0);
	assert_int_equal(iterator_run(link), 0);
}

static int forget(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	const struct track *small = arg;

	if (f->seen == small->pass)
		bpf_map_delete_elem(small->part[PART_FLOWS], &cookie);
	return 0;
}

/* Sockets close while passes go on: none may stay in the map that nobody would take out. Of those that a pass has met
 * every second one forgets, so that the next has to put them there again: a look at the socket, its end, and then the
 * map is what may not be. What has stayed wrongly no pass meets. */
static void test_closing_while_adopted(void **state)
{
	const struct track_options o = { .max_flows = 1024 }; /* soon walked */
	struct track *small = opened(&o);
	int status, v[200] = { 0 };
	pid_t child;

	(void)state;
	child = must(fork(), "fork");
	if (!child) {
		for (unsigned int i = 0; i < many(60000); i++) {
			int *at = &v[i % array_size(v)];

			if (*at)
				close(*at);
			*at = client_of("127.0.0.1", 5309);
		}
		_exit(0);
	}
	for (unsigned int pass = 0; waitpid(child, &status, WNOHANG) == 0; pass++) {
		pass_udp(small);
		if (pass % 2)
			must(track_walk(small, forget, small), "track_walk");
	}
	assert_int_equal(status, 0);
	assert_int_equal(flows_here(small), 0);
	track_close(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),	  cmocka_unit_test(test_short),
		cmocka_unit_test(test_reconnect), cmocka_unit_test(test_destroyed),
		cmocka_unit_test(test_v6),	  cmocka_unit_test(test_silent_ends),
		cmocka_unit_test(test_older),	  cmocka_unit_test(test_closing_while_adopted),
	};
	const struct track_options o = { 0 };
	struct track *probe = NULL;
	bool udp;

	if (geteuid() || !can_track())
		return skip_all(geteuid() ? "needs root" : "BPF is refused here");
	udp = track_open(&probe, &o, NULL) == 0 && !track_udp_error(probe);
	track_close(probe);
	if (!udp)
		return skip_all("no cgroup v2 is mounted");
	return unit_run_with("track_udp", tests, track_setup, track_teardown);
}
