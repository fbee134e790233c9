// SPDX-License-Identifier: LGPL-2.1-or-later
/* guard.c - what is refused although it was asked for. All guards speak before the first flow dies. */
#include "names/caller.h"
#include "names/users.h"
#include "pipeline/guard.h"
#include "pipeline/job.h"

#include <string.h>

/* The caller, and the chain of processes that started it. pid 1 is nobody's parent in particular. *ret_broken: one of them is not
 * to be seen; *ret_hidden: one does not show what it holds. */
static int read_ancestors(uint32_t pid, const struct proctab *procs, struct ids *ret, bool *ret_broken, bool *ret_hidden)
{
	int32_t at;
	int r = 0;

	for (size_t i = 0; pid > 1 && r == 0 && i <= procs->n; i++) {
		r = ids_add(ret, pid);
		at = proctab_find(procs, pid);
		*ret_broken |= at < 0;
		*ret_hidden |= at >= 0 && procs->v[at].hidden;
		pid = at < 0 ? 0 : procs->v[at].ppid;
	}
	ids_sort(ret);
	return r;
}

static bool held_by(const struct flow *f, const struct people *p, const struct ids *pids)
{
	for (uint32_t s = flow_holders(f, p); s; s = p->holders->sets[s].parent)
		if (ids_has(pids, p->procs->v[p->holders->sets[s].proc].pid))
			return true;
	return false;
}

/* The session is asked as well because a multiplexer stands between us and the service that accepted the flow. */
static int32_t own_session(uint32_t pid, const struct people *p)
{
	char id[SESSION_ID_LEN];
	uint32_t audit = ID_UNSET;

	if (session_of_caller(pid, id, &audit) < 0)
		return -1;
	for (size_t i = 0; i < p->sessions->n; i++) {
		const struct session *s = &p->sessions->v[i];

		if (*id ? !strcmp(s->id, id) : s->audit == audit)
			return i;
	}
	return -1;
}

int guard_find_self(struct selection *s, uint32_t caller, bool *ret_orphaned, bool *ret_hidden)
{
	const struct people *p = &s->people;
	uint32_t pid = caller ? caller : (uint32_t)getpid();
	int32_t session = own_session(pid, p);
	struct ids pids = { 0 };
	int r = read_ancestors(pid, p->procs, &pids, ret_orphaned, ret_hidden);

	for (size_t i = 0; i < s->flows.n && r == 0; i++) {
		struct flow *f = &s->flows.v[i];

		f->self = held_by(f, p, &pids) || (session >= 0 && f->transport && f->session == session);
	}
	*ret_orphaned |= s->owners.confined || s->owners.no_procs;
	free(pids.v);
	return r;
}

int guard_mark_self(struct job *j)
{
	bool hidden = false;
	int r = guard_find_self(&j->frozen, j->req->caller, &j->orphaned, &hidden);

	if (r == 0 && hidden)
		r = note(&j->source->notes, "what the processes hold that started this one is hidden: your own "
					    "connection may be among the victims");
	return r;
}

enum status guard_refuse(struct job *j, enum guard guard, const char *note)
{
	j->refusal.guard = guard;
	for (size_t i = 0; i < j->frozen.flows.n; i++) {
		struct flow *f = &j->frozen.flows.v[i];

		if (f->outcome != OUT_NONE)
			continue;
		f->outcome = OUT_SPARED;
		f->note = note;
	}
	return STATUS_GUARD;
}

/* The first login uid that holds f beside those the request is about; ID_UNSET none. */
static uint32_t bystander(const struct job *j, const struct flow *f)
{
	const struct people *p = &j->frozen.people;
	bool by_user = filter_names(&j->filter, SEL_USER);

	for (uint32_t s = flow_holders(f, p); s; s = p->holders->sets[s].parent) {
		uint32_t uid = proc_login(p, &p->procs->v[p->holders->sets[s].proc]);

		if (uid != ID_UNSET && (by_user ? !ids_has(&j->filter.users, uid) : uid != f->user))
			return uid;
	}
	return ID_UNSET;
}

