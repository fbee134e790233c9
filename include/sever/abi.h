/* SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only */
/* abi.h - every struct that crosses from a BPF program to user space.
 * Records arrive packed back to back in an iterator's byte stream; a reader may find
 * one cut in two by the end of its buffer. Both compilers assert the layout. */
#ifndef SEVER_ABI_H
#define SEVER_ABI_H

#ifndef SEVER_BPF
#include <linux/types.h>
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

_Static_assert(sizeof(struct sever_task) == 56, "sever_task layout");
_Static_assert(sizeof(struct sever_holder) == 32, "sever_holder layout");
_Static_assert(sizeof(struct sever_verdict) == 16, "sever_verdict layout");

#endif
