/* SPDX-License-Identifier: GPL-2.0-only */
/* flow.bpf.h - struct sock -> struct sever_flow. Tracing programs and iterators know the type of their socket and read
 * it directly (typed); the cgroup hooks have only its address, and copy what they read. The compiler drops the branch
 * that is not asked for. */
#ifndef SEVER_BPF_FLOW_H
#define SEVER_BPF_FLOW_H

#include "kernel.h"

#include <bpf/bpf_endian.h>

#define SK_GET(sk, typed, field) ((typed) ? (sk)->field : BPF_CORE_READ(sk, field))

static __always_inline void copy_in6(__u32 to[4], const struct in6_addr *from, bool typed)
{
	if (typed)
		for (int i = 0; i < 4; i++)
			to[i] = from->in6_u.u6_addr32[i];
	else
		bpf_probe_read_kernel(to, sizeof(struct in6_addr), from);
}

static __always_inline bool is_mapped(const __u32 a[4])
{
	return !a[0] && !a[1] && a[2] == bpf_htonl(0xffff);
}

/* The peer says which kind of address the flow has: our own may still be unset. */
static __always_inline void set_addresses(struct sever_flow *f, const __u32 local[4], const __u32 remote[4])
{
	__u32 *l = (__u32 *)f->local, *r = (__u32 *)f->remote;
	bool mapped = is_mapped(remote);

	f->addr_family = mapped ? AF_INET : AF_INET6;
	for (int i = 0; i < 4; i++) {
		l[i] = !mapped ? local[i] : i ? 0 : local[3];
		r[i] = !mapped ? remote[i] : i ? 0 : remote[3];
	}
}

static __always_inline void read_local(struct sock *sk, bool typed, __u16 family, __u32 local[4])
{
	if (family == AF_INET6)
		copy_in6(local, &sk->__sk_common.skc_v6_rcv_saddr, typed);
	else
		local[3] = SK_GET(sk, typed, __sk_common.skc_rcv_saddr);
}

static __always_inline void flow_addresses(struct sock *sk, bool typed, struct sever_flow *f)
{
	__u32 local[4] = {}, remote[4] = {};

	f->local_port = SK_GET(sk, typed, __sk_common.skc_num);
	f->remote_port = bpf_ntohs(SK_GET(sk, typed, __sk_common.skc_dport));
	f->ifindex = SK_GET(sk, typed, __sk_common.skc_bound_dev_if);
	read_local(sk, typed, f->family, local);
	if (f->family == AF_INET6) {
		copy_in6(remote, &sk->__sk_common.skc_v6_daddr, typed);
	} else {
		remote[2] = bpf_htonl(0xffff);
		remote[3] = SK_GET(sk, typed, __sk_common.skc_daddr);
	}
	set_addresses(f, local, remote);
}

static __always_inline __u64 flow_cgroup(struct sock *sk, bool typed)
{
	struct cgroup *cg;

	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return 0;
	if (!typed)
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	cg = sk->sk_cgrp_data.cgroup;
	return cg ? cg->kn->id : 0;
}

/* Everything but the state and the process. *f is zero. */
static __always_inline void flow_fill(struct sock *sk, bool typed, struct sever_flow *f)
{
	f->birth = bpf_ktime_get_boot_ns();
	f->family = SK_GET(sk, typed, __sk_common.skc_family);
	f->protocol = SK_GET(sk, typed, sk_protocol);
	f->uid = SK_GET(sk, typed, sk_uid.val);
	f->netns = typed ? sk->__sk_common.skc_net.net->ns.inum : BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	f->cgroup = flow_cgroup(sk, typed);
	f->login_uid = f->audit_session = SEVER_ID_UNSET;
	if (typed ? BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) : BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
		f->flags |= SEVER_FLOW_KERNEL;
	flow_addresses(sk, typed, f);
}

static __always_inline void flow_task(struct sever_flow *f, struct task_struct *t)
{
	struct task_struct *leader = t->group_leader;
	const __u64 *comm;

	f->pid = t->tgid;
	f->start = leader->start_boottime;
	f->login_uid = bpf_core_field_exists(t->loginuid) ? t->loginuid.val : SEVER_ID_UNSET;
	f->audit_session = bpf_core_field_exists(t->sessionid) ? t->sessionid : SEVER_ID_UNSET;
	comm = (const __u64 *)leader->comm; /* padded with zeros */
	((__u64 *)f->comm)[0] = comm[0];
	((__u64 *)f->comm)[1] = comm[1];
	f->comm[SEVER_COMM_LEN - 1] = 0;
}

#endif
