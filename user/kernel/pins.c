// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/pins.h"

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

int pins_lock(const char *dir, char *err)
{
	int fd, r = 1;

	for (int i = 0; i < 10 && r == 1; i++) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
		r = try_lock(dir, &fd, err);
	}
	return r == 1 ? fail(-EBUSY, err, "%s is made and removed by another process", dir) : r < 0 ? r : fd;
}

static int path_of(char path[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int pins_get(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int r = path_of(path, dir, name);

	if (r < 0)
		return r;
	r = bpf_obj_get(path);
	return r < 0 ? -errno : r;
}

int pins_add(const char *dir, const char *name, int fd, char *err)
{
	char path[PATH_MAX];
	int r = path_of(path, dir, name);

	if (r < 0 || fd < 0)
		return r;
	if (bpf_obj_pin(fd, path) < 0 && errno != EEXIST)
		return fail(-errno, err, "%s: %s", path, strerrordesc_np(errno));
	return 0;
}

int pins_drop(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int pins_walk(int dirfd, int (*cb)(const char *name, void *arg), void *arg)
{
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	take_fd(&fd);
	while (r >= 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = cb(e->d_name, arg);
	return r < 0 ? r : 0;
}

static int drop(const char *name, void *arg)
{
	int r = pins_drop(*(const int *)arg, name);

	return r == -EISDIR ? 0 : r;
}

int pins_clear(int dirfd, const char *mark)
{
	int r = pins_drop(dirfd, mark);

	return r < 0 ? r : pins_walk(dirfd, drop, &dirfd);
}

int pins_remove(const char *dir, const char *mark, char *err)
{
	_close_ int fd = -1;
	int r;

	if (access(dir, F_OK) < 0)
		return errno == ENOENT ? 0 : fail(-errno, err, "%s: %s", dir, strerrordesc_np(errno));
	fd = pins_lock(dir, err);
	if (fd < 0)
		return fd;
	r = pins_clear(fd, mark);
	if (r == 0 && rmdir(dir) < 0)
		r = -errno;
	return r < 0 ? fail(r, err, "%s: %s", dir, strerrordesc_np(-r)) : 0;
}
