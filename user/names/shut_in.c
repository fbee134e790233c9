// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names/shut_in.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(DIR *, closedir)

/* In a user namespace of its own a process may choose its root, even one that never answers whoever reads it. */
static bool same_user_namespace(uint32_t a, uint32_t b)
{
	const uint32_t pids[] = { a, b };
	char path[64], name[2][64];

	for (size_t i = 0; i < array_size(pids); i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%u/ns/user", pids[i]);
		n = readlink(path, name[i], sizeof(name[i]) - 1);
		if (n < 0)
			return false;
		name[i][n] = '\0';
	}
	return !strcmp(name[0], name[1]);
}

bool process_is_shut_in(uint32_t pid, uint32_t keeper)
{
	_cleanup_(closedirp) DIR *root = NULL;
	const struct dirent *e;
	struct stat st;
	char path[64];

	if (!same_user_namespace(pid, keeper))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	root = opendir(path);
	if (!root || fstat(dirfd(root), &st) < 0 || st.st_uid || st.st_mode & (S_IWGRP | S_IWOTH))
		return false;
	errno = 0;
	while ((e = readdir(root)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return !errno;
}
