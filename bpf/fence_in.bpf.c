// SPDX-License-Identifier: GPL-2.0-only
/* fence_in.bpf.c - who may not come in. The hook runs where no connection was found for a packet, so what is
 * established pays nothing. It is not told which network namespace that is: where a fence names one, that has a
 * program to itself. */
#include "fences.bpf.h"

char LICENSE[] SEC("license") = "GPL";

enum { SK_DROP, SK_PASS };

const volatile __u32 place; /* inode of the namespace, 0 any: then fences that name one are not for it */

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

static __always_inline __u64 find_here(struct sever_fence_key *k, __u32 shapes)
{
	const struct sever_fence_who w = { .kind = SEVER_FENCE_IN, .netns = place };
	const __u32 *number = bpf_map_lookup_elem(&leavers, &w);
	__u64 id;

	if (!number)
		return 0;
	k->who = *number;
	id = find(k, shapes);
	k->who = SEVER_FENCE_COMES_IN;
	return id;
}

/* No device: nobody comes in, but sock_diag asks which socket it would be. It does so for each connection that is to be
 * destroyed or looked for and is no more. */
SEC("sk_lookup")
int fence_in(struct bpf_sk_lookup *ctx)
{
	struct sever_fence_key k = { .who = SEVER_FENCE_COMES_IN };
	__u32 shapes = control.shapes[SEVER_FENCE_IN];
	__u64 id = 0;

	if (!shapes || !ctx->ingress_ifindex)
		return SK_PASS;
	k.port = ctx->local_port;
	k.protocol = ctx->protocol;
	if (ctx->family == AF_INET)
		set_v4(&k, ctx->remote_ip4);
	else
		set_v6(&k, ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2], ctx->remote_ip6[3]);
	if (place && shapes >> SEVER_FENCE_NETNS)
		id = find_here(&k, shapes >> SEVER_FENCE_NETNS);
	shapes &= (1 << SEVER_FENCE_NETNS) - 1;
	if (!id && shapes)
		id = find(&k, shapes);
	if (!id)
		return SK_PASS;
	refuse_in(ctx, &k, id);
	return SK_DROP;
}
