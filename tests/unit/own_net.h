/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* own_net.h - a network namespace of the test's own, and connections in it. */
#ifndef SEVER_TEST_OWN_NET_H
#define SEVER_TEST_OWN_NET_H

#include "model/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Moves this process into a new namespace whose loopback is up. */
static inline int own_net(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_close_ int fd = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

struct end {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

/* "127.0.0.1", "::1" or "::ffff:127.0.0.1": the socket is of the family as written. */
static inline struct end end_of(const char *text, uint16_t port)
{
	struct end e = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) }, .len = sizeof(e.v6) };

	if (inet_pton(AF_INET6, text, &e.v6.sin6_addr) == 1)
		return e;
	e = (struct end){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) }, .len = sizeof(e.v4) };
	if (inet_pton(AF_INET, text, &e.v4.sin_addr) != 1)
		abort();
	return e;
}

/* Whatever fails here is the test's own fault. */
static inline int must(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		abort();
	}
	return r;
}

static inline int bound(const struct end *e, int type)
{
	int one = 1, fd = must(socket(e->sa.sa_family, type | SOCK_CLOEXEC, 0), "socket");

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	must(bind(fd, &e->sa, e->len), "bind");
	return fd;
}

static inline int listener(const char *addr, uint16_t port, int backlog)
{
	const struct end e = end_of(addr, port);
	int fd = bound(&e, SOCK_STREAM);

	must(listen(fd, backlog), "listen");
	return fd;
}

/* A connection with both ends in this process. from_port 0: the kernel picks one. */
struct pair {
	int in, out;
};
static inline struct pair connected(int listening, const char *from, uint16_t from_port)
{
	const struct end e = end_of(from, from_port);
	struct pair p = { .out = bound(&e, SOCK_STREAM) };
	struct end to = { .len = sizeof(to.v6) };

	must(getsockname(listening, &to.sa, &to.len), "getsockname");
	must(connect(p.out, &to.sa, to.len), "connect");
	p.in = must(accept4(listening, NULL, NULL, SOCK_CLOEXEC), "accept");
	return p;
}

static inline uint16_t port_of(int fd)
{
	struct end e = { .len = sizeof(e.v6) };

	must(getsockname(fd, &e.sa, &e.len), "getsockname");
	return ntohs(e.v4.sin_port); /* at the same place in both */
}

static inline bool established(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_ESTABLISHED;
}

static inline void reset_on_close(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
}

/* What /proc/self says, or the id of who never logged in. */
static inline uint32_t number_in(const char *path)
{
	_fclose_ FILE *f = fopen(path, "re");
	uint32_t n;

	return f && fscanf(f, "%u", &n) == 1 ? n : UINT32_MAX;
}

static inline uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), "SO_COOKIE");
	return cookie;
}

#endif
