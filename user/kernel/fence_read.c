// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_read.c - what fences refused; and which stand, for who takes them over. */
#include "kernel/fence_parts.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/socket.h>

static int read_count(const struct fences *f, uint64_t id, struct sever_fence_count *ret)
{
	return bpf_map_lookup_elem_flags(f->part[FENCE_COUNTS], &id, ret, BPF_F_LOCK) < 0 ? -errno : 0;
}

int fence_stats(const struct fences *f, uint64_t id, struct fence_stats *ret)
{
	struct sever_fence_count c;
	int r = read_count(f, id, &c);

	if (r < 0)
		return r;
	*ret = (struct fence_stats){
		.count = c.count,
		.last = c.last,
		.remote = c.count ? addr_from_bytes(AF_INET6, c.remote) : (struct addr){ 0 },
		.remote_port = c.remote_port,
		.local_port = c.local_port,
	};
	return 0;
}

/* The keys of all names, each once, and nothing of what stands there. */
static int keys_of(struct fences *f)
{
	struct fence_slot *v = calloc(f->names.n + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < f->names.n; i++)
		v[i].key = f->names.v[i].key;
	qsort(v, f->names.n, sizeof(*v), fence_by_key);
	for (size_t i = 0; i < f->names.n; i++)
		if (!n || fence_key_order(&v[n - 1].key, &v[i].key))
			v[n++] = v[i];
	f->slots = (struct fence_slots){ .v = v, .n = n };
	return 0;
}

/* Who they are of, each once; whether the programs have been told so far is not known. */
static int leavers_of(struct fences *f)
{
	struct fence_leaver *v = calloc(f->names.n + 1, sizeof(*v));
	size_t n = 0, k = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < f->names.n; i++)
		if (f->names.v[i].key.who != SEVER_FENCE_COMES_IN)
			v[n++] = (struct fence_leaver){ .who = f->names.v[i].who, .number = f->names.v[i].key.who };
	qsort(v, n, sizeof(*v), fence_by_who);
	for (size_t i = 0; i < n; i++) {
		if (!k || fence_by_who(&v[k - 1], &v[i]))
			v[k++] = v[i];
		f->last_number = v[i].number > f->last_number ? v[i].number : f->last_number;
	}
	f->leavers = (struct fence_leavers){ .v = v, .n = k };
	return 0;
}

/* Nobody but us changes the map. */
int fence_read_names(struct fences *f)
{
	uint64_t id, *last = NULL;
	size_t cap = 0;
	int r;

	while (bpf_map_get_next_key(f->part[FENCE_COUNTS], last, &id) == 0) {
		struct sever_fence_count c;

		r = read_count(f, id, &c);
		if (r == 0)
			r = grow(&f->names.v, &cap, f->names.n + 1, sizeof(*f->names.v));
		if (r < 0)
			return r;
		f->names.v[f->names.n++] = (struct fence_name){ .id = id, .key = c.key, .who = c.who };
		last = &id;
	}
	if (errno != ENOENT)
		return -errno;
	if (f->names.n)
		qsort(f->names.v, f->names.n, sizeof(*f->names.v), fence_by_id);
	r = keys_of(f);
	return r < 0 ? r : leavers_of(f);
}
