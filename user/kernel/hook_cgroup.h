/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook_cgroup.h - the one hook of hooks.h that needs a cgroup, and so a process, to itself. */
#ifndef SEVER_HOOK_CGROUP_H
#define SEVER_HOOK_CGROUP_H

int try_hook_cgroup(void);

#endif
