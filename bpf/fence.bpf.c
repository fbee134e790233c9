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

	k->family = AF_INET;
	a[0] = a[1] = 0;
	a[2] = bpf_htonl(0xffff);
	a[3] = addr;
}

static __always_inline void set_v6(struct sever_fence_key *k, __u32 a0, __u32 a1, __u32 a2, __u32 a3)
{
	__u32 *a = (__u32 *)k->remote;

	k->family = !a0 && !a1 && a2 == bpf_htonl(0xffff) ? AF_INET : AF_INET6;
	a[0] = a0;
	a[1] = a1;
	a[2] = a2;
	a[3] = a3;
}

static __always_inline void set_hit(struct sever_fence_hit *h, const struct sever_fence_key *k, __u64 id, __u64 now)
{
	h->fence = id;
	h->time = now;
	h->kind = k->kind;
	h->protocol = k->protocol;
	((__u64 *)h->remote)[0] = ((const __u64 *)k->remote)[0];
	((__u64 *)h->remote)[1] = ((const __u64 *)k->remote)[1];
}

/* No device: nobody comes in, but sock_diag asks which socket it would be. It does so for each connection that is to be
 * destroyed or looked for and is no more. */
SEC("sk_lookup")
int fence_in(struct bpf_sk_lookup *ctx)
{
	struct sever_fence_key k = { .prefix_len = SEVER_FENCE_BITS, .kind = SEVER_FENCE_IN };
	struct sever_fence_hit h = { .login_uid = SEVER_ID_UNSET, .audit_session = SEVER_ID_UNSET };
	__u64 now, id;

	if (!control.shapes[SEVER_FENCE_IN] || !ctx->ingress_ifindex)
		return SK_PASS;
	k.port = ctx->local_port;
	k.protocol = ctx->protocol;
	if (ctx->family == AF_INET)
		set_v4(&k, ctx->remote_ip4);
	else
		set_v6(&k, ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2], ctx->remote_ip6[3]);
	now = bpf_ktime_get_boot_ns();
	id = find(&k, now);
	if (!id)
		return SK_PASS;
	set_hit(&h, &k, id, now);
	h.local_port = k.port;
	h.remote_port = bpf_ntohs(ctx->remote_port);
	count(&h);
	return SK_DROP;
}

static __always_inline __u64 find_subject(struct sever_fence_key *k, __u8 kind, __u64 subject, __u64 now)
{
	if (!control.shapes[kind])
		return 0;
	k->kind = kind;
	k->subject = subject;
	return find(k, now);
}

/* From the root down; what is nested deeper than that is still known by its own id. */
static __always_inline __u64 find_cgroup(struct sever_fence_key *k, __u64 now)
{
	__u64 id = 0;

	if (!control.shapes[SEVER_FENCE_OUT_CGROUP])
		return 0;
	k->kind = SEVER_FENCE_OUT_CGROUP;
	k->subject = bpf_get_current_cgroup_id();
	id = find(k, now);
	for (int level = 0; level < CGROUP_LEVELS && !id; level++) {
		k->subject = bpf_get_current_ancestor_cgroup_id(level);
		if (!k->subject)
			break;
		id = find(k, now);
	}
	return id;
}

static __always_inline __u64 find_task(struct sever_fence_key *k, const struct sever_fence_hit *who, __u64 now)
{
	__u64 id = find_subject(k, SEVER_FENCE_OUT_LOGIN, who->login_uid, now);

	if (!id)
		id = find_subject(k, SEVER_FENCE_OUT_UID, who->uid, now);
	if (!id)
		id = find_subject(k, SEVER_FENCE_OUT_SESSION, who->audit_session, now);
	if (!id)
		id = find_cgroup(k, now);
	return id ?: find_subject(k, SEVER_FENCE_OUT, 0, now);
}

/* Of the thread group, as flow_task() tells it; but the uid of the thread that does it. */
static __always_inline void set_who(struct sever_fence_hit *h, struct task_struct *t)
{
	struct task_struct *leader = t->group_leader;
	const __u64 *comm = (const __u64 *)leader->comm;

	h->pid = t->tgid;
	h->uid = t->real_cred->uid.val;
	h->login_uid = bpf_core_field_exists(t->loginuid) ? t->loginuid.val : SEVER_ID_UNSET;
	h->audit_session = bpf_core_field_exists(t->sessionid) ? t->sessionid : SEVER_ID_UNSET;
	((__u64 *)h->comm)[0] = comm[0];
	((__u64 *)h->comm)[1] = comm[1];
	h->comm[SEVER_COMM_LEN - 1] = 0;
}

/* The kernel's own threads (NFS and the like) are nobody's. k->remote is set. */
static __noinline int leaving(struct bpf_sock_addr *ctx, struct sever_fence_key *k)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_boot_ns(), id;
	struct sever_fence_hit h = {};
	__u32 protocol = ctx->protocol;

	if (t->flags & PF_KTHREAD ||
	    (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_MPTCP))
		return ALLOW;
	set_who(&h, t);
	k->prefix_len = SEVER_FENCE_BITS;
	k->netns = BPF_CORE_READ(untyped(ctx->sk), __sk_common.skc_net.net, ns.inum);
	k->port = bpf_ntohs(ctx->user_port);
	k->protocol = protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	id = find_task(k, &h, now);
	if (!id)
		return ALLOW;
	set_hit(&h, k, id, now);
	h.remote_port = k->port;
	count(&h);
	return REFUSE;
}

/* To no address is to ourselves. */
static __always_inline int leaving4(struct bpf_sock_addr *ctx)
{
	struct sever_fence_key k = {};
	__u32 to = ctx->user_ip4;

	set_v4(&k, to ?: ctx->sk->src_ip4 ?: bpf_htonl(0x7f000001));
	return leaving(ctx, &k);
}

static __always_inline int leaving6(struct bpf_sock_addr *ctx)
{
	struct sever_fence_key k = {};
	__u32 a0 = ctx->user_ip6[0], a1 = ctx->user_ip6[1], a2 = ctx->user_ip6[2], a3 = ctx->user_ip6[3];

	if (a0 | a1 | a2 | a3)
		set_v6(&k, a0, a1, a2, a3);
	else if (ctx->sk->src_ip6[2] == bpf_htonl(0xffff) && !ctx->sk->src_ip6[0] && !ctx->sk->src_ip6[1])
		set_v4(&k, bpf_htonl(0x7f000001));
	else
		set_v6(&k, 0, 0, 0, bpf_htonl(1));
	return leaving(ctx, &k);
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
