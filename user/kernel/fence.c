// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence.c - loads bpf/fence.bpf.c and attaches it to the whole host. */
#include "kernel/fence_parts.h"
#include "kernel/cgroup.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>

#include "fence.lskel.h"

DEFINE_CLEANUP(struct fence_bpf *, fence_bpf__destroy)

enum { DEFAULT_FENCES = 16384, MAX_FENCES = 1 << 24 };

static int refusal(void)
{
	return errno && errno < 512 ? -errno : -EOPNOTSUPP; /* ENOTSUPP, which no libc knows */
}

/* The descriptors become ours: the skeleton closes what it still has. */
static void take_parts(struct fences *f, struct fence_bpf *s)
{
	int *const from[FENCE_CONNECT4_LINK] = {
		[FENCE_TRIE] = &s->maps.fences.map_fd,
		[FENCE_LEAVERS] = &s->maps.leavers.map_fd,
		[FENCE_COUNTS] = &s->maps.counts.map_fd,
		[FENCE_HITS] = &s->maps.hits.map_fd,
		[FENCE_TOLD] = &s->maps.bss.map_fd,
		[FENCE_CONTROL] = &s->maps.data.map_fd,
		[FENCE_CONNECT4] = &s->progs.fence_connect4.prog_fd,
		[FENCE_CONNECT6] = &s->progs.fence_connect6.prog_fd,
		[FENCE_SENDMSG4] = &s->progs.fence_sendmsg4.prog_fd,
		[FENCE_SENDMSG6] = &s->progs.fence_sendmsg6.prog_fd,
	};

	for (int i = 0; i < FENCE_CONNECT4_LINK; i++) {
		if (i == FENCE_IN)
			continue;
		f->part[i] = *from[i];
		*from[i] = 0;
	}
}

/* Old and new fences are there at the same time. The kernel before 6.13 wants room for one more to change an entry. */
static int load(struct fences *f)
{
	_cleanup_(fence_bpf__destroyp) struct fence_bpf *s = NULL;

	errno = 0;
	s = fence_bpf__open();
	if (!s)
		return -ENOMEM;
	s->maps.fences.max_entries = 2 * f->max + 1;
	s->maps.leavers.max_entries = 2 * f->max;
	s->maps.counts.max_entries = 2 * f->max;
	if (fence_bpf__load(s) < 0)
		return refusal();
	f->control = s->data->control;
	take_parts(f, s);
	f->part[FENCE_IN] = fence_load_in(f, 0);
	return f->part[FENCE_IN] < 0 ? take_fd(&f->part[FENCE_IN]) : 0;
}

/* At the root of cgroup v2, as one more among the programs that are there. */
static int attach_outbound(struct fences *f)
{
	static const struct {
		int prog;
		enum bpf_attach_type type;
	} v[] = {
		{ FENCE_CONNECT4, BPF_CGROUP_INET4_CONNECT },
		{ FENCE_CONNECT6, BPF_CGROUP_INET6_CONNECT },
		{ FENCE_SENDMSG4, BPF_CGROUP_UDP4_SENDMSG },
		{ FENCE_SENDMSG6, BPF_CGROUP_UDP6_SENDMSG },
	};
	_free_ char *mount = NULL;
	int r = cgroup_mount(&mount);
	_close_ int root = r < 0 ? -1 : open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return r < 0 ? r : -errno;
	for (size_t i = 0; i < array_size(v); i++) {
		int *link = &f->part[FENCE_LINK(v[i].prog)];

		*link = *link < 0 ? bpf_link_create(f->part[v[i].prog], root, v[i].type, NULL) : *link;
		if (*link < 0)
			return refusal();
	}
	return 0;
}

static int take_over(struct fences *f, const char *dir)
{
	int r = fence_take_over(f, dir);

	if (r < 0)
		return r;
	f->taken_over = true;
	return fence_read_names(f);
}

static int on_sample(void *arg, void *data, size_t len);

