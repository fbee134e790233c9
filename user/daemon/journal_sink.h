/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journal_sink.h - where records go: a datagram socket, or a descriptor that takes lines. Never waits. For journal.c alone. */
#ifndef SEVER_JOURNAL_SINK_H
#define SEVER_JOURNAL_SINK_H

#include "model/base.h"

#include <sys/un.h>

struct sink {
	int fd;
	bool is_socket;
	struct sockaddr_un address;
};

/* At path, if somebody listens there; else fd, which stays the caller's. path may be NULL. */
void sink_open(struct sink *s, const char *path, int fd);
void sink_close(struct sink *s);
/* 0; -EAGAIN: later, when poll() says so; another negative errno: not this one. */
int sink_send(struct sink *s, const char *text, size_t len);

#endif
