// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/pair.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void pair_close(struct pair *p)
{
	closep(&p->listener);
	closep(&p->client);
	closep(&p->server);
	*p = (struct pair)PAIR_NONE;
}

int pair_open(struct pair *p, int proto)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, proto);
	p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, proto);
	if (p->listener < 0 || p->client < 0 || bind(p->listener, (void *)&a, sizeof(a)) < 0 ||
	    listen(p->listener, 1) < 0 || getsockname(p->listener, (void *)&a, &len) < 0 ||
	    connect(p->client, (void *)&a, sizeof(a)) < 0)
		return -errno;
	p->server = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	return p->server < 0 ? -errno : 0;
}

int pair_knock(const struct pair *p)
{
	_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (fd < 0 || getsockname(p->listener, (void *)&a, &len) < 0 || connect(fd, (void *)&a, len) < 0)
		return -errno;
	return 0;
}

int socket_cookie(int fd, uint64_t *ret)
{
	socklen_t len = sizeof(*ret);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret, &len) < 0 ? -errno : 0;
}

void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		ioctl(fd, SIOCSIFFLAGS, &ifr);
}
