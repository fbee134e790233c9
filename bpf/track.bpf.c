// SPDX-License-Identifier: GPL-2.0-only
/* track.bpf.c - the birth and end of every flow of the host, in one map keyed by cookie and one ring buffer.
 * TCP by its state changes. UDP by the cgroup hooks of connect(), which run before the kernel has chosen the local end
 * and knows whether it will succeed: such a flow is PENDING until a pass of adopt_udp, another connect() or its end.
 * Nothing runs for packets. MPTCP connections are left to scans; the TCP sockets below them are here, as SUBFLOW. */
#include "events.bpf.h"
#include "login.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void mark_subflow(struct sock *sk, struct sever_flow *f)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (tp && bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		f->flags |= SEVER_FLOW_SUBFLOW;
}

/* The state is passed: the socket's own is changed after the tracepoint. Of its addresses, connect() of TCP leaves the
 * local port open at first, and may choose another local address where IPv4's are dynamic. */
static __always_inline void refresh(struct sock *sk, struct sever_flow *f, __u8 state)
{
	f->state = state;
	f->uid = sk->sk_uid.val; /* accept() gives the socket to who called it */
	if (!(f->flags & SEVER_FLOW_PENDING))
		return;
	if (f->addr_family == AF_INET)
		*(__u32 *)f->local = sk->__sk_common.skc_rcv_saddr;
	f->local_port = sk->__sk_common.skc_num;
	if (f->local_port)
		f->flags &= ~SEVER_FLOW_PENDING;
}

static __always_inline void born(struct sock *sk, __u64 cookie, __u8 state, __u8 direction)
{
	struct sever_flow f = {}, *old;

	flow_fill(sk, true, &f);
	f.state = state;
	f.direction = direction;
	mark_subflow(sk, &f);
	if (state == TCP_SYN_SENT) {
		flow_task(&f, bpf_get_current_task_btf());
		f.flags |= f.local_port ? 0 : SEVER_FLOW_PENDING;
	}
	if (begin(cookie, &f, state == TCP_SYN_SENT ? BPF_ANY : BPF_NOEXIST) != -EEXIST)
		return;
	old = bpf_map_lookup_elem(&flows, &cookie); /* both ends connected at once: it is outbound */
	if (old)
		refresh(sk, old, state);
}

/* Most have been asked for it before. */
static __always_inline __u64 cookie_of(struct sock *sk)
{
	return sk->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(track_state, struct sock *sk, int was, int is)
{
	struct sever_flow *f;
	__u64 cookie;

	/* A socket accepted has neither cookie nor addresses when it is cloned from its listener. */
	if (sk->sk_protocol != IPPROTO_TCP || was == TCP_LISTEN || is == TCP_LISTEN ||
	    (was == TCP_CLOSE && is != TCP_SYN_SENT))
		return 0;
	cookie = cookie_of(sk);
	if (is == TCP_SYN_SENT || (was == TCP_SYN_RECV && is != TCP_CLOSE)) {
		born(sk, cookie, is, is == TCP_SYN_SENT ? SEVER_DIR_OUT : SEVER_DIR_IN);
		return 0;
	}
	f = bpf_map_lookup_elem(&flows, &cookie);
	if (f && is != TCP_CLOSE)
		refresh(sk, f, is);
	else if (f)
		end(cookie, f, sk, f->err ?: sk->sk_err, was);
	else if (was == TCP_SYN_SENT && is == TCP_ESTABLISHED)
		born(sk, cookie, is, SEVER_DIR_OUT); /* it was in connect() when we came */
	return 0;
}

/* Before 6.12 an abort tells of the error first and closes then, and the owner may have read the error in between.
 * UDP has only this. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(track_error, struct sock *sk)
{
	struct sever_flow *f, was;
	__u64 cookie;

	if (sk->sk_err != ECONNABORTED || (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP))
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	f = bpf_map_lookup_elem(&flows, &cookie);
	if (!f)
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP) {
		f->err = ECONNABORTED;
		return 0;
	}
	was = *f;
	flow_addresses(sk, true, &was);
	was.flags &= ~SEVER_FLOW_PENDING;
	end(cookie, &was, NULL, ECONNABORTED, TCP_ESTABLISHED);
	return 0;
}

/* Its owner's doing. What it was connected to last, it still is. */
static __always_inline void end_udp(struct sock *sk, __u64 cookie, const struct sever_flow *f)
{
	struct sever_flow was = *f;

	if (was.flags & SEVER_FLOW_PENDING && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_ESTABLISHED) {
		flow_addresses(sk, false, &was);
		was.flags &= ~SEVER_FLOW_PENDING;
	}
	end(cookie, &was, NULL, 0, TCP_ESTABLISHED);
}

static __always_inline void end_udp_if_known(struct sock *sk, __u64 cookie)
{
	const struct sever_flow *f = bpf_map_lookup_elem(&flows, &cookie);

	if (f)
		end_udp(sk, cookie, f);
}

/* remote: v4-mapped for IPv4. */
static __always_inline int connecting(struct bpf_sock_addr *ctx, const __u32 remote[4])
{
	struct sever_flow f = {};
	__u32 local[4] = {};
	struct sock *sk;
	__u64 cookie;

	if (ctx->protocol != IPPROTO_UDP)
		return 1;
	sk = untyped(ctx->sk);
	flow_fill(sk, false, &f);
	if (f.flags & SEVER_FLOW_KERNEL) /* nobody would tell of its end */
		return 1;
	cookie = bpf_get_socket_cookie(ctx);
	end_udp_if_known(sk, cookie);
	read_local(sk, false, f.family, local);
	set_addresses(&f, local, remote);
	f.remote_port = bpf_ntohs(ctx->user_port);
	f.state = TCP_ESTABLISHED;
	f.direction = SEVER_DIR_OUT;
	f.flags |= SEVER_FLOW_PENDING;
	flow_task(&f, bpf_get_current_task_btf());
	begin(cookie, &f, BPF_ANY);
	return 1;
}

SEC("cgroup/connect4")
int track_connect4(struct bpf_sock_addr *ctx)
{
	const __u32 remote[4] = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 };

	return connecting(ctx, remote);
}

