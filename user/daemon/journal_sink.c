// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/journal_sink.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define SEND_BUFFER (8 << 20) /* the queue of who listens is to be the limit, not ours */

static int socket_open(struct sink *s, const char *path)
{
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int size = SEND_BUFFER;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(s->address.sun_path))
		return -ENAMETOOLONG;
	s->address.sun_family = AF_UNIX;
	memcpy(s->address.sun_path, path, strlen(path));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* less will do */
	if (connect(fd, (const void *)&s->address, sizeof(s->address)) < 0)
		return -errno;
	return take_fd(&fd);
}

void sink_open(struct sink *s, const char *path, int fd)
{
	int r;

	*s = (struct sink){ .fd = fd };
	r = path ? socket_open(s, path) : -1;
	if (r < 0)
		return;
	s->fd = r;
	s->is_socket = true;
}

void sink_close(struct sink *s)
{
	if (s->is_socket)
		closep(&s->fd);
}

/* Who listened there may have gone, and another one come. */
static int send_datagram(struct sink *s, const char *text, size_t len)
{
	for (int tries = 0; tries < 2; tries++) {
		if (send(s->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
			return -errno;
		if (connect(s->fd, (const void *)&s->address, sizeof(s->address)) < 0)
			break;
	}
	return -ENOTCONN;
}

/* The descriptor is shared with whoever started us, and so cannot be made not to wait. */
static int send_line(struct sink *s, const char *text, size_t len)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	if (poll(&p, 1, 0) < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
		return -EPIPE;
	if (!p.revents)
		return -EAGAIN;
	if (write(s->fd, text, len) >= 0)
		return 0;
	return errno == EINTR ? -EAGAIN : -errno;
}

int sink_send(struct sink *s, const char *text, size_t len)
{
	return s->is_socket ? send_datagram(s, text, len) : send_line(s, text, len);
}
