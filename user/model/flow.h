/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* flow.h - one socket that talks to one peer, who it belongs to, and what became of it.
 * Identity is the cookie, see flow_key(). Addresses and ports are only a label. */
#ifndef SEVER_FLOW_H
#define SEVER_FLOW_H

#include "model/addr.h"
#include "model/proc.h"
#include "model/session.h"

enum proto { PROTO_TCP, PROTO_UDP, PROTO_MPTCP, PROTO_OTHER, PROTO_MAX };

/* The numbers of the kernel's include/net/tcp_states.h. */
enum state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT,
	STATE_SYN_RECV,
	STATE_FIN_WAIT1,
	STATE_FIN_WAIT2,
	STATE_TIME_WAIT,
	STATE_CLOSE, /* TCP: not in any dump. UDP: bound and not connected */
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
	STATE_CLOSING,
	STATE_NEW_SYN_RECV, /* a request in the backlog; shown as syn-recv */
	STATE_BOUND_INACTIVE,
	STATE_MAX
};

enum direction { DIR_UNKNOWN, DIR_IN, DIR_OUT, DIR_MAX };

/* How the user of a flow was found. */
enum via { VIA_UNKNOWN, VIA_TRANSPORT, VIA_SESSION, VIA_LOGIN, VIA_UID, VIA_LABEL, VIA_ADOPTED, VIA_MAX };

enum outcome {
	OUT_NONE, /* a listing: nothing was to happen */
	OUT_PLANNED,
	OUT_DEAD,
	OUT_ALIVE,
	OUT_STALE,
	OUT_DENIED,
	OUT_UNSUPPORTED,
	OUT_SPARED,
	OUT_MAX
};

/* Guarded tables; an entry is NULL only where the value means "unknown" or "none". */
extern const char *const proto_name[], *const state_name[], *const direction_name[], *const via_name[],
	*const outcome_name[];

struct flow {
	uint64_t cookie; /* 64 bits, unique on the host since boot */
	uint64_t cgroup; /* cgroup v2 id the socket was born in, 0 unknown */
	uint64_t since;  /* when it came to be, see moment.h; 0 unknown */
	uint64_t sent, received; /* bytes of payload of a TCP connection, where `counted` */
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t netns;   /* inode number */
	uint32_t inode;   /* of the socket, 0: no descriptor (backlog, orphan, time-wait) */
	uint32_t ifindex; /* the device it is bound to, 0 none */
	uint32_t uid;     /* owner of the socket */
	uint32_t rqueue, wqueue; /* bytes not read, bytes not acknowledged */
	uint32_t min_age_ms;     /* how long it certainly exists; 0 nothing is certain */
	uint32_t idle_ms;        /* since a byte of payload last came or went, or else since it exists; where `timed` */
	uint16_t family;         /* of the socket: a v4-mapped flow says AF_INET6 and has AF_INET addresses */
	uint8_t proto, state, direction, via, outcome;
	bool transport;     /* carries a session, or was accepted where there is no session */
	bool user_known;    /* false: orphan, or its holders could not be seen */
	bool self;          /* carries the caller's own session */
	bool subflow;       /* a TCP socket below an MPTCP connection */
	bool tracked;       /* from the tags: its uid is what they saw, its inode is not known */
	bool present;       /* seen by the last look after it was to be destroyed */
	bool counted, timed; /* what the kernel counts of a TCP connection is known */
	bool waiting;        /* in a listing of sessions: it is about to carry one, and nobody has logged in yet */
	uint8_t tried;      /* engines that had their turn */
	uint32_t user;      /* login uid by the precedence of flow_attribute() */
	uint32_t login_uid; /* ID_UNSET unless via transport, session or login */
	uint32_t shared_with; /* a second login uid that holds it too, ID_UNSET none */
	int32_t proc;         /* index into the proctab: who is shown as holding it, -1 none */
	int32_t session;      /* index into the sessions, -1 none */
	int err;              /* 0 or a negative errno of the last attempt */
	const char *note;     /* static text: why not dead, NULL none */
	const char *engine;   /* name of the engine that cut it, NULL none */
	const struct flow *backend; /* in a listing: what the process that was given this one has opened, NULL unknown; borrowed */
	/* For people and programs, filled before a report; borrowed from caches of the source. */
	const char *user_name, *shared_name, *cgroup_path, *netns_name;
};

/* Victims and listings: flows in the order they were found, each cookie once. */
struct flowset {
	struct flow *v;
	size_t n, cap;
	uint32_t *index; /* open addressing: position + 1 in v, 0 empty */
	size_t slots;
};

/* Adds a copy of f unless its socket is there. Returns 1 added, 0 was there, -ENOMEM. */
int flowset_add(struct flowset *s, const struct flow *f);
/* The flow of the set that is the same socket as f. */
struct flow *flowset_find(const struct flowset *s, const struct flow *f);
/* Drops every flow for which keep() is false. Pointers into the set move. */
void flowset_filter(struct flowset *s, bool (*keep)(const struct flow *f, void *arg), void *arg);
void flowset_clear(struct flowset *s);

/* What tells one socket from every other of the host: its cookie, since boot. But the kernel copies the cookie of an MPTCP
 * listener to each socket accepted from it (6.18, net/mptcp/protocol.c:mptcp_sk_clone_init()), so of MPTCP it is the inode. */
uint64_t flow_key(const struct flow *f);
uint64_t mptcp_key(uint32_t inode);

/* COOKIE@NETNS, by flow_key(). Returns buf. */
#define FLOW_HANDLE_LEN 28
const char *flow_handle(const struct flow *f, char buf[FLOW_HANDLE_LEN]);
/* Whether COOKIE@NETNS names f: by flow_key(), which is what the reports print; of an MPTCP connection opened here, whose cookie
 * is its own, by the cookie as well. */
bool flow_has_handle(const struct flow *f, uint64_t cookie, uint32_t netns);
/* Whether what was found under a victim's key is the victim's connection still: a closed one may leave a TIME_WAIT behind, and
 * a destroyed UDP socket lives on without a peer. */
bool flow_is_same(const struct flow *victim, const struct flow *found);

bool flow_is_tcp(const struct flow *f); /* TCP or MPTCP */
const char *flow_carrier(const struct flow *f); /* the protocol with its family: "tcp", "tcp6" */
bool flow_uid_known(const struct flow *f); /* an orphan is dumped with uid 0, which is no evidence for root */

#endif
