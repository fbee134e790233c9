// SPDX-License-Identifier: GPL-2.0-only
/* fence.bpf.c - who may not go out. The hooks run in connect(), and where a datagram is given its address. */
#include "fences.bpf.h"

char LICENSE[] SEC("license") = "GPL";

enum { REFUSE, ALLOW };
enum { PF_KTHREAD = 0x200000 };

#define CGROUP_LEVELS 32

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

/* Whose it is, and in whose name it acts: his are the sockets that it opens. */
static __always_inline __u64 find_uid(struct leaver *l, const struct cred *c)
{
	__u64 id = find_who(l, SEVER_FENCE_OUT_UID, c->uid.val);

	return id || c->fsuid.val == c->uid.val ? id : find_who(l, SEVER_FENCE_OUT_UID, c->fsuid.val);
}

static __always_inline __u64 find_task(struct leaver *l, const struct task_struct *t)
{
	__u64 id = find_who(l, SEVER_FENCE_OUT_LOGIN, login_of(t));

	if (!id)
		id = find_uid(l, t->real_cred);
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

	if (t->flags & PF_KTHREAD || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_MPTCP))
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

/* No port: it is connected, which connect() was asked about, and sends with control data (udp_sendmsg() then asks with an
 * address that is not filled in). To port 0 nothing can be sent. */
SEC("cgroup/sendmsg4")
int fence_sendmsg4(struct bpf_sock_addr *ctx)
{
	return control.out && ctx->user_port ? leaving4(ctx) : ALLOW;
}

SEC("cgroup/sendmsg6")
int fence_sendmsg6(struct bpf_sock_addr *ctx)
{
	return control.out && ctx->user_port ? leaving6(ctx) : ALLOW;
}