static enum status check_shared(struct job *j)
{
	struct user_cache *users = NULL;
	uint64_t shared = 0;
	uint32_t other = ID_UNSET;
	const char *name;

	if (j->req->collateral ||
	    !(filter_names(&j->filter, SEL_USER) || filter_names(&j->filter, SEL_SESSION)))
		return STATUS_OK;
	for (size_t i = 0; i < j->frozen.flows.n; i++) {
		uint32_t uid = bystander(j, &j->frozen.flows.v[i]);

		shared += uid != ID_UNSET;
		other = uid != ID_UNSET ? uid : other;
	}
	if (!shared)
		return STATUS_OK;
	name = user_name(&users, other);
	fail(0, j->err, "refused: %ju of the connections %s also held for %s; --collateral cuts them all the same",
	     (uintmax_t)shared, shared == 1 ? "is" : "are", name ? name : "another user");
	user_cache_free(users);
	return guard_refuse(j, GUARD_COLLATERAL, "a connection of the request is shared with another user");
}

/* Without the processes nobody can say which flow is the caller's own. */
static enum status check_self(struct job *j)
{
	uint64_t own = 0;

	if (j->req->include_self)
		return STATUS_OK;
	if (j->orphaned) {
		fail(0, j->err, "refused: not all processes that started this one can be seen, so your own connection "
				"cannot be told from the others; --include-self cuts it with them");
		return guard_refuse(j, GUARD_SELF, "cannot tell the caller's own connection");
	}
	for (size_t i = 0; i < j->frozen.flows.n; i++) {
		struct flow *f = &j->frozen.flows.v[i];

		if (f->self) {
			f->outcome = OUT_SPARED;
			f->note = "carries your own session";
			own++;
		}
	}
	if (own) {
		j->refusal.guard = GUARD_SELF;
		fail(0, j->err, "%s: %ju of the connections carr%s your own session; --include-self cuts that too",
		     own == j->frozen.flows.n ? "refused" : "spared", (uintmax_t)own, own == 1 ? "ies" : "y");
	}
	return own && own == j->frozen.flows.n ? STATUS_GUARD : STATUS_OK;
}

/* All of it or nothing: who may not end one of them does not get to choose the others. A handle of the past is nobody's. */
static enum status check_rights(struct job *j)
{
	const struct flow *denied = NULL, *f;
	char who[SESSION_ID_LEN + 16] = "a connection that is not yours";

	for (size_t i = 0; i < j->frozen.flows.n && j->access->may && !denied; i++) {
		f = &j->frozen.flows.v[i];
		if (f->outcome == OUT_NONE && !j->access->may(j->access->arg, f))
			denied = f;
	}
	if (!denied)
		return STATUS_OK;
	if (denied->session >= 0) {
		memcpy(j->refusal.session, j->frozen.sessions.v[denied->session].id, SESSION_ID_LEN);
		snprintf(who, sizeof(who), "session %s", j->refusal.session);
	}
	fail(0, j->err, "permission denied: %s; nothing was touched", who);
	for (size_t i = 0; i < j->frozen.flows.n; i++)
		if (j->frozen.flows.v[i].outcome == OUT_NONE)
			j->frozen.flows.v[i].outcome = OUT_DENIED;
	return STATUS_DENIED;
}

enum status guard_check(struct job *j)
{
	enum status s = check_rights(j);

	if (s != STATUS_OK)
		return s;
	if (guard_means_everyone(&j->filter, j->req) && !j->req->yes) {
		fail(0, j->err, "refused: that is everyone; confirm it with --yes");
		return guard_refuse(j, GUARD_ALL, "everyone, and not confirmed");
	}
	if (j->req->max && j->frozen.flows.n > j->req->max) {
		fail(0, j->err, "refused: %zu connections match, --max allows %ju", j->frozen.flows.n,
		     (uintmax_t)j->req->max);
		return guard_refuse(j, GUARD_MAX, "more connections match than --max allows");
	}
	s = check_shared(j);
	return s == STATUS_OK ? check_self(j) : s;
}
