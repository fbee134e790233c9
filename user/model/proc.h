/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc.h - the processes of the host at one moment, by pid. */
#ifndef SEVER_PROC_H
#define SEVER_PROC_H

#include "model/base.h"

#define ID_UNSET UINT32_MAX /* login uid and audit session of a process that never logged in */

struct proc {
	uint64_t cgroup; /* cgroup v2 id, 0 unknown */
	uint64_t start;  /* since boot, in the unit of the observer; orders processes */
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t login_uid;     /* ID_UNSET: none */
	uint32_t audit_session; /* ID_UNSET: none */
	uint32_t netns;         /* inode, 0 unknown */
	bool zombie;            /* it has ended and waits for its parent */
	bool hidden;            /* it does not show its descriptors */
	int32_t session;        /* index into struct sessions, -1: none */
	char comm[16];
};

struct proctab {
	struct proc *v; /* sorted by pid once proctab_sort() ran */
	size_t n, cap;
};

int proctab_add(struct proctab *t, const struct proc *p); /* 0 or -ENOMEM */
void proctab_sort(struct proctab *t);
/* Index of pid in a sorted table, -1: not there. */
int32_t proctab_find(const struct proctab *t, uint32_t pid);
void proctab_clear(struct proctab *t);

#endif
