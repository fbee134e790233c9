// SPDX-License-Identifier: LGPL-2.1-or-later
/* sessions.c - which log-in session each process belongs to. A host may have tens of thousands of
 * processes in a few hundred cgroups, so processes are grouped and each group is asked about once.
 */
#include "names/sessions.h"

#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

/* What systemd knows, it knows by cgroup. The root one, always 1, says nothing: on hosts with
 * cgroup v1 everything is in it as far as v2 can tell. */
#define CGROUP_ROOT 1

/* Oldest first. Two that started in the same tick are told apart by pid. */
static int by_age(const struct proc *a, const struct proc *b)
{
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int by_cgroup(const void *x, const void *y)
{
	const struct proc *a = *(struct proc *const *)x, *b = *(struct proc *const *)y;

	return a->cgroup != b->cgroup ? (a->cgroup < b->cgroup ? -1 : 1) : by_age(a, b);
}

static int by_audit(const void *x, const void *y)
{
	const struct proc *a = *(struct proc *const *)x, *b = *(struct proc *const *)y;

	if (a->audit_session != b->audit_session)
		return a->audit_session < b->audit_session ? -1 : 1;
	return by_age(a, b);
}

static struct session *add(struct sessions *s)
{
	struct session *one;

	if (grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v)) < 0)
		return NULL;
	one = s->v + s->n++;
	memset(one, 0, sizeof(*one));
	one->uid = ID_UNSET;
	one->audit = ID_UNSET;
	return one;
}

/* Copies a string of sd-login and frees it. One that does not fit is left out: half a name is
 * another name. */
static void take_text(char *text, char *ret, size_t size)
{
	_free_ char *owned = text;

	if (owned && strlen(owned) < size)
		strcpy(ret, owned);
}

static void describe(struct session *s)
{
	_free_ char *seat = NULL, *is = NULL;
	char *tty = NULL, *host = NULL;
	uid_t uid;

	if (sd_session_get_uid(s->id, &uid) >= 0)
		s->uid = uid;
	if (sd_session_get_tty(s->id, &tty) >= 0)
		take_text(tty, s->tty, sizeof(s->tty));
	if (sd_session_get_remote_host(s->id, &host) >= 0)
		take_text(host, s->remote_host, sizeof(s->remote_host));
	s->console = sd_session_is_remote(s->id) == 0 || sd_session_get_seat(s->id, &seat) >= 0;
	s->closing = sd_session_get_state(s->id, &is) >= 0 && !strcmp(is, "closing");
}

/* Index of the session with that id, made when it is new, or -ENOMEM. */
static int32_t session_named(struct sessions *s, const char *id)
{
	struct session *one;

	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].id, id))
			return i;
	one = add(s);
	if (!one)
		return -ENOMEM;
	strcpy(one->id, id);
	describe(one);
	return s->n - 1;
}

/* 0 with the index of the session of that process, -1 none; -ESRCH it is gone; -ENOMEM. */
static int ask_logind(struct sessions *s, uint32_t pid, int32_t *ret)
{
	_free_ char *id = NULL;
	int r = sd_pid_get_session(pid, &id);
	int32_t i = -1;

	if (r == -ESRCH || r == -ENOMEM)
		return r;
	if (r >= 0 && strlen(id) < SESSION_ID_LEN)
		i = session_named(s, id);
	if (i == -ENOMEM)
		return i;
	*ret = i;
	return 0;
}

/* The answer for one process is that for all of its cgroup, unless the cgroup is not known. */
static int read_logind(struct proc **v, size_t n, struct sessions *s)
{
	bool answered = false;
	int32_t session = -1;

	qsort(v, n, sizeof(*v), by_cgroup);
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (!i || v[i]->cgroup <= CGROUP_ROOT || v[i]->cgroup != v[i - 1]->cgroup)
			answered = false;
		if (!answered)
			r = ask_logind(s, v[i]->pid, &session);
		if (r == -ENOMEM)
			return r;
		answered = r == 0;
		v[i]->session = answered ? session : -1;
	}
	return 0;
}

/* libsystemd tells the leader of a session only since version 254; it is the process that opened
 * it, so the oldest, and of several that started at once the one with the least pid. */