SEC("cgroup/connect6")
int track_connect6(struct bpf_sock_addr *ctx)
{
	const __u32 remote[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	return connecting(ctx, remote);
}

SEC("cgroup/sock_release")
int track_release(struct bpf_sock *ctx)
{
	if (ctx->protocol == IPPROTO_UDP)
		end_udp_if_known(untyped(ctx), bpf_get_socket_cookie(ctx));
	return 1;
}

/* Flows that are older than the programs, and what a pending flow has become. The kernel holds the lock of the socket
 * (UDP: since 6.5), so a TCP socket is not closed meanwhile. A UDP socket may be: see adopt_udp(). */
static __always_inline void adopt(struct sock *sk)
{
	__u64 cookie = bpf_get_socket_cookie(sk);
	struct sever_flow f = {}, *old = bpf_map_lookup_elem(&flows, &cookie);
	struct sever_control *c = controls();
	__u8 state = sk->__sk_common.skc_state;

	if (!c)
		return;
	if (old) {
		f = *old;
		if (f.protocol == IPPROTO_UDP) { /* a connect() that failed leaves the peer of the one before */
			flow_addresses(sk, true, &f);
			f.flags |= SEVER_FLOW_PENDING;
		}
		refresh(sk, &f, state);
		f.seen = c->pass;
		put(cookie, &f, BPF_EXIST);
		return;
	}
	flow_fill(sk, true, &f);
	f.state = state;
	f.flags |= SEVER_FLOW_ADOPTED;
	f.seen = c->pass;
	if (f.protocol == IPPROTO_TCP)
		mark_subflow(sk, &f);
	begin(cookie, &f, BPF_NOEXIST);
}

SEC("iter/tcp")
int adopt_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;

	if (!skc || skc->skc_state == TCP_LISTEN || skc->skc_state == TCP_CLOSE || skc->skc_state == TCP_TIME_WAIT ||
	    skc->skc_state == TCP_NEW_SYN_RECV)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp)
		adopt((struct sock *)tp);
	return 0;
}

/* Its last descriptor is not closed: track_release() is still to come. */
static __always_inline bool is_held(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;
	const struct file *file = sock ? sock->file : NULL;

	if (!file)
		return false;
	return bpf_core_field_exists(file->f_ref) ? file->f_ref.refcnt.counter >= 0 : file->f_count.counter > 0;
}

/* Of the stores before it and the loads after it. */
static __always_inline void full_barrier(void)
{
	__u64 n = 0;

	n = __sync_fetch_and_add(&n, 1);
	asm volatile("" ::"r"(n));
}

/* The last descriptor may be closed meanwhile. If it was before the flow got into the map, track_release() may have
 * looked in vain, and nobody else would take the flow out. If after, track_release() finds it. */
SEC("iter/udp")
int adopt_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;

	if (!sk || sk->__sk_common.skc_state != TCP_ESTABLISHED || sk->sk_protocol != IPPROTO_UDP ||
	    BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) || !is_held(sk))
		return 0;
	adopt(sk);
	full_barrier();
	if (!is_held(sk))
		end_udp_if_known(sk, bpf_get_socket_cookie(sk));
	return 0;
}
