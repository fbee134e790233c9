/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hooks.h - the kinds of BPF hook, each tried by loading, attaching and seeing it act on a socket of our own, then
 * detached. For `sever doctor`: nothing else uses them yet. */
#ifndef SEVER_HOOKS_H
#define SEVER_HOOKS_H

#include <sys/types.h>

enum hook {
	HOOK_TP_BTF,     /* tracepoints on a socket's states and errors */
	HOOK_CGROUP,     /* a socket is made, connected, labelled, closed */
	HOOK_SK_LOOKUP,  /* the listener of a new client is looked up; wants a network namespace of our own */
	HOOK_ITERATORS,  /* walks over TCP and UDP sockets */
	HOOK_SK_STORAGE, /* a value kept with a socket, and the walk that finds it */
	HOOK_RINGBUF,
	HOOK_FENTRY,
	HOOK_LSM,
	HOOK_MAX
};

/* 0, or -errno; -ENODATA: it attached but did nothing to our socket. HOOK_CGROUP forks: call with no descriptor open that
 * the child should not have. */
int hook_try(enum hook h);

/* Removes the cgroup that a process which called hook_try() could not remove itself because it was killed. */
void hook_cgroup_clear(pid_t pid);

#endif
