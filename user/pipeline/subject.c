// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/subject.h"
#include "kernel/sockets.h"

#include <string.h>
#include <sys/socket.h>

char *subject_of(const struct request *req)
{
	const struct selector *s = req->selectors;
	char *text = NULL;

	if (req->n_selectors != 1)
		return NULL;
	switch (s->kind) {
	case SEL_USER:
	case SEL_CLIENT:
	case SEL_PEER:
	case SEL_UNIT:
		return strdup(s->text);
	case SEL_SESSION:
		return asprintf(&text, "session %s", s->text) < 0 ? NULL : text;
	case SEL_PID:
		return asprintf(&text, "process %s", s->text) < 0 ? NULL : text;
	default:
		return NULL;
	}
}

/* One that the caller may not list is not there for him. */
static const struct session *find_session(const struct job *j, const struct session_id *id)
{
	const struct sessions *all = &j->frozen.sessions;

	for (size_t i = 0; i < all->n; i++) {
		const struct flow as_if = flow_of_session(all, i);

		if (session_id_is(id, &all->v[i]) && job_may_see(j, &as_if))
			return &all->v[i];
	}
	return NULL;
}

/* If not, what is theirs may have been left out by something else that was said. */
static bool only_sessions(const struct filter *f)
{
	return f->named == 1u << SEL_SESSION;
}

/* What is known of why nothing carries it. */
static void explain_no_transport(struct job *j, const struct session *s, const char *text)
{
	j->refusal.missing = "transport";
	if (s->console && *s->tty)
		fail(0, j->err, "session %s has no connection to cut: it is on the console, %s", text, s->tty);
	else if (s->console)
		fail(0, j->err, "session %s has no connection to cut: it was opened on this machine, by a job or service",
		     text);
	else
		fail(0, j->err, "session %s has no connection to cut: it is on a console, a job, or disconnected",
		     text);
}

static void explain_no_session(struct job *j, const struct session_id *id, const char *text)
{
	const char *hint = id->form == SESSION_LOGIND && !j->frozen.sessions.logind ? " (no logind runs here; write audit:N)" : "";

	j->refusal.missing = "session";
	fail(0, j->err, "no such session: %s%s", text, hint);
}

static void explain_session(struct job *j)
{
	const struct session_id *id = j->filter.sessions.v;
	const struct session *s = find_session(j, id);
	char text[SESSION_ID_LEN] = "";

	if (id->form == SESSION_AUDIT)
		snprintf(text, sizeof(text), "audit:%u", id->audit);
	else
		memcpy(text, id->id, sizeof(text));
	if (!s)
		explain_no_session(j, id, text);
	else if (only_sessions(&j->filter))
		explain_no_transport(j, s, text);
	else
		fail(0, j->err, "nothing matched");
}

static bool only_handles(const struct filter *f)
{
	return filter_names(f, SEL_FLOW) && !(f->named & ~(1u << SEL_FLOW | 1u << SEL_NETNS));
}

static void explain_flow(struct job *j, const struct flow_id *id)
{
	j->refusal.missing = "flow";
	fail(0, j->err, "flow %jx@%u is gone, or was never a connection", (uintmax_t)id->cookie, id->netns);
}

static void explain(struct job *j)
{
	if (filter_names(&j->filter, SEL_SESSION) && j->filter.sessions.n == 1)
		explain_session(j);
	else if (only_handles(&j->filter) && j->filter.flows.n == 1)
		explain_flow(j, j->filter.flows.v);
	else
		fail(0, j->err, "nothing matched");
}

static const char *kind_of(const struct other_socket *o)
{
	switch (o->family) {
	case AF_UNIX:
		return "AF_UNIX: a socket within the host, which no engine reaches";
	case AF_NETLINK:
		return "AF_NETLINK: a socket to the kernel, which no engine reaches";
	default:
		return "neither TCP nor UDP: no engine reaches it";
	}
}

static int on_listener(const struct flow *f, void *arg)
{
	struct flow_id *id = arg;

	if (f->state == STATE_LISTEN && f->cookie == id->cookie)
		id->cookie = 0;
	return 0;
}

