// SPDX-License-Identifier: LGPL-2.1-or-later
/* list.c - the same selection that a kill would begin with, shown as flows, sessions, users or clients. */
#include "names/users.h"
#include "pipeline/job.h"
#include "pipeline/pipeline.h"
#include "pipeline/resolve.h"

#include <string.h>

struct rows {
	struct row *v;
	size_t n, cap;
};

/* Sorts the flows so that those of one row stand together. Plain pointers: the set itself keeps its order. */
typedef int (*flow_order)(const void *a, const void *b);

static const struct flow *at(const void *p)
{
	return *(const struct flow *const *)p;
}

static int by_session(const void *a, const void *b)
{
	return (at(a)->session > at(b)->session) - (at(a)->session < at(b)->session);
}

static int by_user(const void *a, const void *b)
{
	const struct flow *x = at(a), *y = at(b);

	if (x->user_known != y->user_known)
		return x->user_known ? -1 : 1;
	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	return by_session(a, b);
}

static int by_client(const void *a, const void *b)
{
	const struct flow *x = at(a), *y = at(b);
	int r = x->remote.family - y->remote.family;

	r = r ? r : memcmp(x->remote.b, y->remote.b, sizeof(x->remote.b));
	r = r ? r : (x->remote.scope > y->remote.scope) - (x->remote.scope < y->remote.scope);
	return r ? r : by_user(a, b);
}

static struct row *add_row(struct rows *rows)
{
	if (grow(&rows->v, &rows->cap, rows->n + 1, sizeof(*rows->v)) < 0)
		return NULL;
	rows->v[rows->n] = (struct row){ .user = ID_UNSET };
	return &rows->v[rows->n++];
}

static void count_flow(struct row *row, const struct flow *f)
{
	row->flows++;
	row->transports += f->transport;
	row->rqueue += f->rqueue;
	row->wqueue += f->wqueue;
}

static bool may_see(const struct flow *f, void *arg)
{
	const struct job *j = arg;

	return !j->access->may || j->access->may(j->access->arg, f);
}

/* One row a session, also for one without flows where nothing but users and sessions was named. */
static int session_rows(const struct job *j, struct flow **v, size_t n, struct rows *rows)
{
	const struct filter *f = &j->filter;
	const struct selection *sel = &j->frozen;
	bool bare = !(f->named & ~(1u << SEL_USER | 1u << SEL_SESSION));
	struct row *row;
	size_t k = 0;

	for (size_t i = 0; i < sel->sessions.n; i++) {
		const struct session *s = &sel->sessions.v[i];
		const struct flow as_if = {
			.session = i, .user = s->uid, .user_known = true, .login_uid = s->uid, .shared_with = ID_UNSET
		};

		while (k < n && v[k]->session < (int32_t)i)
			k++;
		if ((k == n || v[k]->session != (int32_t)i) &&
		    !(bare && filter_match_people(f, &sel->people, &as_if) && may_see(&as_if, (void *)j)))
			continue;
		row = add_row(rows);
		if (!row)
			return -ENOMEM;
		row->session = s;
		row->user = s->uid;
		for (; k < n && v[k]->session == (int32_t)i; k++) {
			count_flow(row, v[k]);
			if (v[k]->transport && !row->client.family)
				row->client = v[k]->remote;
		}
	}
	return 0;
}

static int user_rows(struct flow **v, size_t n, struct rows *rows)
{
	struct row *row = NULL;

	for (size_t i = 0; i < n; i++) {
		bool first = !i || v[i]->user_known != v[i - 1]->user_known || v[i]->user != v[i - 1]->user;

		if (first)
			row = add_row(rows);
		if (!row)
			return -ENOMEM;
		if (v[i]->user_known)
			row->user = v[i]->user;
		row->sessions += v[i]->session >= 0 && (first || v[i]->session != v[i - 1]->session);
		count_flow(row, v[i]);
	}
	return 0;
}

/* Clients are at the other end of what was accepted here. */
static int client_rows(struct flow **v, size_t n, struct rows *rows)
{
	const struct flow *last = NULL;
	struct row *row = NULL;

	for (size_t i = 0; i < n; i++) {
		bool first = !last || !addr_equal(&v[i]->remote, &last->remote);

		if (v[i]->direction == DIR_OUT)
			continue;
		if (first)
			row = add_row(rows);
		if (!row)
			return -ENOMEM;
		row->client = v[i]->remote;
		row->users += v[i]->user_known && (first || v[i]->user != last->user);
		count_flow(row, v[i]);
		last = v[i];
	}
	return 0;
}

static int make_rows(const struct job *j, struct flow **v, size_t n, struct rows *rows)
{
	static const flow_order orders[] = {
		[LIST_SESSIONS] = by_session,
		[LIST_USERS] = by_user,
		[LIST_CLIENTS] = by_client,
	};

	if (n)
		qsort(v, n, sizeof(*v), orders[j->req->what]);
	switch (j->req->what) {
	case LIST_USERS:
		return user_rows(v, n, rows);
	case LIST_CLIENTS:
		return client_rows(v, n, rows);
	default:
		return session_rows(j, v, n, rows);
	}
}

static bool every(const struct flow *f)
{
	(void)f;
	return true;
}

static int list_rows(struct job *j, struct names *names, uint64_t *ret_n)
{
	struct worklist w = { 0 };
	int r = worklist_make(j, every, &w);
	_free_ struct flow **v = w.v;
	struct rows rows = { 0 };

	if (r == 0)
		r = make_rows(j, v, w.n, &rows);
	for (size_t i = 0; i < rows.n && r == 0; i++) {
		rows.v[i].what = j->req->what;
		rows.v[i].user_name = decorate_user(names, rows.v[i].user);
		report_row(j->report, &rows.v[i]);
	}
	*ret_n = rows.n;
	free(rows.v);
	return r;
}

static void list_flows(struct job *j, struct names *names)
{
	struct selection *sel = &j->frozen;

	for (size_t i = 0; i < sel->flows.n && !job_stopped(j); i++) {
		decorate(names, j->source, &sel->flows.v[i]);
		report_flow(j->report, &sel->flows.v[i], &sel->owners.procs, &sel->sessions);
	}
}

static int gather(struct job *j)
{
	int r = resolve(j->req, &j->filter, j->err);

	if (r == 0)
		r = j->access->open(j->access->arg, &j->source);
	if (r == 0)
		r = j->source->ops->select(j->source, &j->filter, NULL, &j->frozen);
	if (r == 0 && j->access->may)
		flowset_filter(&j->frozen.flows, may_see, j);
	return r;
}

static enum status answer(struct job *j, struct names *names, struct summary *s)
{
	int r = gather(j);

	if (r == 0 && j->req->what == LIST_FLOWS)
		list_flows(j, names);
	else if (r == 0)
		r = list_rows(j, names, &s->matched);
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
	if (report_end(report, &s) < 0)
		return job_broken(&j, -EIO, "the answer could not be written in full");
	if (status == STATUS_NO_MATCH && !*err)
		fail(0, err, "nothing matched");
	return status;
}