static void elect_leaders(const struct proctab *procs, struct sessions *s)
{
	for (size_t i = 0; i < procs->n; i++) {
		const struct proc *p = procs->v + i;
		struct session *one;

		if (p->session < 0)
			continue;
		one = s->v + p->session;
		if (one->leader && p->start >= one->start)
			continue;
		one->leader = p->pid;
		one->start = p->start;
		one->audit = p->audit_session;
		if (one->uid == ID_UNSET)
			one->uid = p->login_uid;
	}
}

/* The oldest process is the leader only while the real one lives. What it left behind is found by its parent, which is init by
 * now, and by its user: who opens a session for others and is started by init, such as sshd by its socket, is root. But a
 * service of his with PAMName= is the leader of its session, which is none of the network's. */
static void dismiss_leftovers(const struct proctab *procs, struct sessions *s)
{
	for (size_t i = 0; i < s->n; i++) {
		int32_t at = proctab_find(procs, s->v[i].leader);

		if (at >= 0 && procs->v[at].ppid == 1 && procs->v[at].uid && procs->v[at].uid == s->v[i].uid &&
		    (s->v[i].closing || !s->v[i].console))
			s->v[i].leader = 0;
	}
}

/* The one logind session whose leader has that audit session, -1 none or several. */
static int32_t session_audited(const struct sessions *s, size_t n, uint32_t audit)
{
	int32_t found = -1;

	for (size_t i = 0; i < n; i++) {
		if (s->v[i].audit != audit)
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

static int32_t new_audit_session(struct sessions *s, const struct proc *oldest)
{
	struct session *one = add(s);

	if (!one)
		return -ENOMEM;
	snprintf(one->id, sizeof(one->id), "audit:%u", oldest->audit_session);
	one->uid = oldest->login_uid;
	one->audit = oldest->audit_session;
	one->leader = oldest->pid;
	one->start = oldest->start;
	return s->n - 1;
}

/* A user's own systemd (user@UID.service) is logged in by PAM like a person and has an audit session, but nobody sits there: it is
 * one a user, serves all of his sessions and may outlive them. It is its session's oldest process. */
static bool is_user_manager(const struct sessions *s, const struct proc *oldest)
{
	_free_ char *unit = NULL;

	return s->logind && sd_pid_get_user_unit(oldest->pid, &unit) >= 0 && !strcmp(unit, "init.scope");
}

/* Processes that logind does not count, by audit session. Where that is the one of a logind session
 * they left it only by cgroup (systemd-run --scope), so they belong to it still. */
static int read_audit(struct proc **v, size_t n, struct sessions *s)
{
	const size_t of_logind = s->n;
	uint32_t current = ID_UNSET;
	int32_t session = -1;

	qsort(v, n, sizeof(*v), by_audit);
	for (size_t i = 0; i < n; i++) {
		struct proc *p = v[i];

		if (p->session >= 0 || !p->audit_session || p->audit_session == ID_UNSET)
			continue;
		if (p->audit_session != current) {
			session = session_audited(s, of_logind, p->audit_session);
			if (session < 0 && !is_user_manager(s, p))
				session = new_audit_session(s, p);
		}
		if (session == -ENOMEM)
			return session;
		current = p->audit_session;
		p->session = session;
	}
	return 0;
}

int sessions_read(struct proctab *procs, struct sessions *ret)
{
	const int booted = sd_booted(); /* else negative: whatever hides it hides logind's files, too */
	_cleanup_(sessions_clear) struct sessions s = { .logind = booted > 0 };
	_free_ struct proc **v = calloc(procs->n + 1, sizeof(*v));
	size_t n = 0;
	int r = 0;

	if (booted == -ELIBACC)
		return booted;
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < procs->n; i++) {
		procs->v[i].session = -1;
		if (!procs->v[i].zombie)
			v[n++] = procs->v + i;
	}
	if (s.logind)
		r = read_logind(v, n, &s);
	if (r < 0)
		return r;
	elect_leaders(procs, &s);
	r = read_audit(v, n, &s);
	if (r < 0)
		return r;
	dismiss_leftovers(procs, &s);
	*ret = s;
	memset(&s, 0, sizeof(s));
	return 0;
}
