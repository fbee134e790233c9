/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index.h - the flows of the host in memory, found by what requests name: cookie, remote address, local port, socket's uid,
 * cgroup. About 160 bytes a flow. No I/O and no lock: live.h has both. */
#ifndef SEVER_INDEX_H
#define SEVER_INDEX_H

#include "model/flow.h"

#include "sever/abi.h"

enum index_key { KEY_COOKIE, KEY_REMOTE, KEY_PORT, KEY_UID, KEY_CGROUP, KEY_MAX };

/* What the tags say, and whose the flow was when somebody looked last. */
struct entry {
	uint64_t cookie, birth, cgroup, start;
	uint8_t local[16], remote[16];
	uint32_t netns, ifindex, uid, pid, login_uid, audit_session;
	uint32_t owner;	 /* login uid, ID_UNSET nobody's */
	uint32_t session; /* number of a session of sittings.h, 0 none */
	uint32_t job;	 /* number of the request that is to end it, 0 none */
	uint32_t holder; /* process that was seen to hold it alone when somebody looked last, 0 none */
	uint32_t holder_fd;
	uint16_t local_port, remote_port;
	uint8_t family, addr_family, protocol, direction, flags, state;
	bool transport : 1;
	bool unsure : 1;  /* accepted, and its uid is the listener's: found under the uid ID_UNSET */
	bool missing : 1; /* the kernel's map has it no more; if its end does not come soon, it was lost */
	struct {
		uint32_t next, prev; /* position + 1, 0 none */
	} link[KEY_MAX];
};

struct index {
	struct entry *v;
	uint32_t *heads[KEY_MAX];
	size_t n, used, cap, n_heads;
	size_t n_unowned; /* flows that were not opened here, and are nobody's as far as we know */
	size_t n_subflows; /* below MPTCP connections, which are not here */
	uint32_t free; /* position + 1 of one that is not used; its link[0].next is another */
};

/* The flow of this cookie, new or as it is now; what is known of its owner stays. NULL: no memory. */
struct entry *index_put(struct index *x, uint64_t cookie, const struct sever_flow *f);
struct entry *index_find(const struct index *x, uint64_t cookie);
/* Where it came into being: the entry of the flow, of an MPTCP connection that of its first subflow while that lives. NULL:
 * unknown. */
const struct entry *index_origin(const struct index *x, const struct flow *f);
/* Who it belongs to: a log-in user, or ID_UNSET; a number of a session, or 0. */
void index_own(struct index *x, struct entry *e, uint32_t owner, uint32_t session);
/* What the kernel says of a flow that was unsure. */
void index_set_uid(struct index *x, struct entry *e, uint32_t uid);
bool entry_is_unowned(const struct entry *e);
void index_remove(struct index *x, struct entry *e);
void index_clear(struct index *x);

/* The first and the next entry that may have the key: others may be among them. Valid until one is put or removed.
 *	for (struct entry *e = index_first(x, k, h); e; e = index_next(x, k, e)) ... */
struct entry *index_first(const struct index *x, enum index_key k, uint64_t hash);
struct entry *index_next(const struct index *x, enum index_key k, const struct entry *e);
/* Has it fetched from memory meanwhile: they lie anywhere, and waiting was half of what one cost. NULL: nothing. */
static inline void index_fetch(const struct entry *e)
{
	for (size_t line = 0; e && line < sizeof(*e); line += 64)
		__builtin_prefetch((const char *)e + line);
}
/* All of them, in no order: i from 0 on, NULL where there is none. */
struct entry *index_at(const struct index *x, size_t i);

uint64_t index_hash_addr(const struct addr *a);
uint64_t index_hash_number(uint64_t number);

/* As a scan would show it, but for state (that of its birth) and queues. */
void entry_to_flow(const struct entry *e, struct flow *ret);

#endif
