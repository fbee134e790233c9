// SPDX-License-Identifier: LGPL-2.1-or-later
/* cgroup.c - the id of a cgroup is the inode number of its directory, and its file handle. */
#include "kernel/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define FILEID_KERNFS 0xfe

/* A mount may be covered by another one. */
static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

int cgroup_mount(char **ret)
{
	_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_free_ char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		const char *type = strstr(line, " - ");
		char path[4096];

		if (!type || strncmp(type + 3, "cgroup2 ", 8) ||
		    sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1 || !is_cgroup2(path))
			continue;
		*ret = strdup(path);
		return *ret ? 0 : -ENOMEM;
	}
	return f && feof(f) ? -ENOENT : -errno;
}

uint64_t cgroup_id(const char *mount, const char *path)
{
	char full[2 * PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", mount, path);
	return stat(full, &st) < 0 ? 0 : st.st_ino;
}

struct cgroup_cache {
	char *mount; /* NULL: cgroup v2 is not mounted */
	int fd;
	struct known {
		uint64_t id;
		char *path;
	} *v;
	size_t n, cap, last;
};

static struct cgroup_cache *cache_new(void)
{
	struct cgroup_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = -1;
	if (cgroup_mount(&c->mount) == 0)
		c->fd = open(c->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c;
}

/* A kernfs file handle is the id; opening it leads to the directory, and /proc says where that is. */
static char *ask(const struct cgroup_cache *c, uint64_t id)
{
	_Alignas(struct file_handle) char raw[sizeof(struct file_handle) + sizeof(id)] = { 0 };
	struct file_handle *h = (void *)raw;
	char link[64], path[4096];
	_close_ int fd = -1;
	ssize_t n;

	h->handle_bytes = sizeof(id);
	h->handle_type = FILEID_KERNFS;
	memcpy(h->f_handle, &id, sizeof(id));
	fd = open_by_handle_at(c->fd, h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	if (strncmp(path, c->mount, strlen(c->mount)))
		return NULL;
	return strdup(path[strlen(c->mount)] ? path + strlen(c->mount) : "/");
}

const char *cgroup_path(struct cgroup_cache **cache, uint64_t id)
{
	struct cgroup_cache *c = *cache ? *cache : (*cache = cache_new());

	if (!c || c->fd < 0 || !id)
		return NULL;
	if (c->n && c->v[c->last].id == id)
		return c->v[c->last].path;
	for (c->last = 0; c->last < c->n; c->last++)
		if (c->v[c->last].id == id)
			return c->v[c->last].path;
	if (grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v)) < 0) {
		c->last = 0;
		return NULL;
	}
	c->v[c->n++] = (struct known){ .id = id, .path = ask(c, id) };
	return c->v[c->last].path;
}

void cgroup_cache_free(struct cgroup_cache *c)
{
	if (!c)
		return;
	closep(&c->fd);
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].path);
	free(c->v);
	free(c->mount);
	free(c);
}
