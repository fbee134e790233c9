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
/* The same for each cgroup that is named like a unit ("ssh.service", "session-3.scope"), wherever it is. */
int cgroup_unit(const char *unit, struct ids *ret);

/* The id of the cgroup a path of /proc/PID/cgroup names, 0 unknown. mount: of cgroup_mount(). */
uint64_t cgroup_id(const char *mount, const char *path);

/* id -> path below the mount ("/user.slice"), remembered. NULL: unknown or gone. Owned by the cache. */
struct cgroup_cache;
const char *cgroup_path(struct cgroup_cache **cache, uint64_t id);
void cgroup_cache_free(struct cgroup_cache *cache);

/* Adds those that lie below no other one of the set, and those whose place is not known. 0 or -ENOMEM. */
int cgroup_tops(const struct ids *set, struct ids *ret);

#endif
