// SPDX-License-Identifier: GPL-2.0-only
/* destroy.bpf.c - the bpf_sock_destroy() engine (kernel 6.5): destroys the sockets whose cookies
 * stand in `victims`, in the network namespace of whoever opened the iterator.
 * Full sockets only: kernels before 6.12.112 and 7.3 read out of bounds on request and
 * time-wait sockets. Listeners never. A UDP socket only while connected: destroying it rehashes it and
 * the iterator may meet it a second time. */
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL";

int bpf_sock_destroy(struct sock_common *sk) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before the load */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} victims SEC(".maps");

static int visit(struct seq_file *seq, struct sock_common *sk)
{
	struct sever_verdict v = {};

	if (!sk)
		return 0;
	v.state = sk->skc_state;
	if (v.state == TCP_LISTEN || v.state == TCP_TIME_WAIT || v.state == TCP_NEW_SYN_RECV ||
	    v.state == TCP_CLOSE)
		return 0;
	v.cookie = bpf_get_socket_cookie(sk);
	if (!bpf_map_lookup_elem(&victims, &v.cookie))
		return 0;
	v.err = bpf_sock_destroy(sk);
	bpf_seq_write(seq, &v, sizeof(v));
	return 0;
}

SEC("iter/tcp")
int destroy_tcp(struct bpf_iter__tcp *ctx)
{
	return visit(ctx->meta->seq, ctx->sk_common);
}

SEC("iter/udp")
int destroy_udp(struct bpf_iter__udp *ctx)
{
	return visit(ctx->meta->seq, (struct sock_common *)ctx->udp_sk);
}
