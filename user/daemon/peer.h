/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* peer.h - who is at the other end of a socket, as the kernel saw it when it connected. Rights hang on this alone. */
#ifndef SEVER_PEER_H
#define SEVER_PEER_H

#include "model/base.h"

#include <sys/types.h>

struct peer {
	unsigned int refs;
	uid_t uid;
	gid_t gid;
	pid_t pid; /* may be another process by now, if pidfd is -1; 0: of no process that is to be seen here */
	int pidfd; /* of that very process; -1: a kernel without SO_PEERPIDFD (before 6.5), no descriptor left, or it has gone */
	gid_t *groups;
	size_t n_groups;
};

/* 0 or negative errno. */
int peer_of(int fd, struct peer **ret);
struct peer *peer_ref(struct peer *p);
void peer_unref(struct peer *p);
/* Whether its pid is another process by now, or nobody, as far as the kernel tells. */
bool peer_has_ended(const struct peer *p);
bool peer_in_group(const struct peer *p, gid_t gid);

DEFINE_CLEANUP(struct peer *, peer_unref)

#endif
