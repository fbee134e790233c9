// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_doors.c - the network namespaces that inbound fences are up in. A link does not keep its namespace alive, and
 * outlives it without a use. */
#include "kernel/fence_parts.h"
#include "kernel/netns.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>

#include "fence_in.skel.h"

DEFINE_CLEANUP(struct fence_in_bpf *, fence_in_bpf__destroy)

static int reuse_maps(const struct fences *f, const struct fence_in_bpf *s)
{
	const struct {
		struct bpf_map *map;
		int part;
	} v[] = {
		{ s->maps.fences, FENCE_TRIE }, { s->maps.leavers, FENCE_LEAVERS }, { s->maps.counts, FENCE_COUNTS },
		{ s->maps.hits, FENCE_HITS },	{ s->maps.data, FENCE_CONTROL },    { s->maps.bss, FENCE_TOLD },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(v) && r == 0; i++)
		r = bpf_map__reuse_fd(v[i].map, f->part[v[i].part]);
	return r;
}

static int load(const struct fences *f, uint32_t netns)
{
	_cleanup_(fence_in_bpf__destroyp) struct fence_in_bpf *s = fence_in_bpf__open();
	int r = s ? reuse_maps(f, s) : -ENOMEM;

	if (r < 0)
		return r;
	s->rodata->place = netns;
	r = fence_in_bpf__load(s);
	if (r < 0)
		return r > -512 ? r : -EOPNOTSUPP; /* ENOTSUPP, which no libc knows */
	r = fcntl(bpf_program__fd(s->progs.fence_in), F_DUPFD_CLOEXEC, 3);
	return r < 0 ? -errno : r;
}

int fence_load_in(const struct fences *f, uint32_t netns)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int r = load(f, netns);

	libbpf_set_print(print);
	return r;
}

static struct fence_door *find(const struct fences *f, uint32_t netns)
{
	for (size_t i = 0; i < f->n_doors; i++)
		if (f->doors[i].netns == netns)
			return &f->doors[i];
	return NULL;
}

static bool alive(const struct fence_door *d)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(d->link, &info, &len) == 0 && info.netns.netns_ino == d->netns;
}

int fence_add_door(struct fences *f, const struct fence_door *d)
{
	int r = grow(&f->doors, &f->cap_doors, f->n_doors + 1, sizeof(*f->doors));

	if (r == 0)
		f->doors[f->n_doors++] = *d;
	return r;
}

static int remove_door(struct fences *f, struct fence_door *d)
{
	int r = fence_unpin_door(f, d->netns);

	close(d->link);
	*d = f->doors[--f->n_doors];
	return r;
}

bool fence_attached(const struct fences *f, uint32_t netns)
{
	const struct fence_door *d = find(f, netns);

	return d && alive(d);
}

bool fence_gone(const struct fences *f, uint32_t netns)
{
	const struct fence_door *d = find(f, netns);

	return d && !alive(d);
}

int fence_own_door(struct fences *f, uint32_t netns)
{
	struct fence_door *d = find(f, netns);
	_close_ int prog = -1;

	if (!d || d->own || !alive(d))
		return 0;
	prog = fence_load_in(f, netns);
	if (prog < 0)
		return prog;
	/* Gone between the two looks: */
	if (bpf_link_update(d->link, prog, NULL) < 0)
		return errno == ENOLINK ? 0 : -errno;
	d->own = true;
	return 0;
}

static bool is_named(const struct fences *f, uint32_t netns)
{
	const struct fence_leaver key = { .who = { .kind = SEVER_FENCE_IN, .netns = netns } };

	return f->leavers.n && bsearch(&key, f->leavers.v, f->leavers.n, sizeof(key), fence_by_who);
}

static int attach(struct fences *f, int netns, struct fence_door *d)
{
	_close_ int own = -1;

	d->own = is_named(f, d->netns);
	own = d->own ? fence_load_in(f, d->netns) : -1;
	if (d->own && own < 0)
		return own;
	d->link = bpf_link_create(d->own ? own : f->part[FENCE_IN], netns, BPF_SK_LOOKUP, NULL);
	return d->link < 0 ? -errno : 0;
}

int fence_attach(struct fences *f, int netns, char *err)
{
	struct fence_door *old, d = { .link = -1 };
	int r = netns_inode_of_fd(netns, &d.netns);

	if (r < 0)
		return fail(r, err, "not a network namespace: %s", strerrordesc_np(-r));
	old = find(f, d.netns);
	if (old && alive(old))
		return 0;
	r = old ? remove_door(f, old) : 0;
	if (r == 0)
		r = attach(f, netns, &d);
	if (r < 0)
		return fail(r, err, "inbound fences in network namespace %u: %s", d.netns, strerrordesc_np(-r));
	r = fence_pin_door(f, &d, err);
	if (r == 0)
		r = fence_add_door(f, &d);
	if (r < 0) {
		fence_unpin_door(f, d.netns);
		close(d.link);
	}
	return r;
}

int fence_prune(struct fences *f)
{
	int n = 0;

	for (size_t i = f->n_doors; i-- > 0;)
		if (!alive(&f->doors[i])) {
			int r = remove_door(f, &f->doors[i]);

			if (r < 0)
				return r;
			n++;
		}
	return n;
}
