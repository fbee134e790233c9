/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netns.h - the network namespaces of the host and a door into each: one sock_diag socket, kept open. */
#ifndef SEVER_NETNS_H
#define SEVER_NETNS_H

#include "kernel/nl.h"
#include "kernel/owners.h"
#include "model/filter.h"

struct netns {
	uint32_t inode;
	char *name;       /* of its mount ("blue" for /run/netns/blue), NULL none */
	struct nl *nl;    /* NULL: could not be entered, see err */
	struct listeners *listeners; /* see sockets.h; NULL: nobody has read them */
	uint32_t *zones;  /* interface index of each zone of the filter's clients, then peers; NULL: no zones */
	uint16_t ephemeral_first, ephemeral_last; /* ports connect() picks from, 0 unknown */
	int err;          /* why it could not be entered, 0 it was */
};

struct netns_table {
	struct netns *v;
	size_t n, cap;
	uint32_t self;   /* inode of our own, 0 unknown */
};

/* Where a namespace can be entered from. One of: fd, path, pid. */
struct netns_door {
	uint32_t inode;
	uint32_t pid;     /* a process in it */
	const char *path; /* a mount of it */
	int fd;           /* an open descriptor of it, -1 none; borrowed */
};

/* Finds our own namespace, those of the processes and those mounted, and opens each that the filter does not
 * leave out. Namespaces that cannot be entered are in the table with their error. 0 or negative errno (our own
 * namespace has no sock_diag: -EOPNOTSUPP and the like). */
int netns_discover(struct netns_table *t, const struct proctab *procs, const struct filter *f);
/* Adds one more unless it is there. *ret points into the table until the next addition. */
int netns_add(struct netns_table *t, const struct netns_door *door, const struct filter *f, struct netns **ret);
/* Adds the namespace of a socket that some process holds: no process need be in it. Where it cannot be entered, the table
 * says why. */
int netns_add_held(struct netns_table *t, const struct held_netns *held, const struct filter *f);

struct netns *netns_find(const struct netns_table *t, uint32_t inode);
/* A descriptor of the namespace a socket belongs to, or negative errno. */
int netns_of_socket(int fd);
/* Runs fn in the namespace, and comes back. fn's value; negative errno when it could not be entered. */
int netns_run(const struct netns *ns, int (*fn)(void *arg), void *arg);
/* Each network namespace takes a descriptor, and there may be more than the usual limit of 1024. */
void fd_limit_raise(void);
void netns_clear(struct netns_table *t);

/* What netns_table.c is built from. netns_open_here() is to be called inside the namespace; netns_open_through() answers
 * -ESTALE where the door leads elsewhere by now: the process moved on, or its pid was given to another. */
int netns_open_here(struct netns *ns, const struct filter *f);
int netns_open_through(struct netns *ns, const struct netns_door *door, const struct filter *f);
/* A descriptor of the caller's own namespace, or negative errno. */
int netns_own(void);
int netns_inode_of_fd(int fd, uint32_t *ret);

/* Inode of the network namespace a path names, 0 and -errno. -EINVAL: the path is something else. */
int netns_inode_of_path(const char *path, uint32_t *ret);

#endif
