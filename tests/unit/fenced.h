/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fenced.h - fences, and who tries to pass them in the test's own network namespaces. */
#ifndef SEVER_TEST_FENCED_H
#define SEVER_TEST_FENCED_H

#include "kernel/fence_parts.h"
#include "kernel/netns.h"
#include "own_net.h"
#include "unit.h"

#include <fcntl.h>
#include <linux/ipv6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

static struct fences *f;

/* A user id, or a login's, that no other test has: fences outside go by the ids of the whole host. */
static inline uint32_t own_uid(unsigned int i)
{
	static pid_t first; /* children ask for the same */

	first = first ?: getpid();
	return 1000000000 + 32 * (uint32_t)first + i;
}

static inline uint64_t now(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static inline struct prefix prefix(const char *text)
{
	struct prefix p = { 0 };
	char err[ERR_LEN];

	if (text && prefix_parse(text, &p, err) < 0)
		abort();
	return p;
}

/* remote: NULL any. For ever. */
static inline struct fence inbound(uint64_t id, const char *remote, uint16_t port)
{
	return (struct fence){ .id = id, .until = FENCE_FOR_EVER, .remote = prefix(remote), .port = port };
}

static inline struct fence outbound(uint64_t id, enum sever_fence_kind kind, uint64_t subject)
{
	return (struct fence){ .id = id, .until = FENCE_FOR_EVER, .kind = kind, .subject = subject };
}

static inline void stand(const struct fence *v, size_t n)
{
	char err[ERR_LEN] = "";

	if (fence_replace(f, v, n, err) < 0)
		fail_msg("%s", err);
}
#define STAND(...)                                         \
	do {                                               \
		const struct fence _v[] = { __VA_ARGS__ }; \
		stand(_v, array_size(_v));                 \
	} while (0)

static inline struct fences *opened(const struct fence_options *o)
{
	char err[ERR_LEN] = "";
	struct fences *own = NULL;

	if (fence_open(&own, o, err) < 0)
		fail_msg("%s", err);
	return own;
}

static inline void attach_here(struct fences *own)
{
	_close_ int fd = must(netns_own(), "netns_own");
	char err[ERR_LEN] = "";

	if (fence_attach(own, fd, err) < 0)
		fail_msg("%s", err);
}

static inline uint64_t count_of(uint64_t id)
{
	struct fence_stats s;

	assert_int_equal(fence_stats(f, id, &s), 0);
	return s.count;
}

/* An address of IPv6 for the loopback of this namespace. The kernel takes its time until it can be used. */
static inline void add_v6(const char *text)
{
	struct in6_ifreq req = { .ifr6_prefixlen = 128, .ifr6_ifindex = 1 };
	_close_ int fd = must(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	const struct end e = end_of(text, 0);

	req.ifr6_addr = e.v6.sin6_addr;
	if (ioctl(fd, SIOCSIFADDR, &req) < 0 && errno != EEXIST)
		must(-1, text);
	for (long ms = 0; bind(fd, &e.sa, e.len) < 0; ms++) {
		assert_true(errno == EADDRNOTAVAIL && ms < deadline_ms());
		poll(NULL, 0, 1);
	}
}

/* Takes what waits and ends it, so that no TIME_WAIT is left. */
static inline void take_one(int listening)
{
	struct pollfd p = { .fd = listening, .events = POLLIN };
	int in;

	assert_int_equal(poll(&p, 1, deadline_ms()), 1);
	in = must(accept4(listening, NULL, NULL, SOCK_CLOEXEC), "accept");
	reset_on_close(in);
	close(in);
}

/* Connects to a listener of ours: 0, it was let in, and is gone again; or -errno. */
static inline int knock_at(int listening, const char *from, const char *to)
{
	const struct end a = end_of(from, 0), b = end_of(to, port_of(listening));
	_close_ int fd = bound(&a, SOCK_STREAM);

	if (connect(fd, &b.sa, b.len) < 0)
		return -errno;
	take_one(listening);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd }, 1, deadline_ms()), 1); /* its reset is here */
	return 0;
}

/* An unconnected server of UDP; what comes is to be seen by arrives(). */
static inline int udp_server(const char *addr)
{
	const struct end e = end_of(addr, 0);

	return bound(&e, SOCK_DGRAM);
}

/* 0, it is there and read; or -errno that the kernel told the sender. One of both must come. */
static inline int arrives(int server, int sender)
{
	struct pollfd p[] = { { .fd = server, .events = POLLIN }, { .fd = sender } };
	int err = 0;
	socklen_t len = sizeof(err);
	char c;

	assert_true(poll(p, 2, deadline_ms()) > 0);
	if (p[0].revents & POLLIN) {
		assert_int_equal(recv(server, &c, 1, MSG_DONTWAIT), 1);
		return 0;
	}
	must(getsockopt(sender, SOL_SOCKET, SO_ERROR, &err, &len), "SO_ERROR");
	return -err;
}

static inline int udp_knock(int server, const char *from, const char *to)
{
	const struct end a = end_of(from, 0), b = end_of(to, port_of(server));
	_close_ int fd = bound(&a, SOCK_DGRAM);

	if (connect(fd, &b.sa, b.len) < 0 || send(fd, "x", 1, 0) < 0)
		return -errno;
	return arrives(server, fd);
}

/* To a port of the loopback that nobody need have, by a process of that uid: 0 or -errno. */
static inline int udp_leaves(uint32_t uid, uint16_t port)
{
	const struct end to = end_of("127.0.0.1", port);
	_close_ int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	int r;

	must(setresuid(uid, 0, 0), "setresuid");
	r = sendto(fd, "x", 1, 0, &to.sa, to.len) < 0 ? -errno : 0;
	must(setresuid(0, 0, 0), "setresuid");
	return r;
}

static inline void write_to(const char *path, const char *text)
{
	_close_ int fd = must(open(path, O_WRONLY | O_CLOEXEC), path);

	must(write(fd, text, strlen(text)), path);
}

/* The programs, or a reason to skip. */
static inline bool can_fence(void)
{
	const struct fence_options o = { 0 };
	struct fences *own = NULL;
	int r = fence_open(&own, &o, NULL);

	fence_close(own);
	return r != -EPERM && r != -EOPNOTSUPP && r != -ENOSYS;
}

static inline int fence_setup(void **state)
{
	const struct fence_options o = { 0 };

	(void)state;
	if (own_net() < 0)
		return -1;
	f = opened(&o);
	attach_here(f);
	return 0;
}

/* Before each test of a file. */
static inline int none_stand(void **state)
{
	(void)state;
	return fence_replace(f, NULL, 0, NULL);
}
#define fence_test(name) cmocka_unit_test_setup(name, none_stand)

static inline int fence_teardown(void **state)
{
	(void)state;
	fence_close(f);
	return 0;
}

/* Ends main(). setup opens the fences, or the tests do. */
#define fence_run(name, tests, setup, teardown)                                                   \
	(geteuid() || !can_fence() ? skip_all(geteuid() ? "needs root" : "BPF is refused here") : \
				     unit_run_with(name, tests, setup, teardown))

#endif
