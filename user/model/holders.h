/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* holders.h - which processes hold which socket, for hundreds of thousands of sockets in few bytes.
 * Most sockets share their set of holders with thousands of others, so sets are interned: a set is a smaller set and one
 * process more, and a socket costs one 16-byte slot. */
#ifndef SEVER_HOLDERS_H
#define SEVER_HOLDERS_H

#include "model/base.h"

struct holder_set {
	uint32_t parent; /* the set without `proc`, 0: the empty set */
	uint32_t proc;   /* index into the proctab */
};

#define HOLDER_FD_UNKNOWN UINT32_MAX

struct holder_slot {
	uint64_t key; /* flow_key() or inode number; 0 empty */
	uint32_t set; /* index into sets */
	uint32_t fd;  /* of the first of them, HOLDER_FD_UNKNOWN */
};

struct holders {
	struct holder_set *sets; /* [0] is the empty set */
	size_t n_sets, cap_sets;
	uint32_t *interned; /* open addressing over (parent, proc) */
	size_t n_interned;
	struct holder_slot *slots;
	size_t n, n_slots;
};

/* Notes that proc holds the socket `key` (non-zero). 0 or -ENOMEM. */
int holders_add(struct holders *h, uint64_t key, uint32_t proc);
/* The same, where its descriptor is known. */
int holders_add_at(struct holders *h, uint64_t key, uint32_t proc, uint32_t fd);
/* The set of a socket, 0 (empty) when nobody was seen holding it. Walk it:
 *	for (uint32_t s = holders_find(h, key); s; s = h->sets[s].parent) use(h->sets[s].proc); */
uint32_t holders_find(const struct holders *h, uint64_t key);
void holders_clear(struct holders *h);

#endif
