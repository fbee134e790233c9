/* SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only */
/* abi.h - every struct that crosses from a BPF program to user space.
 * Records arrive packed back to back in an iterator's byte stream; a reader may find
 * one cut in two by the end of its buffer. Both compilers assert the layout. */
#ifndef SEVER_ABI_H
#define SEVER_ABI_H

#ifndef SEVER_BPF
#include <linux/bpf.h> /* struct bpf_spin_lock */
#endif

#define SEVER_COMM_LEN 16
#define SEVER_WANTED_MAX 65536 /* sockets, or tasks, that a pass of owner.bpf.c can be restricted to */
#define SEVER_WANTED_BITS (1 << 19)
#define SEVER_ID_UNSET 0xffffffffu /* loginuid and sessionid of a process that never logged in */

/* The bit of a cookie in owner.bpf.c:wanted_bits. */
static inline __u32 sever_wanted_bit(__u64 cookie)
{
	return (cookie * 0x9e3779b97f4a7c15ull) >> 45 & (SEVER_WANTED_BITS - 1);
}

/* One process (thread group), from owner.bpf.c:tasks. Ids are those of the initial namespaces. */
struct sever_task {
	__u64 cgroup; /* id of its cgroup v2, 0 unknown */
	__u64 start;  /* ns since boot */
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 login_uid;
	__u32 audit_session;
	__u32 netns; /* inode number, 0 for a zombie */
	char comm[SEVER_COMM_LEN];
};

/* One socket held by one process, from owner.bpf.c:holders. */
struct sever_holder {
	__u64 cookie;
	__u32 pid;
	__u32 fd;
	__u32 netns; /* of the socket, which need not be the one of the process */
	__u8 family;
	__u8 new_netns; /* the first socket seen of a namespace that is not in known_netns */
	__u16 protocol;
	__u32 inode;
	__u32 tid; /* a thread that has the descriptor: the first one, unless that has ended */
};

/* What bpf_sock_destroy() answered for one socket, from destroy.bpf.c. */
struct sever_verdict {
	__u64 cookie;
	__s32 err;
	__u32 state;
};

/* From here on: bpf/track.bpf.c. What it pinned is taken over by a later process only if that says the same number. */
#define SEVER_TRACK_ABI 2

enum { SEVER_DIR_UNKNOWN, SEVER_DIR_IN, SEVER_DIR_OUT };
enum {
	SEVER_FLOW_ADOPTED = 1, /* older than the programs: nobody saw who opened it, nor when */
	SEVER_FLOW_PENDING = 2, /* a connect() under way: no local port yet; of UDP it may also have failed */
	SEVER_FLOW_KERNEL = 4,	/* a socket of the kernel's own */
	SEVER_FLOW_SUBFLOW = 8, /* below an MPTCP connection, which itself is not here */
};

/* One flow, by its cookie, while it lives: TCP from SYN_SENT or ESTABLISHED to CLOSE, UDP while connected. */
struct sever_flow {
	__u64 birth;  /* ns since boot */
	__u64 cgroup; /* id of the cgroup v2 the socket was born in; accepted: of the listener's. 0 unknown */
	__u64 start;  /* of the process, ns since boot */
	__u8 local[16], remote[16];
	__u32 netns;
	__u32 ifindex; /* of the device it is bound to, 0 none */
	__u32 uid;     /* accepted: of the listener, until the state changes next */
	/* Who called connect(): 0 and SEVER_ID_UNSET where nobody did or none was seen. */
	__u32 pid;
	__u32 login_uid;
	__u32 audit_session;
	__u16 local_port, remote_port;
	__u8 family;	  /* of the socket */
	__u8 addr_family; /* of the addresses: AF_INET where they were v4-mapped */
	__u8 protocol;
	__u8 state;
	__u8 direction;
	__u8 flags;
	__u16 seen; /* the last pass over all sockets that met it */
	__s32 err; /* of an abort under way */
	char comm[SEVER_COMM_LEN];
};

/* LOGIN is told of a process that seems to begin a session of a user, so that whoever attributes flows looks at what it
 * holds at once: the first fork in an audit session, by the process that was given it (a login service forks once the
 * session is open); and each process that is put into another cgroup v2 (the scope of a session is one, so is that of
 * any service: what it means is the reader's to find out). In its flow are only the process (pid, start, comm,
 * login_uid, audit_session) and its cgroup; the cookie and all the rest are 0. */
enum { SEVER_EVENT_BIRTH = 1, SEVER_EVENT_END, SEVER_EVENT_LOGIN };
enum sever_cause {
	SEVER_CAUSE_NONE,
	SEVER_CAUSE_DESTROYED, /* SOCK_DESTROY or bpf_sock_destroy() */
	SEVER_CAUSE_RESET,     /* by the peer */
	SEVER_CAUSE_REFUSED,   /* connect() */
	SEVER_CAUSE_PEER,      /* closed by the peer first */
	SEVER_CAUSE_LOCAL,     /* closed, reset or connected elsewhere by its owner first; or both at once */
	SEVER_CAUSE_TIMEOUT,
	SEVER_CAUSE_ERROR, /* see err */
};

/* One record of the ring buffer. Counts are of payload and of the END of TCP; all others are 0. */
struct sever_event {
	__u64 cookie;
	__u64 time;	/* ns since boot */
	__u64 sent;	/* bytes, those sent again not counted again */
	__u64 acked;	/* of these, by the peer's kernel */
	__u64 received; /* by this kernel, if not by the program */
	struct sever_flow flow;
	__u32 kind;
	__u8 cause;
	__u8 state; /* the one it ended from */
	__u16 reserved;
	__s32 err;    /* errno the kernel gave the socket, positive; 0 none */
	__u32 queued; /* bytes that the program had written and the peer had not acknowledged, sent or not */
};

