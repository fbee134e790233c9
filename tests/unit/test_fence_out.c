// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_out.c - who may not go out: by login uid, uid, audit session, cgroup and ancestors, and where to. */
#include "leaver.h"

static int v4, v6, queue = 16;
static const int all_ways[] = { WAY_TCP, WAY_MPTCP, WAY_FAST_OPEN, WAY_UDP, WAY_UDP_CONNECT };

/* Somewhere that answers every way, in both families. */
static int open_doors(void **state)
{
	if (fence_setup(state) < 0)
		return -1;
	write_to("/proc/sys/net/ipv4/tcp_fastopen", "519");
	v4 = listener("127.0.0.1", 0, 64);
	v6 = listener("::1", 0, 64);
	must(setsockopt(v4, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)), "TCP_FASTOPEN");
	must(setsockopt(v6, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)), "TCP_FASTOPEN");
	return 0;
}

/* In all ways, and to IPv4 by a socket of IPv6. */
static void expect(const struct leaver *l, int answer)
{
	for (size_t i = 0; i < array_size(all_ways); i++) {
		assert_int_equal(leaves(l, all_ways[i], NULL, "127.0.0.1", port_of(v4)), answer);
		assert_int_equal(leaves(l, all_ways[i], NULL, "::1", port_of(v6)), answer);
		assert_int_equal(leaves(l, all_ways[i], NULL, "::ffff:127.0.0.1", port_of(v4)), answer);
	}
}

/* What was let in is taken, so that no backlog is full. */
static void empty_backlogs(void)
{
	const int listeners[] = { v4, v6 };

	for (int i = 0; i < 2; i++) {
		int in;

		while ((in = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC)) >= 0)
			close(in);
	}
}

/* Held back by the fence, and only by it; a bystander is not. */
static void expect_held(struct fence fence, const struct leaver *held, const struct leaver *bystander)
{
	fcntl(v4, F_SETFL, O_NONBLOCK);
	fcntl(v6, F_SETFL, O_NONBLOCK);
	stand(NULL, 0);
	expect(held, 0);
	empty_backlogs();
	stand(&fence, 1);
	expect(held, -EPERM);
	assert_int_equal(count_of(fence.id), 3 * array_size(all_ways));
	expect(bystander, 0);
	empty_backlogs();
	assert_int_equal(count_of(fence.id), 3 * array_size(all_ways));
	stand(NULL, 0);
	expect(held, 0);
	empty_backlogs();
}

static void test_ids(void **state)
{
	struct leaver held = { .uid = own_uid(0), .login = own_uid(2) },
		      other = { .uid = own_uid(1), .login = own_uid(3) },
		      acting = { .effective = own_uid(4), .login = own_uid(3) };

	(void)state;
	leaver_start(&held);
	leaver_start(&other);
	leaver_start(&acting);
	assert_int_not_equal(held.session, other.session);
	expect_held(outbound(1, SEVER_FENCE_OUT_UID, own_uid(0)), &held, &other);
	expect_held(outbound(2, SEVER_FENCE_OUT_LOGIN, own_uid(2)), &held, &other);
	expect_held(outbound(3, SEVER_FENCE_OUT_SESSION, held.session), &held, &other);
	expect_held(outbound(4, SEVER_FENCE_OUT_UID, own_uid(4)), &acting, &other); /* its sockets are that user's */
}

/* Its own, the one above; not the one beside, nor the one below. */
static void test_cgroups(void **state)
{
	char a[PATH_MAX], b[PATH_MAX], c[PATH_MAX], beside[PATH_MAX];
	uint64_t ids[] = { new_cgroup(NULL, "sever-fence", a), new_cgroup(a, "b", b), new_cgroup(b, "c", c),
			   new_cgroup(a, "beside", beside) };
	struct leaver inside = { .cgroup = b }, bystander = { .cgroup = beside }, outside = { 0 };

	(void)state;
	leaver_start(&inside);
	leaver_start(&bystander);
	leaver_start(&outside);
	expect_held(outbound(1, SEVER_FENCE_OUT_CGROUP, ids[1]), &inside, &bystander);
	expect_held(outbound(2, SEVER_FENCE_OUT_CGROUP, ids[0]), &inside, &outside);
	expect_held(outbound(3, SEVER_FENCE_OUT_CGROUP, ids[3]), &bystander, &inside);
	STAND(outbound(4, SEVER_FENCE_OUT_CGROUP, ids[2]));
	expect(&inside, 0);
	empty_backlogs();
}

