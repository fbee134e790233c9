/* SPDX-License-Identifier: GPL-2.0-only */
/* fences.bpf.h - the fences that stand: which one is in the way of whom, and what it refused. A fence ends when its
 * time has come, whoever put it up. All programs share the maps and variables of fence.bpf.c. */
#ifndef SEVER_BPF_FENCES_H
#define SEVER_BPF_FENCES_H

#include "kernel.h"

#include <bpf/bpf_endian.h>

enum { BPF_MAP_TYPE_LPM_TRIE = 11, BPF_MAP_TYPE_RINGBUF = 27 };

#define SECOND 1000000000ull
#define TOLD_PER_SECOND 100 /* of all fences together */

/* Sizes are set before the load. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sever_fence_key);
	__type(value, struct sever_fence_entry);
} fences SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sever_fence_who);
	__type(value, __u32);
} leavers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct sever_fence_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536); /* a page, however large */
} hits SEC(".maps");

struct sever_fence_control control = { .abi = SEVER_FENCE_ABI };
__u64 told; /* the second, and in the lowest byte how many were told in it */

/* Exact, except that one may be kept back when many CPUs ask at once. */
static __always_inline bool may_tell(__u64 now)
{
	__u64 second = now / SECOND;

	for (int i = 0; i < 4; i++) {
		__u64 was = *(volatile __u64 *)&told, n = was >> 8 == second ? (was & 0xff) + 1 : 1;

		if (n > TOLD_PER_SECOND)
			return false;
		if (__sync_val_compare_and_swap(&told, was, second << 8 | n) == was)
			return true;
	}
	return false;
}

/* Each is counted. Of one fence one is told a second, unless too many of others were. */
static __always_inline void count(struct sever_fence_hit *h)
{
	struct sever_fence_count *c = bpf_map_lookup_elem(&counts, &h->fence);
	__u64 last_told;
	bool due;

	if (!c)
		return;
	bpf_spin_lock(&c->lock);
	h->count = ++c->count;
	c->last = h->time;
	((__u64 *)c->remote)[0] = ((__u64 *)h->remote)[0];
	((__u64 *)c->remote)[1] = ((__u64 *)h->remote)[1];
	c->remote_port = h->remote_port;
	c->local_port = h->local_port;
	last_told = c->told;
	due = h->time >= last_told + SECOND;
	if (due)
		c->told = h->time;
	bpf_spin_unlock(&c->lock);
	if (due && (!may_tell(h->time) || bpf_ringbuf_output(&hits, h, sizeof(*h), 0)))
		c->told = last_told; /* so the next one is due */
}

static __always_inline __u64 standing(const struct sever_fence_key *k)
{
	const struct sever_fence_entry *e = bpf_map_lookup_elem(&fences, k);
	__u64 now;

	if (!e)
		return 0;
	now = bpf_ktime_get_boot_ns();
	return now < e->until ? e->id : now < e->cover_until ? e->cover_id : 0;
}

/* The fence of one of these shapes (without NETNS) that stands in the way, or 0. Those that name more come first. Not
 * static: so the verifier looks at it once, and not at each call by each way to there. Linux 6.1 takes as a map's key
 * what is on the stack, and not what such a function was handed. */
__noinline __u64 find(const struct sever_fence_key *k, __u32 shapes)
{
	struct sever_fence_key at;
	__u64 id = 0;

	if (!k)
		return 0;
	at = *k;
	for (int shape = SEVER_FENCE_NETNS - 1; shape >= 0 && !id; shape--) {
		if (!(shapes & 1 << shape))
			continue;
		at.port = shape & SEVER_FENCE_PORT ? k->port : 0;
		at.protocol = shape & SEVER_FENCE_PROTOCOL ? k->protocol : 0;
		id = standing(&at);
	}
	return id;
}

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

#endif