/* What the programs could not do, counted on each CPU. */
enum {
	SEVER_LOST_EVENTS, /* the ring buffer was full, or an end could not be written down */
	SEVER_LOST_FLOWS,  /* the map was full, or there was no memory */
	SEVER_LOST_MAX
};

/* The one entry of the map `control`. */
struct sever_control {
	__u32 abi;
	__u32 pass; /* over all sockets: the number of the last one, 16 bits */
};

/* From here on: bpf/fence.bpf.c. */
#define SEVER_FENCE_ABI 1

/* Whom a fence keeps from what: others from coming in; or from going out everybody, or those processes that have the
 * login uid, uid, audit session or cgroup (itself or an ancestor) that is its subject. */
enum sever_fence_kind {
	SEVER_FENCE_IN,
	SEVER_FENCE_OUT,
	SEVER_FENCE_OUT_LOGIN,
	SEVER_FENCE_OUT_UID,
	SEVER_FENCE_OUT_SESSION,
	SEVER_FENCE_OUT_CGROUP,
	SEVER_FENCE_KINDS
};

/* What a fence names besides who and the address. Each of these 8 shapes is a look-up of its own, where there are such
 * fences. */
enum { SEVER_FENCE_PORT = 1, SEVER_FENCE_PROTOCOL = 2, SEVER_FENCE_NETNS = 4, SEVER_FENCE_SHAPES = 8 };

/* Who goes out, or the namespace that others come into: a number stands for each of these in the trie, so that whom no
 * fence names is not looked for there. */
struct sever_fence_who {
	__u64 subject;
	__u32 netns; /* inode, 0 any */
	__u32 kind;
};
#define SEVER_FENCE_COMES_IN 0 /* the number of those, whatever the namespace */

/* Of the trie: what is to be equal, then the address of the other end, of which a prefix is. What is not named is 0.
 * The shorter, the faster. */
struct sever_fence_key {
	__u32 prefix_len; /* in bits, of all that follows */
	__u32 who;
	__u16 port; /* the server's: our own for who comes in */
	__u8 protocol;
	__u8 family;	 /* AF_INET also where the socket is one of IPv6 */
	__u8 remote[16]; /* IPv4: the first four */
};
#define SEVER_FENCE_HEAD_BITS 56 /* and any address of both families */
#define SEVER_FENCE_ADDR_BITS 64 /* what is before the address */

/* The longest prefix alone is found; where it has expired, one of those that cover it may still stand. Times are ns
 * since boot, ids are never 0. */
struct sever_fence_entry {
	__u64 until;
	__u64 id;
	__u64 cover_until; /* of the fences of shorter prefixes the one that stands longest */
	__u64 cover_id;	   /* 0 none */
};

/* What a fence refused. There is one for each key of the trie, so that these tell which keys there are. */
struct sever_fence_count {
	struct bpf_spin_lock lock;
	struct sever_fence_key key;
	struct sever_fence_who who;
	__u64 count;
	__u64 last; /* ns since boot; and whom: */
	__u64 told; /* by the ring buffer, the last time */
	__u8 remote[16]; /* v4-mapped for IPv4 */
	__u16 remote_port, local_port; /* 0: none yet */
	__u32 zero;
};

/* One refusal among those the ring buffer tells. The process is known of who goes out, else 0 and SEVER_ID_UNSET. */
struct sever_fence_hit {
	__u64 fence;
	__u64 time;  /* ns since boot */
	__u64 count; /* this one included */
	__u8 remote[16]; /* v4-mapped for IPv4 */
	__u16 remote_port, local_port;
	__u32 pid;
	__u32 uid;
	__u32 login_uid;
	__u32 audit_session;
	__u8 kind; /* SEVER_FENCE_*, of the fence */
	__u8 protocol;
	__u16 zero;
	char comm[SEVER_COMM_LEN];
};

/* What the programs look at first. */
struct sever_fence_control {
	__u32 abi;
	__u8 shapes[SEVER_FENCE_KINDS]; /* bits 1 << shape: there are such fences */
	__u8 out;			/* there are fences of any kind but IN ... */
	__u8 out_netns;			/* ... and some of them name a namespace */
};

_Static_assert(sizeof(struct sever_fence_who) == 16, "sever_fence_who layout");
_Static_assert(sizeof(struct sever_fence_key) == 28, "sever_fence_key layout");
_Static_assert(sizeof(struct sever_fence_entry) == 32, "sever_fence_entry layout");
_Static_assert(sizeof(struct sever_fence_count) == 96, "sever_fence_count layout");
_Static_assert(sizeof(struct sever_fence_hit) == 80, "sever_fence_hit layout");
_Static_assert(sizeof(struct sever_fence_control) == 12, "sever_fence_control layout");
_Static_assert(sizeof(struct sever_flow) == 112, "sever_flow layout");
_Static_assert(sizeof(struct sever_event) == 168, "sever_event layout");
_Static_assert(sizeof(struct sever_control) == 8, "sever_control layout");
_Static_assert(sizeof(struct sever_task) == 56, "sever_task layout");
_Static_assert(sizeof(struct sever_holder) == 32, "sever_holder layout");
_Static_assert(sizeof(struct sever_verdict) == 16, "sever_verdict layout");

#endif
