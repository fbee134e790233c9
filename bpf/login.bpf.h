/* SPDX-License-Identifier: GPL-2.0-only */
/* login.bpf.h - which process seems to begin a session of a user: SEVER_EVENT_LOGIN. A hint to look, and no more. */
#ifndef SEVER_BPF_LOGIN_H
#define SEVER_BPF_LOGIN_H

#include "events.bpf.h"

#include <bpf/bpf_tracing.h>

/* The kernel counts audit sessions up, so that those which share a place here are this far apart. */
enum { SESSIONS = 4096 };

/* The newest one told of. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SESSIONS);
	__type(key, __u32);
	__type(value, __u32);
} sessions SEC(".maps");

/* The reader is called: these are rare, and what it looks at may not stay for long. */
static __always_inline bool tell_login(struct task_struct *t, struct cgroup *in)
{
	const struct sever_flow none = {};
	struct sever_event *e = new_event(0, SEVER_EVENT_LOGIN, bpf_ktime_get_boot_ns(), &none);

	if (!e) {
		count(SEVER_LOST_EVENTS);
		return false;
	}
	flow_task(&e->flow, t);
	e->flow.cgroup = in->kn->id;
	bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
	return true;
}

/* Only the process that was given an audit session has it before its first fork. Later ones, of processes whose parent
 * is gone, are of a session that was told of. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(track_fork, struct task_struct *t)
{
	__u32 session, slot, *newest;

	if (!bpf_core_field_exists(t->sessionid))
		return 0;
	session = t->sessionid;
	if (session == SEVER_ID_UNSET || session == t->real_parent->sessionid)
		return 0;
	slot = session % SESSIONS;
	newest = bpf_map_lookup_elem(&sessions, &slot);
	if (newest && (!*newest || (__s32)(session - *newest) > 0) && tell_login(t, t->cgroups->dfl_cgrp))
		*newest = session;
	return 0;
}

/* Told once the process is there. Not of threads, nor of the hierarchies of cgroup v1. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(track_attach, struct cgroup *to, const char *path, struct task_struct *t)
{
	if (!to->root->hierarchy_id && t->pid == t->tgid)
		tell_login(t, to);
	return 0;
}

#endif
