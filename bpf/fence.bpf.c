// SPDX-License-Identifier: GPL-2.0-only
/* fence.bpf.c - who may not come in, and who may not go out. Only what is new is looked at: sk_lookup runs where no
 * connection was found for a packet, the cgroup hooks run in connect() and where a datagram is given its address.
 * A fence ends when its time has come, whoever put it up. */
#include "fences.bpf.h"

#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

enum { SK_DROP, SK_PASS };
enum { REFUSE, ALLOW };
enum { PF_KTHREAD = 0x200000 };

#define CGROUP_LEVELS 32

static __always_inline void set_v4(struct sever_fence_key *k, __be32 addr)
{
	__u32 *a = (__u32 *)k->remote;

	k->prefix_len = SEVER_FENCE_ADDR_BITS + 32;
	k->family = AF_INET;
	a[0] = addr;
	a[1] = a[2] = a[3] = 0;
}

static __always_inline void set_v6(struct sever_fence_key *k, __u32 a0, __u32 a1, __u32 a2, __u32 a3)
{
	__u32 *a = (__u32 *)k->remote;

	if (!a0 && !a1 && a2 == bpf_htonl(0xffff)) {
		set_v4(k, a3);
		return;
	}
	k->prefix_len = SEVER_FENCE_ADDR_BITS + 128;
	k->family = AF_INET6;
	a[0] = a0;
	a[1] = a1;
	a[2] = a2;
	a[3] = a3;
}

static __always_inline void set_hit(struct sever_fence_hit *h, const struct sever_fence_key *k, __u64 id)
{
	const __u32 *from = (const __u32 *)k->remote;
	bool v4 = k->family == AF_INET;
	__u32 *to = (__u32 *)h->remote;

	h->fence = id;
	h->time = bpf_ktime_get_boot_ns();
	h->protocol = k->protocol;
	to[0] = v4 ? 0 : from[0];
	to[1] = v4 ? 0 : from[1];
	to[2] = v4 ? bpf_htonl(0xffff) : from[2];
	to[3] = v4 ? from[0] : from[3];
}

static __noinline void refuse_in(struct bpf_sk_lookup *ctx, const struct sever_fence_key *k, __u64 id)
{
	struct sever_fence_hit h = {
		.kind = SEVER_FENCE_IN,
		.local_port = k->port,
		.remote_port = bpf_ntohs(ctx->remote_port),
		.login_uid = SEVER_ID_UNSET,
		.audit_session = SEVER_ID_UNSET,
	};

	set_hit(&h, k, id);
	count(&h);
}

/* No device: nobody comes in, but sock_diag asks which socket it would be. It does so for each connection that is to be
 * destroyed or looked for and is no more. */
SEC("sk_lookup")
int fence_in(struct bpf_sk_lookup *ctx)
{
	struct sever_fence_key k = { .who = SEVER_FENCE_COMES_IN };
	__u32 shapes = control.shapes[SEVER_FENCE_IN];
	__u64 id;

	if (!shapes || !ctx->ingress_ifindex)
		return SK_PASS;
	k.port = ctx->local_port;
	k.protocol = ctx->protocol;
	if (ctx->family == AF_INET)
		set_v4(&k, ctx->remote_ip4);
	else
		set_v6(&k, ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2], ctx->remote_ip6[3]);
	id = find(&k, shapes);
	if (!id)
		return SK_PASS;
	refuse_in(ctx, &k, id);
	return SK_DROP;
}

/* What is known of who goes out. */
struct leaver {
	struct sever_fence_key key; /* but for the number of who it is */
	__u32 netns, kind;
};

/* Those of its namespace come first. */
static __noinline __u64 find_who(struct leaver *l, __u32 kind, __u64 subject)
{
	struct sever_fence_who w = { .kind = kind, .subject = subject, .netns = l->netns };
	__u32 *number, shapes;
	__u64 id = 0;

	if (kind >= SEVER_FENCE_KINDS)
		return 0;
	shapes = control.shapes[kind];
	l->kind = kind;
	number = shapes >> SEVER_FENCE_NETNS ? bpf_map_lookup_elem(&leavers, &w) : NULL;
	if (number) {
		l->key.who = *number;
		id = find(&l->key, shapes >> SEVER_FENCE_NETNS);
	}
	w.netns = 0;
	shapes &= (1 << SEVER_FENCE_NETNS) - 1;
	number = !id && shapes ? bpf_map_lookup_elem(&leavers, &w) : NULL;
	if (number) {
		l->key.who = *number;
		id = find(&l->key, shapes);
	}
	return id;
}