static int start(struct fences *f, char *err)
{
	int r = -ENOENT;

	if (f->pin_dir) {
		f->lock = pins_lock(f->pin_dir, err);
		if (f->lock < 0)
			return f->lock;
		r = take_over(f, f->pin_dir);
		if (r < 0 && r != -ENOENT)
			return fail(r, err, "%s: %s", f->pin_dir, strerrordesc_np(-r));
	}
	if (r == -ENOENT)
		r = load(f);
	if (r < 0)
		return fail(r, err, "the programs of fences: %s", strerrordesc_np(-r));
	f->out_err = attach_outbound(f);
	f->ring = ring_buffer__new(f->part[FENCE_HITS], on_sample, f, NULL);
	if (!f->ring)
		return fail(-errno, err, "the ring buffer of hits: %s", strerrordesc_np(errno));
	if (!f->pin_dir)
		return 0;
	r = f->taken_over ? 0 : fence_keep_outdated(f);
	return r < 0 ? fail(r, err, "%s: %s", f->pin_dir, strerrordesc_np(-r)) : fence_pin(f, f->pin_dir, err);
}

int fence_open(struct fences **ret, const struct fence_options *o, char *err)
{
	_cleanup_(fence_closep) struct fences *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->lock = -1;
	f->max = o->max_fences ?: DEFAULT_FENCES;
	for (int i = 0; i < FENCE_PARTS; i++)
		f->part[i] = -1;
	if (f->max > MAX_FENCES)
		return -EINVAL;
	f->pin_dir = o->pin_dir ? strdup(o->pin_dir) : NULL;
	if (o->pin_dir && !f->pin_dir)
		return -ENOMEM;
	r = start(f, err);
	if (r == 0)
		*ret = take_ptr(&f);
	return r;
}

void fence_close(struct fences *f)
{
	if (!f)
		return;
	if (f->ring)
		ring_buffer__free(f->ring);
	for (int i = 0; i < FENCE_PARTS; i++)
		closep(&f->part[i]);
	for (size_t i = 0; i < f->n_doors; i++)
		closep(&f->doors[i].link);
	fence_drop_outdated(f);
	closep(&f->lock);
	free(f->doors);
	free(f->outdated);
	free(f->slots.v);
	free(f->names.v);
	free(f->leavers.v);
	free(f->pin_dir);
	free(f);
}

bool fence_taken_over(const struct fences *f)
{
	return f->taken_over;
}

bool fence_any(const struct fences *f)
{
	return f->names.n;
}

int fence_outbound_error(const struct fences *f)
{
	return f->out_err;
}

/* Whoever changes a map of maps waits until no program can have the old one in hand. */
static int wait_by_map(void)
{
	const uint32_t zero = 0;
	_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(zero), sizeof(zero), 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, with, .inner_map_fd = inner);
	_close_ int outer = inner < 0 ? -1 : bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL, sizeof(zero), sizeof(zero), 1, &with);

	return outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) < 0 ? -errno : 0;
}

/* membarrier() refuses where CPUs may run without a tick (nohz_full), or a sandbox does. */
int fence_settle(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0 ? wait_by_map() : 0;
}

int fence_fd(const struct fences *f)
{
	return ring_buffer__epoll_fd(f->ring);
}

/* A negative answer of ours ends libbpf's loop; the hit counts as read. */
static int on_sample(void *arg, void *data, size_t len)
{
	struct fences *f = arg;
	struct sever_fence_hit h;
	int r;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	r = f->cb(&h, f->arg);
	return r < 0 ? r : --f->left ? 0 : -ECANCELED;
}

int fence_drain(struct fences *f, size_t max, fence_hit_cb cb, void *arg)
{
	int r;

	if (!max)
		return 0;
	f->cb = cb;
	f->arg = arg;
	f->left = max;
	r = ring_buffer__consume(f->ring);
	return r < 0 && !(r == -ECANCELED && !f->left) ? r : (int)(max - f->left);
}