/* As deep as a container of a user's manager is nested, and deeper: by each that is above. */
static void test_deep_cgroup(void **state)
{
	char at[12][PATH_MAX];
	struct leaver inside = { .cgroup = at[11] };
	uint64_t ids[12];

	(void)state;
	for (int i = 0; i < 12; i++)
		ids[i] = new_cgroup(i ? at[i - 1] : NULL, "sever-deep", at[i]);
	leaver_start(&inside);
	for (int i = 0; i < 12; i++) {
		STAND(outbound(i + 1, SEVER_FENCE_OUT_CGROUP, ids[i]));
		assert_int_equal(leaves(&inside, WAY_TCP, NULL, "127.0.0.1", port_of(v4)), -EPERM);
	}
}

/* What is neither TCP nor UDP no fence is for. */
static void test_other_protocols(void **state)
{
	struct leaver held = { .uid = own_uid(0) };

	(void)state;
	write_to("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
	leaver_start(&held);
	STAND(outbound(1, SEVER_FENCE_OUT_UID, own_uid(0)));
	assert_int_equal(leaves(&held, WAY_PING, NULL, "127.0.0.1", 0), 0);
	assert_int_equal(leaves(&held, WAY_UDP_CONNECT, NULL, "127.0.0.1", 9), -EPERM);
}

/* The other end; and no address is ourselves. */
static void test_destinations(void **state)
{
	struct leaver held = { .uid = own_uid(0) }, other = { .uid = own_uid(1) };
	struct fence fence = outbound(1, SEVER_FENCE_OUT_UID, own_uid(0));
	struct stat st;

	(void)state;
	must(stat("/proc/self/ns/net", &st), "/proc/self/ns/net");
	leaver_start(&held);
	leaver_start(&other);
	fence.remote = prefix("127.0.0.0/24");
	stand(&fence, 1);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "127.0.0.1", port_of(v4)), -EPERM);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "::ffff:127.0.0.1", port_of(v4)), -EPERM);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "0.0.0.0", port_of(v4)), -EPERM);
	assert_int_equal(leaves(&held, WAY_UDP, NULL, "0.0.0.0", port_of(v4)), -EPERM);
	assert_int_equal(leaves(&held, WAY_TCP, "::ffff:127.0.0.1", "::", port_of(v4)), -EPERM);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "::", port_of(v6)), 0);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "::1", port_of(v6)), 0);
	assert_int_equal(leaves(&held, WAY_TCP, NULL, "127.0.1.1", port_of(v4)), -ECONNREFUSED); /* nobody listens */
	fence = outbound(2, SEVER_FENCE_OUT, 0);
	fence.netns = st.st_ino;
	fence.port = port_of(v6);
	fence.protocol = IPPROTO_TCP;
	stand(&fence, 1);
	assert_int_equal(leaves(&other, WAY_TCP, NULL, "::1", port_of(v6)), -EPERM);
	assert_int_equal(leaves(&other, WAY_MPTCP, NULL, "::1", port_of(v6)), -EPERM);
	assert_int_equal(leaves(&other, WAY_UDP, NULL, "::1", port_of(v6)), 0);
	assert_int_equal(leaves(&other, WAY_TCP, NULL, "127.0.0.1", port_of(v4)), 0);
	fence.id = 3;
	fence.netns++;
	stand(&fence, 1);
	assert_int_equal(leaves(&other, WAY_TCP, NULL, "::1", port_of(v6)), 0);
	empty_backlogs();
}

