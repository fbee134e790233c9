// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_doors.c - the network namespaces that inbound fences are up in. A link does not keep its namespace alive, and
 * outlives it without a use. */
#include "kernel/fence_parts.h"
#include "kernel/netns.h"

#include <bpf/bpf.h>
#include <string.h>

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

int fence_add_door(struct fences *f, uint32_t netns, int link)
{
	int r = grow(&f->doors, &f->cap_doors, f->n_doors + 1, sizeof(*f->doors));

	if (r == 0)
		f->doors[f->n_doors++] = (struct fence_door){ .netns = netns, .link = link };
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

int fence_attach(struct fences *f, int netns, char *err)
{
	struct fence_door *old, d = { .link = -1 };
	_close_ int link = -1;
	int r = netns_inode_of_fd(netns, &d.netns);

	if (r < 0)
		return fail(r, err, "not a network namespace: %s", strerrordesc_np(-r));
	old = find(f, d.netns);
	if (old && alive(old))
		return 0;
	r = old ? remove_door(f, old) : 0;
	link = r < 0 ? -1 : bpf_link_create(f->part[FENCE_IN], netns, BPF_SK_LOOKUP, NULL);
	if (link < 0)
		return fail(r < 0 ? r : -errno, err, "inbound fences in network namespace %u: %s", d.netns,
			    strerrordesc_np(r < 0 ? -r : errno));
	d.link = link;
	r = fence_pin_door(f, &d, err);
	if (r == 0)
		r = fence_add_door(f, d.netns, link);
	if (r < 0)
		fence_unpin_door(f, d.netns);
	else
		take_fd(&link);
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
