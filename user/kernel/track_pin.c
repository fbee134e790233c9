// SPDX-License-Identifier: LGPL-2.1-or-later
/* track_pin.c - the directory that keeps the programs when the process ends. It is locked by flock() on itself, which
 * a kill -9 undoes. `control` is pinned last: where it is missing, somebody did not finish. */
#include "kernel/track_parts.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

DEFINE_CLEANUP(DIR *, closedir)

static const char *const names[PART_MAX] = {
	[PART_FLOWS] = "flows",
	[PART_EVENTS] = "events",
	[PART_LOST] = "lost",
	[PART_CONTROL] = "control",
	[PART_STATE] = "state",
	[PART_ERROR] = "error",
	[PART_CONNECT4] = "connect4",
	[PART_CONNECT6] = "connect6",
	[PART_RELEASE] = "release",
	[PART_FORK] = "fork",
	[PART_ATTACH] = "attach",
	[PART_ADOPT_TCP] = "adopt_tcp",
	[PART_ADOPT_UDP] = "adopt_udp",
	[PART_STATE_LINK] = "state_link",
	[PART_ERROR_LINK] = "error_link",
	[PART_CONNECT4_LINK] = "connect4_link",
	[PART_CONNECT6_LINK] = "connect6_link",
	[PART_RELEASE_LINK] = "release_link",
	[PART_FORK_LINK] = "fork_link",
	[PART_ATTACH_LINK] = "attach_link",
};

static bool optional(int part)
{
	return part >= PART_CONNECT4_LINK;
}

/* Nobody else may take a descriptor of the map from there. */
static int check_dir(int fd, const char *dir, char *err)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return fail(-EMEDIUMTYPE, err, "%s is not in a bpffs", dir);
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return fail(-EPERM, err, "%s is open to others", dir);
	return 0;
}

/* 1: it was replaced before we had it. */
static int try_lock(const char *dir, int *ret, char *err)
{
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat ours, there;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 1 : fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
	r = check_dir(fd, dir, err);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? fail(-EBUSY, err, "%s is in use by another process", dir) :
					      fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
	if (fstat(fd, &ours) < 0 || stat(dir, &there) < 0)
		return errno == ENOENT ? 1 : -errno;
	if (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)
		return 1;
	*ret = take_fd(&fd);
	return 0;
}

int track_lock(const char *dir, char *err)
{
	int fd, r = 1;

	for (int i = 0; i < 10 && r == 1; i++) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
		r = try_lock(dir, &fd, err);
	}
	return r == 1 ? fail(-EBUSY, err, "%s is made and removed by another process", dir) : r < 0 ? r : fd;
}

static int path_of(char path[PATH_MAX], const char *dir, int part)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, names[part]) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool fits(const struct track *t)
{
	struct bpf_map_info flows = { 0 }, control = { 0 };
	__u32 flows_len = sizeof(flows), control_len = sizeof(control), zero = 0;
	struct sever_control c;

	return bpf_obj_get_info_by_fd(t->part[PART_FLOWS], &flows, &flows_len) == 0 &&
	       bpf_obj_get_info_by_fd(t->part[PART_CONTROL], &control, &control_len) == 0 &&
	       flows.value_size == sizeof(struct sever_flow) && control.value_size == sizeof(c) &&
	       bpf_map_lookup_elem(t->part[PART_CONTROL], &zero, &c) == 0 && c.abi == SEVER_TRACK_ABI;
}

static void drop_parts(struct track *t)
{
	for (int i = 0; i < PART_MAX; i++)
		if (t->part[i] >= 0)
			close(take_fd(&t->part[i]));
}

int track_take_over(struct track *t, const char *dir)
{
	bool whole = true;
	char path[PATH_MAX];

	for (int i = 0; i < PART_MAX && whole; i++) {
		int r = path_of(path, dir, i);

		if (r < 0)
			return r;
		t->part[i] = bpf_obj_get(path);
		whole = t->part[i] >= 0 || (optional(i) && errno == ENOENT);
	}
	if (whole && fits(t))
		return 0;
	drop_parts(t);
	return -ENOENT;
}

static int pin_part(const struct track *t, const char *dir, int part, char *err)
{
	char path[PATH_MAX];
	int r = path_of(path, dir, part);

	if (r < 0 || t->part[part] < 0)
		return r;
	if (bpf_obj_pin(t->part[part], path) < 0 && errno != EEXIST)
		return fail(-errno, err, "%s: %s", path, strerrordesc_np(errno));
	return 0;
}

int track_pin(const struct track *t, const char *dir, char *err)
{
	int r = 0;

	for (int i = 0; i < PART_MAX && r == 0; i++)
		r = i == PART_CONTROL ? 0 : pin_part(t, dir, i, err);
	return r < 0 ? r : pin_part(t, dir, PART_CONTROL, err);
}

/* The mark that it is whole goes first. */
int track_unpin(int dirfd)
{
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (unlinkat(dirfd, names[PART_CONTROL], 0) < 0 && errno != ENOENT)
		return -errno;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	take_fd(&fd);
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && unlinkat(dirfd, e->d_name, 0) < 0 &&
		    errno != ENOENT)
			return -errno;
	return 0;
}

int track_detach_all(const char *dir, char *err)
{
	_close_ int fd = -1;
	int r;

	if (access(dir, F_OK) < 0)
		return errno == ENOENT ? 0 : fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
	fd = track_lock(dir, err);
	if (fd < 0)
		return fd;
	r = track_unpin(fd);
	if (r == 0 && rmdir(dir) < 0)
		r = -errno;
	return r < 0 ? fail(r, err, "%s: %s", dir, strerrordesc_np(-r)) : 0;
}
