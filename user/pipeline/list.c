// SPDX-License-Identifier: LGPL-2.1-or-later
/* list.c - the same selection that a kill would begin with, shown as flows, sessions, users or clients. */
#include "pipeline/aside.h"
#include "pipeline/resolve.h"

#include <string.h>

static void list_flows(struct job *j, struct names *names)
{
	struct selection *sel = &j->frozen;

	for (size_t i = 0; i < sel->flows.n && !job_stopped(j); i++) {
		decorate(names, j->source, &sel->flows.v[i]);
		report_flow(j->report, &sel->flows.v[i], &sel->owners.procs, &sel->sessions);
	}
}

static bool may_see(const struct flow *f, void *arg)
{
	return job_may_see(arg, f);
}

static int look(struct job *j, const struct filter *f)
{
	int r = j->source->ops->select(j->source, f, NULL, &j->frozen);

	if (r == 0 && j->access->may)
		flowset_filter(&j->frozen.flows, may_see, j);
	return r;
}

int look_aside(struct job *j, const struct filter *f, struct selection *ret)
{
	struct notes *notes = &j->source->notes;
	size_t n = notes->n;
	int r = j->source->ops->select(j->source, f, NULL, ret);

	/* What could not be seen was not asked for. */
	while (notes->n > n)
		free(notes->v[--notes->n]);
	return r;
}

static int add_session(struct filter *f, const struct session *s)
{
	struct session_id id = { .form = SESSION_LOGIND };

	if (grow(&f->sessions.v, &f->sessions.cap, f->sessions.n + 1, sizeof(id)) < 0)
		return -ENOMEM;
	memcpy(id.id, s->id, sizeof(id.id));
	f->sessions.v[f->sessions.n++] = id;
	return 0;
}

/* The sessions that the flows belong to. */
static int add_sessions(struct filter *f, const struct selection *sel)
{
	_free_ bool *seen = calloc(sel->sessions.n + 1, sizeof(*seen));
	int r = seen ? 0 : -ENOMEM;

	for (size_t i = 0; i < sel->flows.n && r == 0; i++) {
		int32_t at = sel->flows.v[i].session;

		if (at < 0 || seen[at])
			continue;
		seen[at] = true;
		r = add_session(f, &sel->sessions.v[at]);
	}
	return r;
}

/* A session's line is about all of it, whichever of its flows it was found by: selects once more, all that those sessions have in
 * the namespaces that were named. */
static int look_at_sessions(struct job *j)
{
	_cleanup_(filter_clear) struct filter f = {
		.named = 1u << SEL_SESSION,
		.protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP,
		.states = STATES_DEFAULT & ~(1u << STATE_CLOSE),
		.traffic = true,
	};
	uint64_t age_unknown = j->frozen.age_unknown, unattributed = j->frozen.unattributed;
	int r = add_sessions(&f, &j->frozen);

	for (size_t i = 0; i < j->filter.netns.n && r == 0; i++)
		r = ids_add(&f.netns, j->filter.netns.v[i]);
	f.named |= j->filter.named & 1u << SEL_NETNS;
	if (r < 0 || !f.sessions.n)
		return r;
	selection_clear(&j->frozen);
	r = look(j, &f);
	j->frozen.age_unknown = age_unknown;
	j->frozen.unattributed = unattributed;
	return r;
}

/* The same, and the flows that have no session yet and match themselves. */
static int look_at_sessions_to_be(struct job *j)
{
	_cleanup_(flowset_clear) struct flowset waiting = { 0 };
	int r = 0;

	for (size_t i = 0; i < j->frozen.flows.n && r >= 0; i++)
		if (j->frozen.flows.v[i].waiting)
			r = flowset_add(&waiting, &j->frozen.flows.v[i]);
	if (r >= 0)
		r = look_at_sessions(j);
	for (size_t i = 0; i < waiting.n && r >= 0; i++) {
		waiting.v[i].proc = -1; /* of the first look */
		r = flowset_add(&j->frozen.flows, &waiting.v[i]);
	}
	return r < 0 ? r : 0;
}

/* Who names these does not mean somebody unknown. */
#define WHO (1u << SEL_USER | 1u << SEL_SESSION)

static int gather_sessions(struct job *j)
{
	int r = j->filter.named & WHO ? 0 : waiting_find(j);

	if (r == 0 && j->filter.named & ~(WHO | 1u << SEL_NETNS))
		r = look_at_sessions_to_be(j);
	if (r == 0)
		r = measure(j);
	if (r == 0 && j->source->ops->recall)
		r = j->source->ops->recall(j->source, &j->frozen);
	return r;
}

static int gather(struct job *j)
{
	int r = resolve(j->req, &j->filter, &j->refusal.missing, j->err);

	j->filter.traffic = true;
	j->filter.holders = j->req->what == LIST_FLOWS || (j->req->what == LIST_SESSIONS && !(j->filter.named & WHO));
	if (r == 0)
		r = j->access->open(j->access->arg, &j->source);
	if (r == 0)
		r = look(j, &j->filter);
	if (r == 0 && j->req->what == LIST_SESSIONS)
		return gather_sessions(j);
	if (r == 0)
		r = measure(j);
	if (r == 0 && j->req->what == LIST_FLOWS)
		r = backends_find(j);
	return r;
}

static enum status answer(struct job *j, struct names *names, struct summary *s)
{
	int r = gather(j);

	if (r == 0 && j->req->what == LIST_FLOWS)
		list_flows(j, names);
	else if (r == 0)
		r = rows_report(j, names, &s->matched);
	if (j->req->what == LIST_FLOWS)
		s->matched = j->frozen.flows.n;
	if (r < 0)
		return job_broken(j, r, "cannot list the connections of this host");
	s->owners = owners_how(&j->frozen.owners);
	s->notes = (const char *const *)j->source->notes.v;
	s->n_notes = j->source->notes.n;
	s->age_unknown = j->frozen.age_unknown;
	s->unattributed = j->frozen.unattributed;
	return s->matched || !j->req->n_selectors || j->req->ignore_none ? STATUS_OK : STATUS_NO_MATCH;
}

enum status list(const struct request *req, const struct access *access, struct report *report, char *err)
{
	_cleanup_(job_clear) struct job j = { .req = req, .access = access, .report = report, .err = err };
	_cleanup_(names_clear) struct names names = { 0 };
	struct summary s = { .request = req };
	enum status status;

	*err = '\0';
	report_begin(report, req);
	status = answer(&j, &names, &s);
	s.interrupted = job_stopped(&j);
	s.refusal = j.refusal;
	if (report_end(report, &s) < 0) {
		fail(0, err, "the answer could not be written in full");
		return STATUS_PARTIAL;
	}
	if (status == STATUS_NO_MATCH && !*err)
		fail(0, err, "nothing matched");
	return status;
}
