// SPDX-License-Identifier: GPL-2.0-only
/* hooks.bpf.c - for `sever doctor`: a small program or two for each kind of hook, to see that it runs for a socket of
 * ours. The kernel takes the programs of an object all or none, and each kind is to be answered for itself: so this
 * file is compiled once for each, with -DHOOK_kind.
 * Cookies are read and not asked for, so that no socket of anybody else is given one. */
#include "kernel.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#ifdef HOOK_tp_btf
__u64 wanted; /* the cookie of our socket */
bool saw_state, saw_error;

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(doctor_state, struct sock *sk)
{
	if (sk->__sk_common.skc_cookie.counter == wanted && bpf_get_socket_cookie(sk) == wanted)
		saw_state = true;
	return 0;
}

SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(doctor_error, struct sock *sk)
{
	if (sk->__sk_common.skc_cookie.counter == wanted && bpf_get_socket_cookie(sk) == wanted)
		saw_error = true;
	return 0;
}
#endif

#ifdef HOOK_cgroup
/* Our cgroup holds nobody else. */
__s32 our_level; /* of setsockopt() */
bool saw_create, saw_release;

/* Of the kernel's UAPI, which does not move. */
struct bpf_sockopt {
	__u64 sk, optval, optval_end;
	__s32 level, optname, optlen, retval;
};

SEC("cgroup/sock_create")
int doctor_create(void *ctx)
{
	saw_create = true;
	return 1;
}

SEC("cgroup/connect4")
int doctor_refuse4(void *ctx)
{
	return 0;
}

SEC("cgroup/connect6")
int doctor_refuse6(void *ctx)
{
	return 0;
}

/* -1: the kernel, which knows no such level, is not asked. */
SEC("cgroup/setsockopt")
int doctor_label(struct bpf_sockopt *ctx)
{
	if (ctx->level == our_level)
		ctx->optlen = -1;
	return 1;
}

SEC("cgroup/sock_release")
int doctor_release(void *ctx)
{
	saw_release = true;
	return 1;
}
#endif

#ifdef HOOK_sk_lookup
SEC("sk_lookup")
int doctor_refuse(void *ctx)
{
	return 0; /* SK_DROP */
}
#endif

#ifdef HOOK_iterators
__u64 wanted_tcp, wanted_udp;
bool saw_tcp, saw_udp;

SEC("iter/tcp")
int doctor_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;

	if (sk && sk->skc_cookie.counter == wanted_tcp)
		saw_tcp = true;
	return 0;
}

SEC("iter/udp")
int doctor_udp(struct bpf_iter__udp *ctx)
{
	struct sock_common *sk = (struct sock_common *)ctx->udp_sk;

	if (sk && sk->skc_cookie.counter == wanted_udp)
		saw_udp = true;
	return 0;
}
#endif

#ifdef HOOK_sk_storage
enum { BPF_MAP_TYPE_SK_STORAGE = 24, BPF_SK_STORAGE_GET_F_CREATE = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __s32);
	__type(value, __u64);
} tags SEC(".maps");

__u64 wanted;

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(doctor_tag, struct sock *sk)
{
	__u64 *t;

	if (sk->__sk_common.skc_cookie.counter != wanted)
		return 0;
	t = bpf_sk_storage_get(&tags, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (t)
		*t = wanted;
	return 0;
}
#endif

#ifdef HOOK_ringbuf
enum { BPF_MAP_TYPE_RINGBUF = 27 };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536); /* a page, however large */
} events SEC(".maps");

__u64 word;

SEC("syscall")
int doctor_tell(void *ctx)
{
	return bpf_ringbuf_output(&events, &word, sizeof(word), 0);
}
#endif

#ifdef HOOK_fentry
__u64 wanted;
bool saw_accept;

SEC("fentry/inet_csk_accept")
int BPF_PROG(doctor_accept, struct sock *sk)
{
	if (sk->__sk_common.skc_cookie.counter == wanted)
		saw_accept = true;
	return 0;
}
#endif

#ifdef HOOK_lsm
__u64 wanted;
bool saw_connect;

SEC("lsm/socket_connect")
int BPF_PROG(doctor_connect, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (sk && sk->__sk_common.skc_cookie.counter == wanted)
		saw_connect = true;
	return 0;
}
#endif