/* With control data the kernel asks about a connected socket, too, and with no address. */
static ssize_t send_marked(int fd)
{
	const int tos = 0x10;
	union {
		char bytes[CMSG_SPACE(sizeof(tos))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_TOS;
	c->cmsg_len = CMSG_LEN(sizeof(tos));
	memcpy(CMSG_DATA(c), &tos, sizeof(tos));
	return sendmsg(fd, &m, 0);
}

/* What was connected before goes on; by no other address. */
static void test_established(void **state)
{
	int server = udp_server("127.0.0.1");
	const struct end to = end_of("127.0.0.1", port_of(v4)), there = end_of("127.0.0.1", port_of(server));
	int udp = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"),
	    tcp = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	(void)state;
	must(connect(udp, &there.sa, there.len), "connect");
	must(connect(tcp, &to.sa, to.len), "connect");
	must(setresuid(own_uid(0), 0, 0), "setresuid");
	STAND(outbound(1, SEVER_FENCE_OUT_UID, own_uid(0)));
	assert_int_equal(send(udp, "x", 1, 0), 1);
	assert_int_equal(send_marked(udp), 1);
	assert_int_equal(send(tcp, "x", 1, 0), 1);
	assert_int_equal(sendto(udp, "x", 1, 0, &there.sa, there.len), -1);
	assert_int_equal(errno, EPERM);
	must(setresuid(0, 0, 0), "setresuid");
	assert_int_equal(sendto(udp, "x", 1, 0, &there.sa, there.len), 1);
	take_one(v4);
	close(server);
	close(udp);
	close(tcp);
}

static int on_hit(const struct sever_fence_hit *h, void *arg)
{
	*(struct sever_fence_hit *)arg = *h;
	return 0;
}

static void test_hit(void **state)
{
	struct leaver l = { .uid = own_uid(0), .login = own_uid(2) };
	struct pollfd p = { .fd = fence_fd(f), .events = POLLIN };
	struct sever_fence_hit h = { 0 };
	uint64_t start = now();
	struct fence_stats s;

	(void)state;
	fence_drain(f, SIZE_MAX, on_hit, &h);
	STAND(outbound(77, SEVER_FENCE_OUT_LOGIN, own_uid(2)));
	leaver_start(&l);
	assert_int_equal(leaves(&l, WAY_UDP, NULL, "::ffff:127.0.0.9", 4567), -EPERM);
	assert_int_equal(poll(&p, 1, deadline_ms()), 1);
	assert_int_equal(fence_drain(f, SIZE_MAX, on_hit, &h), 1);
	assert_int_equal(h.fence, 77);
	assert_int_equal(h.count, 1);
	assert_true(h.time >= start && h.time <= now());
	assert_int_equal(h.remote_port, 4567);
	assert_memory_equal(h.remote, "\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\11", 16);
	assert_int_equal(h.pid, l.pid);
	assert_int_equal(h.uid, own_uid(0));
	assert_int_equal(h.login_uid, own_uid(2));
	assert_int_equal(h.audit_session, l.session);
	assert_int_equal(h.kind, SEVER_FENCE_OUT_LOGIN);
	assert_int_equal(h.protocol, IPPROTO_UDP);
	assert_string_equal(h.comm, "test_fence_out");
	assert_int_equal(fence_stats(f, 77, &s), 0);
	assert_int_equal(s.last, h.time);
	assert_int_equal(s.remote_port, 4567);
	assert_int_equal(s.remote.family, AF_INET);
	assert_memory_equal(s.remote.b, "\177\0\0\11", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leaver_test(test_ids),		   leaver_test(test_cgroups),	   leaver_test(test_deep_cgroup),
		leaver_test(test_other_protocols), leaver_test(test_destinations), leaver_test(test_established),
		leaver_test(test_hit),
	};

	return leaver_run("fence_out", tests, open_doors, fence_teardown);
}
