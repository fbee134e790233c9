// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/peer.h"

#include <poll.h>
#include <sys/socket.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int read_groups(int fd, struct peer *p)
{
	socklen_t len = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
		return 0; /* none: no room was needed */
	if (errno != ERANGE)
		return -errno;
	p->groups = malloc(len);
	if (!p->groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->groups, &len) < 0)
		return -errno;
	p->n_groups = len / sizeof(*p->groups);
	return 0;
}

int peer_of(int fd, struct peer **ret)
{
	_cleanup_(peer_unrefp) struct peer *p = calloc(1, sizeof(*p));
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int r, pidfd;

	if (!p)
		return -ENOMEM;
	*p = (struct peer){ .refs = 1, .pidfd = -1 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	r = read_groups(fd, p);
	if (r < 0)
		return r;
	p->uid = cred.uid;
	p->gid = cred.gid;
	p->pid = cred.pid;
	len = sizeof(pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		p->pidfd = pidfd;
	*ret = take_ptr(&p);
	return 0;
}

struct peer *peer_ref(struct peer *p)
{
	p->refs++;
	return p;
}

void peer_unref(struct peer *p)
{
	if (--p->refs)
		return;
	closep(&p->pidfd);
	free(p->groups);
	free(p);
}

bool peer_has_ended(const struct peer *p)
{
	struct pollfd ended = { .fd = p->pidfd, .events = POLLIN };

	return p->pidfd >= 0 && poll(&ended, 1, 0) != 0;
}

bool peer_in_group(const struct peer *p, gid_t gid)
{
	if (p->gid == gid)
		return true;
	for (size_t i = 0; i < p->n_groups; i++)
		if (p->groups[i] == gid)
			return true;
	return false;
}
