// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_pin.c - what is pinned by which name. `control` is pinned last: where it is missing, somebody did not finish.
 * What stands is taken from there only when something else stands in its place. */
#include "kernel/fence_parts.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define DOOR "netns_"

static const char *const names[FENCE_PARTS] = {
	[FENCE_TRIE] = "fences",
	[FENCE_LEAVERS] = "leavers",
	[FENCE_COUNTS] = "counts",
	[FENCE_HITS] = "hits",
	[FENCE_TOLD] = "told",
	[FENCE_CONTROL] = "control",
	[FENCE_IN] = "in",
	[FENCE_CONNECT4] = "connect4",
	[FENCE_CONNECT6] = "connect6",
	[FENCE_SENDMSG4] = "sendmsg4",
	[FENCE_SENDMSG6] = "sendmsg6",
	[FENCE_CONNECT4_LINK] = "connect4_link",
	[FENCE_CONNECT6_LINK] = "connect6_link",
	[FENCE_SENDMSG4_LINK] = "sendmsg4_link",
	[FENCE_SENDMSG6_LINK] = "sendmsg6_link",
};

static bool has_shape(int map, uint32_t key_size, uint32_t value_size, uint32_t max)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(map, &info, &len) == 0 && info.key_size == key_size &&
	       info.value_size == value_size && (!max || info.max_entries == max);
}

static bool fits(struct fences *f)
{
	struct sever_fence_control c;
	const uint32_t zero = 0;

	if (!has_shape(f->part[FENCE_TRIE], sizeof(struct sever_fence_key), sizeof(struct sever_fence_entry),
		       2 * f->max + 1) ||
	    !has_shape(f->part[FENCE_LEAVERS], sizeof(struct sever_fence_who), sizeof(uint32_t), 2 * f->max) ||
	    !has_shape(f->part[FENCE_COUNTS], sizeof(uint64_t), sizeof(struct sever_fence_count), 2 * f->max) ||
	    !has_shape(f->part[FENCE_TOLD], sizeof(zero), sizeof(uint64_t), 0) ||
	    !has_shape(f->part[FENCE_CONTROL], sizeof(zero), sizeof(c), 0) ||
	    bpf_map_lookup_elem(f->part[FENCE_CONTROL], &zero, &c) < 0 || c.abi != SEVER_FENCE_ABI)
		return false;
	f->control = c;
	return true;
}

static void drop_parts(struct fences *f)
{
	for (int i = 0; i < FENCE_PARTS; i++)
		if (f->part[i] >= 0)
			close(take_fd(&f->part[i]));
}

static uint32_t program_id(int prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog, &info, &len) < 0 ? 0 : info.id;
}

static void door_name(char name[32], uint32_t netns)
{
	snprintf(name, 32, DOOR "%u", netns);
}

/* The number of a namespace that has gone may be another's by now: the link knows. */
static int read_door(const char *name, void *arg)
{
	struct bpf_link_info info = { 0 };
	struct fences *f = arg;
	__u32 len = sizeof(info);
	struct fence_door d;
	_close_ int fd = -1;
	char same[32];
	int r;

	if (strncmp(name, DOOR, strlen(DOOR)))
		return 0;
	fd = pins_get(f->pin_dir, name);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return fd < 0 ? fd : -errno;
	door_name(same, info.netns.netns_ino);
	if (info.type != BPF_LINK_TYPE_NETNS || !info.netns.netns_ino || strcmp(name, same))
		return pins_drop(f->lock, name);
	d = (struct fence_door){ .netns = info.netns.netns_ino, .link = fd };
	d.own = info.prog_id != program_id(f->part[FENCE_IN]);
	r = fence_add_door(f, &d);
	if (r == 0)
		take_fd(&fd);
	return r;
}

int fence_take_over(struct fences *f, const char *dir)
{
	bool whole = true;

	for (int i = 0; i < FENCE_PARTS && whole; i++) {
		int fd = pins_get(dir, names[i]);

		if (fd == -ENAMETOOLONG)
			return fd;
		f->part[i] = fd < 0 ? -1 : fd;
		whole = fd >= 0 || (i >= FENCE_CONNECT4_LINK && fd == -ENOENT);
	}
	if (whole && fits(f))
		return pins_walk(f->lock, read_door, f);
	drop_parts(f);
	return -ENOENT;
}

/* What is no link is not needed: a link has its program, and that its maps. */
static int keep(const char *name, void *arg)
{
	struct fences *f = arg;
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	_close_ int fd = -1;
	int r;

	if (strncmp(name, DOOR, strlen(DOOR)) && !strstr(name, "_link"))
		return 0;
	fd = pins_get(f->pin_dir, name);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return 0;
	r = grow(&f->outdated, &f->cap_outdated, f->n_outdated + 1, sizeof(*f->outdated));
	if (r == 0)
		f->outdated[f->n_outdated++] = take_fd(&fd);
	return r;
}

int fence_keep_outdated(struct fences *f)
{
	return pins_walk(f->lock, keep, f);
}

void fence_drop_outdated(struct fences *f)
{
	while (f->n_outdated)
		close(f->outdated[--f->n_outdated]);
}

static int pin_all(const struct fences *f, const char *dir, char *err)
{
	int r = 0;

	for (int i = 0; i < FENCE_PARTS && r == 0; i++)
		r = i == FENCE_CONTROL ? 0 : pins_add(dir, names[i], f->part[i], err);
	return r < 0 ? r : pins_add(dir, names[FENCE_CONTROL], f->part[FENCE_CONTROL], err);
}

int fence_pin(const struct fences *f, const char *dir, char *err)
{
	int r = f->taken_over ? 0 : fence_unpin(f->lock);

	if (r < 0)
		return fail(r, err, "%s: %s", dir, strerrordesc_np(-r));
	r = pin_all(f, dir, err);
	/* What was pinned by halves is no use to anybody. */
	if (r < 0 && !f->taken_over)
		fence_unpin(f->lock);
	return r;
}

int fence_pin_door(const struct fences *f, const struct fence_door *d, char *err)
{
	char name[32];
	int r = f->pin_dir ? fence_unpin_door(f, d->netns) : 0;

	door_name(name, d->netns);
	return r < 0 || !f->pin_dir ? r : pins_add(f->pin_dir, name, d->link, err);
}

int fence_unpin_door(const struct fences *f, uint32_t netns)
{
	char name[32];

	door_name(name, netns);
	return f->pin_dir ? pins_drop(f->lock, name) : 0;
}

int fence_unpin(int dirfd)
{
	return pins_clear(dirfd, names[FENCE_CONTROL]);
}

int fence_detach_all(const char *dir, char *err)
{
	return pins_remove(dir, names[FENCE_CONTROL], err);
}

static int on_any(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return -EEXIST;
}

bool fence_pinned(const char *dir)
{
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && pins_walk(fd, on_any, NULL) == -EEXIST;
}
