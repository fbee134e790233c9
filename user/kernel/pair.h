/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pair.h - a connection of our own on loopback, to try things on. */
#ifndef SEVER_PAIR_H
#define SEVER_PAIR_H

#include "model/base.h"

struct pair {
	int listener, client, server;
};

#define PAIR_NONE { -1, -1, -1 }

/* proto: 0 or IPPROTO_MPTCP. 0 or -errno; close it in either case. */
int pair_open(struct pair *p, int proto);
void pair_close(struct pair *p);
/* One more client connects to the listener: 0 or -errno. */
int pair_knock(const struct pair *p);

int socket_cookie(int fd, uint64_t *ret);
void loopback_up(void);

#endif
