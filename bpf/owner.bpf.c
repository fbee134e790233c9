// SPDX-License-Identifier: GPL-2.0-only
/* owner.bpf.c - which process holds which socket, and who the processes are.
 * Two programs, each a stream of fixed records: `tasks` writes every thread group, `holders` internet sockets
 * behind file descriptors. A pass over the holders can be restricted to the tasks in `wanted_tasks`, or to the sockets
 * in `wanted` (of whatever family); the latter also writes one socket of each namespace missing from `known_netns`:
 * the way to find a namespace that no process is in any more. */
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL";

__u32 caller; /* initial pid of whoever reads the tasks */

/* Set before each pass; not const, so that one load serves all. */
bool only_tasks, only_wanted, find_netns;
/* Spares nearly every unwanted socket the look into `wanted`: its bit is clear. */
__u64 wanted_bits[SEVER_WANTED_BITS / 64];
/* The task and the namespace asked about last: they come in runs. */
__u32 last_task; /* 0 before each pass */
static bool last_task_wanted;
static const struct net *last_net;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SEVER_WANTED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} wanted_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SEVER_WANTED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} wanted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} known_netns SEC(".maps");

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct sever_task r = {};

	/* A process whose first thread has ended shows its namespace in the others. */
	if (!t || (t->pid != t->tgid && (t->group_leader->nsproxy || !t->nsproxy)))
		return 0;
	caller = bpf_get_current_pid_tgid() >> 32;
	r.pid = t->pid;
	r.ppid = t->real_parent->tgid;
	r.uid = t->real_cred->uid.val;
	r.login_uid = r.audit_session = SEVER_ID_UNSET;
	if (bpf_core_field_exists(t->loginuid)) {
		r.login_uid = t->loginuid.val;
		r.audit_session = t->sessionid;
	}
	r.netns = BPF_CORE_READ(t, nsproxy, net_ns, ns.inum); /* nsproxy is NULL in a zombie */
	r.cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	r.start = t->start_boottime;
	bpf_probe_read_kernel_str(r.comm, sizeof(r.comm), t->comm);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

static bool is_inet(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

static bool task_wanted(__u32 pid)
{
	if (pid != last_task) {
		last_task = pid;
		last_task_wanted = bpf_map_lookup_elem(&wanted_tasks, &pid);
	}
	return last_task_wanted;
}

static bool socket_wanted(__u64 cookie)
{
	__u32 bit = sever_wanted_bit(cookie);

	return wanted_bits[bit / 64] & 1ull << bit % 64 && bpf_map_lookup_elem(&wanted, &cookie);
}

/* Each new namespace is noted at once, so that it is reported once. */
static bool is_new_netns(const struct net *net)
{
	__u8 yes = 1;
	__u32 netns;

	if (net == last_net)
		return false;
	last_net = net;
	netns = net->ns.inum;
	return !bpf_map_lookup_elem(&known_netns, &netns) &&
	       !bpf_map_update_elem(&known_netns, &netns, &yes, BPF_ANY);
}

/* A pass looks at every socket of the host and each look is a cache miss, so the fields are read in the order of
 * what settles most: those of the first two cache lines suffice for a socket nobody wants. A socket without a
 * cookie was in no dump. */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sever_holder r = {};
	struct socket *sock;
	struct sock *sk;

	if (!task || !file || (only_tasks && !task_wanted(task->tgid)))
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk)
		return 0;
	r.new_netns = find_netns && is_inet(sk) && is_new_netns(sk->__sk_common.skc_net.net);
	if (only_wanted) {
		if (!r.new_netns && !socket_wanted(sk->__sk_common.skc_cookie.counter))
			return 0;
	} else if (!is_inet(sk)) {
		return 0;
	}
	r.netns = sk->__sk_common.skc_net.net->ns.inum;
	r.cookie = bpf_get_socket_cookie(sk);
	r.pid = task->tgid;
	r.tid = task->pid;
	r.fd = ctx->fd;
	r.family = sk->__sk_common.skc_family;
	r.protocol = sk->sk_protocol;
	r.inode = file->f_inode->i_ino;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