static bool is_listener(struct job *j, struct flow_id id)
{
	const struct filter listening = { .protos = 1u << PROTO_TCP | 1u << PROTO_MPTCP,
					  .states = 1u << STATE_LISTEN };
	struct netns *ns = netns_find(&j->source->netns, id.netns);

	return ns && ns->nl && sockets_dump(ns, &listening, on_listener, &id) >= 0 && !id.cookie;
}

/* A handle that names nothing in any dump: another kind of socket, or one of the past. One that listens is no answer
 * at all: it is never selected. */
static int add_handle(struct job *j, const struct flow_id *id)
{
	const struct owners *o = &j->frozen.owners;
	struct flow f = { .cookie = id->cookie, .netns = id->netns, .proto = PROTO_OTHER, .proc = -1,
			  .session = -1, .login_uid = ID_UNSET, .shared_with = ID_UNSET, .user = ID_UNSET,
			  .outcome = OUT_STALE };
	bool listener = is_listener(j, *id);
	int r;

	if (listener)
		fail(0, j->err, "flow %jx@%u is a listening socket, which is never selected", (uintmax_t)id->cookie, id->netns);
	if (listener && !j->frozen.flows.n)
		return 0;
	if (listener) {
		f.outcome = OUT_SPARED;
		f.note = "a listening socket, which is never selected";
	}
	for (size_t i = 0; i < o->n_others; i++)
		if (o->others[i].cookie == id->cookie && o->others[i].netns == id->netns) {
			f.outcome = OUT_UNSUPPORTED;
			f.err = -EOPNOTSUPP;
			f.note = kind_of(&o->others[i]);
		}
	r = flowset_add(&j->frozen.flows, &f);
	return r < 0 ? r : 0;
}

static bool named_by(const struct flowset *set, const struct flow_id *id)
{
	for (size_t i = 0; i < set->n; i++)
		if (flow_has_handle(&set->v[i], id->cookie, id->netns))
			return true;
	return false;
}

/* Only where nothing but handles was said: another selector may have left the flow out. */
int subject_add_handles(struct job *j)
{
	const struct filter *f = &j->filter;
	int r = 0;

	if (!only_handles(f))
		return 0;
	for (size_t i = 0; i < f->flows.n && r == 0; i++)
		if (!named_by(&j->frozen.flows, &f->flows.v[i]))
			r = add_handle(j, &f->flows.v[i]);
	return r;
}

bool subject_may_come(const struct job *j)
{
	const struct session_ids *ids = &j->filter.sessions;

	for (size_t i = 0; i < ids->n; i++)
		if (find_session(j, &ids->v[i]))
			return true;
	return !ids->n;
}

/* Somebody saw what carried it end; or it came from another host, and who accepted it is gone. Of others nobody knows whether anything
 * ever carried them, or still does where no connection shows it. */
static bool was_carried(const struct session *s)
{
	return !s->console && (s->past.disconnected || (*s->remote_host && !s->leader));
}

/* Sessions were named, and each lives on without what carried it: to disconnect one again is no mistake. */
static bool is_disconnected(struct job *j)
{
	const struct session_ids *ids = &j->filter.sessions;
	const struct source_ops *source = j->source->ops;

	if (j->req->verb != VERB_DISCONNECT || !only_sessions(&j->filter) || j->frozen.incomplete ||
	    (source->recall && source->recall(j->source, &j->frozen) < 0))
		return false;
	for (size_t i = 0; i < ids->n; i++) {
		const struct session *s = find_session(j, &ids->v[i]);

		if (!s || !was_carried(s))
			return false;
	}
	return true;
}

enum status subject_missing(struct job *j)
{
	bool unsupported = false;

	for (size_t i = 0; i < j->frozen.flows.n; i++)
		unsupported |= j->frozen.flows.v[i].outcome == OUT_UNSUPPORTED;
	if (unsupported)
		return STATUS_PARTIAL;
	j->already = is_disconnected(j);
	if (j->already)
		return STATUS_OK;
	if (j->req->ignore_none && !j->frozen.incomplete)
		return STATUS_OK;
	if (!*j->err)
		explain(j);
	return j->req->ignore_none ? STATUS_PARTIAL : STATUS_NO_MATCH;
}
