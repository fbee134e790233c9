/* SPDX-License-Identifier: GPL-2.0-only */
/* events.bpf.h - the map of flows and the ring buffer: how a flow gets there and how its end is told, once. */
#ifndef SEVER_BPF_EVENTS_H
#define SEVER_BPF_EVENTS_H

#include "flow.bpf.h"

enum { ENOENT = 2, EEXIST = 17, EPIPE = 32, ECONNABORTED = 103, ECONNRESET = 104, ETIMEDOUT = 110, ECONNREFUSED = 111 };
enum { BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_ARRAY = 6, BPF_MAP_TYPE_RINGBUF = 27 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };
enum { SOCK_DONE = 1 }; /* enum sock_flags: the peer's FIN has come */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before the load */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct sever_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* set before the load */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEVER_LOST_MAX);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sever_control);
} control SEC(".maps");

/* Before 6.4 the upper half of what these return is not to be relied on. */
static __always_inline int put(__u64 cookie, const struct sever_flow *f, __u64 how)
{
	return bpf_map_update_elem(&flows, &cookie, f, how);
}

static __always_inline int take(__u64 cookie)
{
	return bpf_map_delete_elem(&flows, &cookie);
}

static __always_inline void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&lost, &what);

	if (n)
		++*n;
}

static __always_inline struct sever_control *controls(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/* The reader comes by itself. Only where the buffer is half full is it called: to ask and to call both cost, and any
 * one in about 32 events will do. */
static __always_inline __u64 wakeup(__u64 time)
{
	bool ask = !(time & 31);

	if (ask && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline struct sever_event *new_event(__u64 cookie, __u32 kind, __u64 time, const struct sever_flow *f)
{
	struct sever_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return NULL;
	e->cookie = cookie;
	e->time = time;
	e->sent = e->acked = e->received = 0;
	e->flow = *f;
	e->kind = kind;
	e->cause = e->state = e->reserved = e->err = e->queued = 0;
	return e;
}

/* 0, or the negative errno of a flow that is not in the map now. */
static __always_inline int begin(__u64 cookie, const struct sever_flow *f, __u64 how)
{
	struct sever_event *e;
	int r = put(cookie, f, how);

	if (r) {
		if (r != -EEXIST)
			count(SEVER_LOST_FLOWS);
		return r;
	}
	e = new_event(cookie, SEVER_EVENT_BIRTH, f->birth, f);
	if (e)
		bpf_ringbuf_submit(e, wakeup(e->time));
	else
		count(SEVER_LOST_EVENTS);
	return 0;
}

static __always_inline __u8 cause_of(int err, __u8 state)
{
	switch (err) {
	case 0:
		return state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK ? SEVER_CAUSE_PEER : SEVER_CAUSE_LOCAL;
	case ECONNABORTED:
		return SEVER_CAUSE_DESTROYED;
	case ECONNRESET:
	case EPIPE: /* reset after its FIN */
		return SEVER_CAUSE_RESET;
	case ECONNREFUSED:
		return SEVER_CAUSE_REFUSED;
	case ETIMEDOUT:
		return SEVER_CAUSE_TIMEOUT;
	default:
		return SEVER_CAUSE_ERROR;
	}
}

/* Before the connection stands, the numbers may be those of one before it. A FIN not acknowledged counts as a byte. */
static __always_inline __u32 queued(const struct tcp_sock *tp, __u8 state)
{
	__u32 n = tp->write_seq - tp->snd_una;

	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return 0;
	return n && (state == TCP_FIN_WAIT1 || state == TCP_CLOSING || state == TCP_LAST_ACK) ? n - 1 : n;
}

/* SYN and FIN count as a byte each for the kernel, but not in bytes_sent. */
static __always_inline void set_counts(struct sever_event *e, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!tp)
		return;
	e->sent = tp->bytes_sent - tp->bytes_retrans;
	e->acked = tp->bytes_acked;
	if (e->acked && e->flow.direction == SEVER_DIR_OUT)
		e->acked--;
	if (e->acked > e->sent)
		e->acked = e->sent;
	e->received = tp->bytes_received;
	if (e->received && sk->__sk_common.skc_flags & 1 << SOCK_DONE)
		e->received--;
	e->queued = queued(tp, e->state);
}

/* Told by whoever takes the flow out of the map, so once. The record is copied first: what is taken out may be used
 * again at once. For that reason, too, a record is changed in place only under the lock of its socket. tcp: NULL for
 * UDP. */
static __always_inline void end(__u64 cookie, const struct sever_flow *f, struct sock *tcp, int err, __u8 state)
{
	struct sever_event *e = new_event(cookie, SEVER_EVENT_END, bpf_ktime_get_boot_ns(), f);
	int r;

	if (!e) {
		if (take(cookie) != -ENOENT)
			count(SEVER_LOST_EVENTS);
		return;
	}
	e->state = state;
	e->err = err;
	e->cause = cause_of(err, state);
	if (tcp)
		set_counts(e, tcp);
	r = take(cookie);
	if (!r) {
		bpf_ringbuf_submit(e, wakeup(e->time));
		return;
	}
	bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
	/* The map may be busy for a moment (EBUSY, EDEADLK, ETIMEDOUT): then the flow is still there, and has ended. */
	if (r != -ENOENT)
		count(SEVER_LOST_EVENTS);
}

#endif
