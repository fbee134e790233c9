// SPDX-License-Identifier: LGPL-2.1-or-later
/* cgroup_tree.c - what there is in the tree of control groups. Parts of it are users' to make as deep and wide as they like. */
#include "kernel/cgroup.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(DIR *, closedir)

/* What the tree as it is now has at some places, by full path. Those found are looked into in turn. */
struct dirs {
	struct cgroup_unit *v;
	size_t n, cap;
};

static void dirs_clear(struct dirs *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	free(d->v);
}

static int add_dir(struct dirs *to, const char *above, const struct dirent *e)
{
	struct cgroup_unit one = { .id = e->d_ino };
	int r = grow(&to->v, &to->cap, to->n + 1, sizeof(*to->v));

	if (r == 0 && asprintf(&one.path, "%s/%s", above, e->d_name) < 0)
		r = -ENOMEM;
	if (r == 0)
		to->v[to->n++] = one;
	return r;
}

/* What is gone meanwhile or cannot be entered has nothing in it; what we run short of makes no answer. */
static int read_dir(const char *path, struct dirs *to)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : 0;
	while (r == 0 && (errno = 0, e = readdir(dir)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = add_dir(to, path, e);
	return r == 0 ? -errno : r;
}

/* Below root, and below each that is to be entered; NULL: all. */
static int walk(const char *root, bool (*enter)(const char *path), struct dirs *ret)
{
	int r = read_dir(root, ret);

	for (size_t i = 0; i < ret->n && r == 0; i++)
		if (!enter || enter(ret->v[i].path))
			r = read_dir(ret->v[i].path, ret);
	return r;
}

static int subtree(const char *path, uint64_t id, struct ids *ret)
{
	_cleanup_(dirs_clear) struct dirs below = { 0 };
	int r = walk(path, NULL, &below);

	if (r == 0)
		r = ids_add(ret, id);
	for (size_t i = 0; i < below.n && r == 0; i++)
		r = ids_add(ret, below.v[i].id);
	return r;
}

static int full_path(const char *mount, const char *path, char **ret)
{
	size_t n = strlen(mount);

	if (strncmp(path, mount, n) == 0 && (path[n] == '/' || !path[n]))
		path += n;
	return asprintf(ret, "%s/%s", mount, path) < 0 ? -ENOMEM : strstr(*ret, "/../") ? -ENOENT : 0;
}

static uint64_t id_of(const char *full)
{
	struct stat st;

	return stat(full, &st) < 0 ? 0 : st.st_ino;
}

int cgroup_subtree(const char *path, struct ids *ret)
{
	_free_ char *mount = NULL, *full = NULL;
	int r = cgroup_mount(&mount);
	uint64_t id;

	if (r == 0)
		r = full_path(mount, path, &full);
	if (r < 0)
		return r;
	id = id_of(full);
	return id ? subtree(full, id, ret) : -ENOENT;
}

/* ---- units ---- */

static const char *name_of(const struct cgroup_unit *u)
{
	return strrchr(u->path, '/') + 1;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* What is below a unit is its own affair, and so is what belongs to another user. */
static bool may_have_units(const char *path)
{
	struct stat st;

	return !ends_with(path, ".service") && !ends_with(path, ".scope") && lstat(path, &st) == 0 && st.st_uid == 0;
}

int cgroup_tree_read(struct cgroup_tree *ret)
{
	struct dirs all = { 0 };
	int r = cgroup_mount(&ret->mount);

	if (r == 0)
		r = walk(ret->mount, may_have_units, &all);
	ret->v = all.v;
	ret->n = all.n;
	return r;
}

void cgroup_tree_clear(struct cgroup_tree *t)
{
	dirs_clear(&(struct dirs){ .v = t->v, .n = t->n });
	free(t->mount);
	*t = (struct cgroup_tree){ 0 };
}

bool cgroup_unit_is(const struct cgroup_unit *u, const char *text)
{
	const char *name = name_of(u);
	size_t n = strlen(text);

	return !strncmp(name, text, n) && !strcmp(name + n, strchr(text, '.') ? "" : ".service");
}

uint64_t cgroup_tree_find(const struct cgroup_tree *t, const char *path)
{
	_free_ char *full = NULL;

	return t->mount && full_path(t->mount, path, &full) == 0 ? id_of(full) : 0;
}

int cgroup_unit(const char *unit, struct ids *ret)
{
	_cleanup_(cgroup_tree_clear) struct cgroup_tree t = { 0 };
	int r = cgroup_tree_read(&t);
	bool found = false;

	for (size_t i = 0; i < t.n && r == 0; i++) {
		if (!cgroup_unit_is(&t.v[i], unit))
			continue;
		found = true;
		r = subtree(t.v[i].path, t.v[i].id, ret);
	}
	return r < 0 ? r : found ? 0 : -ENOENT;
}
