/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup.h - cgroup v2 paths and the ids the kernel shows instead of them. */
#ifndef SEVER_CGROUP_H
#define SEVER_CGROUP_H

#include "model/filter.h"

/* Where cgroup v2 is mounted ("/sys/fs/cgroup", on hybrid hosts ".../unified"), malloc'ed. -ENOENT: nowhere. */
int cgroup_mount(char **ret);

/* Adds the ids of a cgroup and all below it. path: as /proc/PID/cgroup writes it, or absolute below the mount.
 * -ENOENT no such cgroup. */
int cgroup_subtree(const char *path, struct ids *ret);
/* The same for each that a unit of the system has, by the unit's name; "ssh" is "ssh.service". Not those that are named so below
 * another unit or in a cgroup that is not root's: anybody may make these. */
int cgroup_unit(const char *unit, struct ids *ret);

/* The same for many names: what the tree is at one moment, as far as units of the system are in it. */
struct cgroup_tree {
	char *mount;
	struct cgroup_unit {
		uint64_t id;
		char *path; /* of its directory */
	} *v; /* slices and the like among them */
	size_t n;
};
/* Costs as much as root has made, whatever users have. 0; -ENOENT: cgroup v2 is not mounted; other negative errno. *ret is zero, and
 * to be cleared in any case. */
int cgroup_tree_read(struct cgroup_tree *ret);
void cgroup_tree_clear(struct cgroup_tree *t);
bool cgroup_unit_is(const struct cgroup_unit *u, const char *name);
/* The id of the cgroup of a path as cgroup_subtree() takes it, as of now; 0 none. */
uint64_t cgroup_tree_find(const struct cgroup_tree *t, const char *path);

/* The id of the cgroup a path of /proc/PID/cgroup names, 0 unknown. mount: of cgroup_mount(). */
uint64_t cgroup_id(const char *mount, const char *path);

/* id -> path below the mount ("/user.slice"), remembered. NULL: unknown or gone. Owned by the cache. */
struct cgroup_cache;
const char *cgroup_path(struct cgroup_cache **cache, uint64_t id);
void cgroup_cache_free(struct cgroup_cache *cache);

#endif
