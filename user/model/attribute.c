// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/attribute.h"

uint32_t flow_holders(const struct flow *f, const struct people *p)
{
	return holders_find(p->holders, p->by_inode ? f->inode : flow_key(f));
}

static bool is_leader(const struct people *p, const struct proc *proc)
{
	return proc->session >= 0 && p->sessions->v[proc->session].leader == proc->pid;
}

/* Whether a is the better process to name a flow after: one in a session, then its leader, then
 * one with a login uid, then the older. */
static bool better(const struct people *p, const struct proc *a, const struct proc *b)
{
	if ((a->session >= 0) != (b->session >= 0))
		return a->session >= 0;
	if (is_leader(p, a) != is_leader(p, b))
		return is_leader(p, a);
	if ((a->login_uid != ID_UNSET) != (b->login_uid != ID_UNSET))
		return a->login_uid != ID_UNSET;
	return a->start != b->start ? a->start < b->start : a->pid < b->pid;
}

uint32_t proc_login(const struct people *p, const struct proc *proc)
{
	return proc->session >= 0 ? p->sessions->v[proc->session].uid : proc->login_uid;
}

struct flow flow_of_session(const struct sessions *all, size_t i)
{
	const uint32_t uid = all->v[i].uid;

	return (struct flow){ .session = i, .user = uid, .user_known = true, .login_uid = uid, .shared_with = ID_UNSET };
}

void flow_attribute(struct flow *f, const struct people *p)
{
	const struct proc *best = NULL, *proc;
	bool led = false, outside = false;
	uint32_t set = flow_holders(f, p), s;

	f->proc = f->session = -1;
	f->login_uid = f->shared_with = ID_UNSET;
	for (s = set; s; s = p->holders->sets[s].parent) {
		proc = &p->procs->v[p->holders->sets[s].proc];
		if (!best || better(p, proc, best))
			best = proc;
	}
	if (best) {
		f->proc = best - p->procs->v;
		f->session = best->session;
		f->login_uid = proc_login(p, best);
	}
	for (s = set; s; s = p->holders->sets[s].parent) {
		proc = &p->procs->v[p->holders->sets[s].proc];
		led |= proc->session == f->session && is_leader(p, proc);
		outside |= proc->session != f->session;
		if (proc_login(p, proc) != ID_UNSET && proc_login(p, proc) != f->login_uid)
			f->shared_with = proc_login(p, proc);
	}
	f->user_known = f->login_uid != ID_UNSET || flow_uid_known(f);
	f->user = f->login_uid != ID_UNSET ? f->login_uid : f->uid;
	f->transport = f->direction != DIR_OUT && (f->session < 0 || led || outside);
	if (!f->user_known)
		f->via = VIA_UNKNOWN;
	else if (f->session >= 0)
		f->via = f->transport ? VIA_TRANSPORT : VIA_SESSION;
	else
		f->via = f->login_uid != ID_UNSET ? VIA_LOGIN : VIA_UID;
}
