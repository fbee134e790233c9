/* SPDX-License-Identifier: GPL-2.0-only */
/* kernel.h - the few kernel types the programs touch, relocated by CO-RE at load time, so
 * that no BTF of the build host is needed. Only the fields that are read stand here. */
#ifndef SEVER_BPF_KERNEL_H
#define SEVER_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false, true };

/* Of the kernel's UAPI, which does not move. */
struct bpf_spin_lock {
	__u32 val;
};
struct bpf_sock {
	__u32 bound_dev_if, family, type, protocol, mark, priority, src_ip4, src_ip6[4];
};
struct bpf_sock_addr {
	__u32 user_family, user_ip4, user_ip6[4], user_port, family, type, protocol, msg_src_ip4, msg_src_ip6[4];
	struct bpf_sock *sk;
};
struct bpf_sk_lookup {
	__u64 cookie;
	__u32 family, protocol, remote_ip4, remote_ip6[4], remote_port, local_ip4, local_ip6[4], local_port;
	__u32 ingress_ifindex;
};

#define SEVER_BPF
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "sever/abi.h"

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262

enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2, BPF_F_NO_PREALLOC = 1 };
enum bpf_map_type { BPF_MAP_TYPE_HASH = 1 };

/* The socket states of include/net/tcp_states.h; UDP uses ESTABLISHED and CLOSE. */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	struct {
		__s64 counter;
	} skc_cookie; /* an atomic64_t; 0 until somebody asks */
};
typedef struct {
	unsigned int val;
} kuid_t;
struct kernfs_node {
	__u64 id;
};
struct cgroup_root {
	int hierarchy_id; /* 0: v2 */
};
struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};
struct socket;
struct sock {
	struct sock_common __sk_common;
	int sk_err;
	struct socket *sk_socket;
	kuid_t sk_uid;
	__u16 sk_protocol;
	__u8 sk_kern_sock : 1;
	struct sock_cgroup_data sk_cgrp_data;
};
struct tcp_sock {
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u64 bytes_acked;
	__u32 write_seq;
	__u32 snd_una;
	bool is_mptcp;
};
struct inode {
	unsigned long i_ino;
};
struct file {
	struct inode *f_inode;
	void *private_data;
	struct {
		__s64 counter;
	} f_count; /* before 6.13 */
	struct {
		struct {
			__s64 counter;
		} refcnt;
	} f_ref;
};
struct socket {
	struct sock *sk;
	struct file *file;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct {
		int counter;
	} count;
	struct fdtable *fdt;
};
struct udp_sock;

struct cred {
	kuid_t uid;
	kuid_t fsuid;
};
struct nsproxy {
	struct net *net_ns;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};
struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *real_cred;
	kuid_t loginuid;        /* CONFIG_AUDIT */
	unsigned int sessionid; /* CONFIG_AUDIT */
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	struct files_struct *files;
	__u64 start_boottime;
	char comm[SEVER_COMM_LEN];
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

#pragma clang attribute pop

/* A number instead of a pointer whose type the verifier minds. */
static __always_inline struct sock *untyped(void *sk)
{
	struct sock *plain = 0;

	bpf_probe_read_kernel(&plain, sizeof(plain), &sk);
	return plain;
}

#endif
