/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroups.h - cgroups of the test's own, below one that goes with it; some are a user's. */
#ifndef SEVER_TEST_CGROUPS_H
#define SEVER_TEST_CGROUPS_H

#include "kernel/cgroup.h"
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#define BOB 77123

static char groups_dir[PATH_MAX];
static uint64_t groups_top;

/* That no unit of the host has. */
static inline const char *own_name(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "sever-test-%d", getpid());
	return name;
}

/* Of a name below ours, in one of some buffers. */
static inline const char *group_path(const char *name)
{
	static char path[4][2 * PATH_MAX];
	static unsigned int turn;

	turn = (turn + 1) % 4;
	if (!strcmp(name, "."))
		return groups_dir;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", groups_dir, name);
	return path[turn];
}

static inline void group_failed(const char *what, const char *path)
{
	fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
	abort();
}

/* A new one that belongs to the user: its id. */
static inline uint64_t __attribute__((format(printf, 2, 3))) make_group(uid_t owner, const char *format, ...)
{
	char name[256];
	struct stat st;
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (mkdir(group_path(name), 0755) < 0 || chown(group_path(name), owner, owner) < 0 || stat(group_path(name), &st) < 0)
		group_failed("make", name);
	return st.st_ino;
}

static inline void __attribute__((format(printf, 1, 2))) drop_group(const char *format, ...)
{
	char name[256];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (rmdir(group_path(name)) < 0)
		group_failed("remove", name);
}

/* How often we open one of these, to see what is in it. */
static inline void watch_more(int watch, const char *name)
{
	if (fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN | FAN_ONDIR, AT_FDCWD, group_path(name)) < 0)
		group_failed("watch", name);
}

static inline int watch_group(const char *name)
{
	int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);

	if (watch < 0)
		skip_because("no fanotify here");
	watch_more(watch, name);
	return watch;
}

/* Since the last call. */
static inline size_t count_looks(int watch)
{
	struct fanotify_event_metadata v[64];
	size_t n = 0;
	ssize_t len;

	while ((len = read(watch, v, sizeof(v))) > 0)
		for (size_t i = 0; i < len / sizeof(*v); i++) {
			n += v[i].pid == getpid();
			close(v[i].fd);
		}
	return n;
}

static inline int move(int from, int to)
{
	close(from);
	return to;
}

static inline bool have_groups(void)
{
	_free_ char *mount = NULL;

	return cgroup_mount(&mount) == 0;
}

static inline int setup_groups(void **state)
{
	_free_ char *mount = NULL;
	struct stat st;

	(void)state;
	if (cgroup_mount(&mount) < 0)
		return -1;
	snprintf(groups_dir, sizeof(groups_dir), "%s/%s", mount, own_name());
	if (mkdir(groups_dir, 0755) < 0 || stat(groups_dir, &st) < 0)
		group_failed("make", groups_dir);
	groups_top = st.st_ino;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	return flag == FTW_DP && rmdir(path) < 0 ? -1 : 0;
}

static inline int teardown_groups(void **state)
{
	(void)state;
	return nftw(groups_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define groups_test(name) cmocka_unit_test_setup_teardown(name, setup_groups, teardown_groups)

#endif