/* From the root down; what is nested deeper than that is still known by its own id. */
static __always_inline __u64 find_cgroup(struct leaver *l)
{
	__u64 id, cgroup;

	if (!control.shapes[SEVER_FENCE_OUT_CGROUP])
		return 0;
	id = find_who(l, SEVER_FENCE_OUT_CGROUP, bpf_get_current_cgroup_id());
	for (int level = 0; level < CGROUP_LEVELS && !id; level++) {
		cgroup = bpf_get_current_ancestor_cgroup_id(level);
		if (!cgroup)
			break;
		id = find_who(l, SEVER_FENCE_OUT_CGROUP, cgroup);
	}
	return id;
}

static __always_inline __u32 login_of(const struct task_struct *t)
{
	return bpf_core_field_exists(t->loginuid) ? t->loginuid.val : SEVER_ID_UNSET;
}

static __always_inline __u32 session_of(const struct task_struct *t)
{
	return bpf_core_field_exists(t->sessionid) ? t->sessionid : SEVER_ID_UNSET;
}

static __always_inline __u64 find_task(struct leaver *l, const struct task_struct *t)
{
	__u64 id = find_who(l, SEVER_FENCE_OUT_LOGIN, login_of(t));

	if (!id)
		id = find_who(l, SEVER_FENCE_OUT_UID, t->real_cred->uid.val);
	if (!id)
		id = find_who(l, SEVER_FENCE_OUT_SESSION, session_of(t));
	if (!id)
		id = find_cgroup(l);
	return id ?: find_who(l, SEVER_FENCE_OUT, 0);
}

/* Pid and name are of the thread group, as flow_task() tells them; the ids are those of the thread that does it. */
static __noinline void refuse_out(const struct leaver *l, __u64 id)
{
	struct task_struct *t = bpf_get_current_task_btf(), *leader = t->group_leader;
	const __u64 *comm = (const __u64 *)leader->comm;
	struct sever_fence_hit h = {
		.kind = l->kind,
		.remote_port = l->key.port,
		.pid = t->tgid,
		.uid = t->real_cred->uid.val,
		.login_uid = login_of(t),
		.audit_session = session_of(t),
	};

	((__u64 *)h.comm)[0] = comm[0];
	((__u64 *)h.comm)[1] = comm[1];
	h.comm[SEVER_COMM_LEN - 1] = 0;
	set_hit(&h, &l->key, id);
	count(&h);
}

/* The kernel's own threads (NFS and the like) are nobody's. The address is set. */
static __noinline int leaving(struct bpf_sock_addr *ctx, struct leaver *l)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 protocol = ctx->protocol;
	__u64 id;

	if (t->flags & PF_KTHREAD ||
	    (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_MPTCP))
		return ALLOW;
	if (control.out_netns)
		l->netns = BPF_CORE_READ(untyped(ctx->sk), __sk_common.skc_net.net, ns.inum);
	l->key.port = bpf_ntohs(ctx->user_port);
	l->key.protocol = protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	id = find_task(l, t);
	if (!id)
		return ALLOW;
	refuse_out(l, id);
	return REFUSE;
}

/* To no address is to ourselves. */
static __always_inline int leaving4(struct bpf_sock_addr *ctx)
{
	struct leaver l = {};
	__u32 to = ctx->user_ip4;

	set_v4(&l.key, to ?: ctx->sk->src_ip4 ?: bpf_htonl(0x7f000001));
	return leaving(ctx, &l);
}

static __always_inline int leaving6(struct bpf_sock_addr *ctx)
{
	struct leaver l = {};
	__u32 a0 = ctx->user_ip6[0], a1 = ctx->user_ip6[1], a2 = ctx->user_ip6[2], a3 = ctx->user_ip6[3];

	if (a0 | a1 | a2 | a3)
		set_v6(&l.key, a0, a1, a2, a3);
	else if (ctx->sk->src_ip6[2] == bpf_htonl(0xffff) && !ctx->sk->src_ip6[0] && !ctx->sk->src_ip6[1])
		set_v4(&l.key, bpf_htonl(0x7f000001));
	else
		set_v6(&l.key, 0, 0, 0, bpf_htonl(1));
	return leaving(ctx, &l);
}

SEC("cgroup/connect4")
int fence_connect4(struct bpf_sock_addr *ctx)
{
	return control.out ? leaving4(ctx) : ALLOW;
}

SEC("cgroup/connect6")
int fence_connect6(struct bpf_sock_addr *ctx)
{
	return control.out ? leaving6(ctx) : ALLOW;
}

SEC("cgroup/sendmsg4")
int fence_sendmsg4(struct bpf_sock_addr *ctx)
{
	return control.out ? leaving4(ctx) : ALLOW;
}

SEC("cgroup/sendmsg6")
int fence_sendmsg6(struct bpf_sock_addr *ctx)
{
	return control.out ? leaving6(ctx) : ALLOW;
}
