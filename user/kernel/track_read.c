// SPDX-License-Identifier: LGPL-2.1-or-later
/* track_read.c - the map of flows: one, all, and what is not in it. */
#include "kernel/track_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 4096, MAX_CHUNK = 1 << 20 };

int track_read(const struct track *t, uint64_t cookie, struct sever_flow *ret)
{
	return bpf_map_lookup_elem(t->part[PART_FLOWS], &cookie, ret) < 0 ? -errno : 0;
}

struct chunk {
	uint64_t *cookies;
	struct sever_flow *flows;
	uint32_t max, n;
	uint64_t at[2]; /* where the next one begins; the kernel uses some of it */
	bool begun;
};

static void chunk_clear(struct chunk *c)
{
	free(c->cookies);
	free(c->flows);
}

static int enlarge(struct chunk *c, uint32_t max)
{
	chunk_clear(c);
	c->cookies = calloc(max, sizeof(*c->cookies));
	c->flows = calloc(max, sizeof(*c->flows));
	c->max = max;
	return c->cookies && c->flows ? 0 : -ENOMEM;
}

/* 1 there may be more, 0 that was the end, or negative errno. The kernel gives whole buckets: -ENOSPC, none was as
 * small. */
static int next_chunk(const struct track *t, struct chunk *c)
{
	uint64_t next[2] = { 0 };
	int r;

	c->n = c->max;
	r = bpf_map_lookup_batch(t->part[PART_FLOWS], c->begun ? c->at : NULL, next, c->cookies, c->flows, &c->n, NULL);
	if (r < 0 && errno == ENOSPC && c->max < MAX_CHUNK) {
		c->n = 0;
		r = enlarge(c, c->max * 2);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		return errno == ENOENT ? 0 : -errno;
	memcpy(c->at, next, sizeof(next));
	c->begun = true;
	return 1;
}

int track_walk(const struct track *t, track_flow_cb cb, void *arg)
{
	_cleanup_(chunk_clear) struct chunk c = { 0 };
	int more = 1, r = enlarge(&c, CHUNK);

	while (r >= 0 && more) {
		more = next_chunk(t, &c);
		if (more < 0)
			return more;
		for (uint32_t i = 0; i < c.n && r >= 0; i++)
			r = cb(c.cookies[i], &c.flows[i], arg);
	}
	return r < 0 ? r : 0;
}

/* Every CPU counts for itself. */
static int sum_of(const struct track *t, uint32_t what, uint64_t *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_free_ uint64_t *v = cpus < 0 ? NULL : calloc(cpus, sizeof(*v));

	if (!v)
		return cpus < 0 ? cpus : -ENOMEM;
	if (bpf_map_lookup_elem(t->part[PART_LOST], &what, v) < 0)
		return -errno;
	*ret = 0;
	for (int i = 0; i < cpus; i++)
		*ret += v[i];
	return 0;
}

int track_losses(const struct track *t, struct track_losses *ret)
{
	struct track_losses l = { 0 };
	int r = sum_of(t, SEVER_LOST_EVENTS, &l.events);

	if (r == 0)
		r = sum_of(t, SEVER_LOST_FLOWS, &l.flows);
	for (int i = PART_STATE; i < PART_HOOKS && r == 0; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		r = bpf_obj_get_info_by_fd(t->part[i], &info, &len) < 0 ? -errno : 0;
		l.runs += info.recursion_misses;
	}
	if (r == 0)
		*ret = l;
	return r;
}

void track_to_flow(uint64_t cookie, const struct sever_flow *f, struct flow *ret)
{
	*ret = (struct flow){
		.cookie = cookie,
		.cgroup = f->cgroup,
		.local = addr_from_bytes(f->addr_family, f->local),
		.remote = addr_from_bytes(f->addr_family, f->remote),
		.local_port = f->local_port,
		.remote_port = f->remote_port,
		.netns = f->netns,
		.ifindex = f->ifindex,
		.uid = f->uid,
		.family = f->family,
		.proto = f->protocol == IPPROTO_UDP ? PROTO_UDP : PROTO_TCP,
		.state = f->state,
		.direction = f->direction,
		.subflow = f->flags & SEVER_FLOW_SUBFLOW,
		.login_uid = ID_UNSET,
		.shared_with = ID_UNSET,
		.proc = -1,
		.session = -1,
	};
	if (addr_is_linklocal(&ret->local))
		ret->local.scope = f->ifindex;
	if (addr_is_linklocal(&ret->remote))
		ret->remote.scope = f->ifindex;
}
