// SPDX-License-Identifier: LGPL-2.1-or-later
/* rows.c - flows added up by session, user or client. */
#include "model/moment.h"
#include "pipeline/job.h"

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

/* Cookies count up, more or less: the oldest one of a session comes first. */
static int by_session(const void *a, const void *b)
{
	const struct flow *x = at(a), *y = at(b);

	if (x->session != y->session)
		return x->session < y->session ? -1 : 1;
	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
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
	rows->v[rows->n] = (struct row){ .user = ID_UNSET, .counted = true };
	return &rows->v[rows->n++];
}

/* What is not known of one transport is not known of all of them. */
static void count_transport(struct row *row, const struct flow *f)
{
	bool first = !row->transports++;

	row->timed = f->timed && (first || row->timed);
	if (first || f->idle_ms < row->idle_ms)
		row->idle_ms = f->idle_ms;
	if (first || f->since < row->connected)
		row->connected = f->since;
}

static void count_flow(struct row *row, const struct flow *f)
{
	row->flows++;
	if (f->transport)
		count_transport(row, f);
	row->rqueue += f->rqueue;
	row->wqueue += f->wqueue;
	row->sent += f->sent;
	row->received += f->received;
	row->counted &= f->counted || !flow_is_tcp(f);
}

/* Whether a transport, if there were one, would have been seen. */
static bool sees_all(const struct job *j)
{
	const struct selection *sel = &j->frozen;

	return !sel->incomplete && !sel->owners.no_procs && !sel->owners.hidden_fds && !filter_names(&j->filter, SEL_NETNS);
}

static void describe(const struct job *j, struct row *row, uint64_t boot)
{
	const struct session *s = row->session;

	row->user = s->uid;
	if (s->leader)
		row->since = boot + owners_start_us(&j->frozen.owners, s->start);
	if (row->transports || s->console)
		row->presence = PRESENCE_ACTIVE;
	else if (sees_all(j))
		row->presence = PRESENCE_DISCONNECTED;
	if (row->presence == PRESENCE_DISCONNECTED)
		row->disconnected = s->past.disconnected;
	row->sent += s->past.sent;
	row->received += s->past.received;
	row->counted &= !s->past.torn;
}

/* One row a session, also for one without flows where nothing but users and sessions was named. */
static int session_rows(const struct job *j, struct flow **v, size_t n, struct rows *rows)
{
	const struct filter *f = &j->filter;
	const struct selection *sel = &j->frozen;
	bool bare = !(f->named & ~(1u << SEL_USER | 1u << SEL_SESSION));
	uint64_t boot = moment_of_boot();
	struct row *row;
	size_t k = 0;

	for (size_t i = 0; i < sel->sessions.n; i++) {
		const struct session *s = &sel->sessions.v[i];
		const struct flow as_if = flow_of_session(&sel->sessions, i);

		while (k < n && v[k]->session < (int32_t)i)
			k++;
		if ((k == n || v[k]->session != (int32_t)i) &&
		    !(bare && filter_match_people(f, &sel->people, &as_if) && job_may_see(j, &as_if)))
			continue;
		row = add_row(rows);
		if (!row)
			return -ENOMEM;
		row->session = s;
		for (; k < n && v[k]->session == (int32_t)i; k++) {
			count_flow(row, v[k]);
			if (v[k]->transport && !row->client.family) {
				row->client = v[k]->remote;
				row->carrier = flow_carrier(v[k]);
			}
		}
		describe(j, row, boot);
	}
	return 0;
}

/* One row a connection through which somebody may yet log in. They have no session, and so come first. */
static int waiting_rows(struct flow **v, size_t n, struct rows *rows)
{
	for (size_t i = 0; i < n && v[i]->session < 0; i++) {
		struct row *row;

		if (!v[i]->waiting)
			continue;
		row = add_row(rows);
		if (!row)
			return -ENOMEM;
		count_flow(row, v[i]);
		row->flow = v[i];
		row->client = v[i]->remote;
		row->carrier = flow_carrier(v[i]);
		row->presence = PRESENCE_CONNECTED;
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
	int r;

	if (n)
		qsort(v, n, sizeof(*v), orders[j->req->what]);
	switch (j->req->what) {
	case LIST_USERS:
		return user_rows(v, n, rows);
	case LIST_CLIENTS:
		return client_rows(v, n, rows);
	default:
		r = session_rows(j, v, n, rows);
		return r < 0 ? r : waiting_rows(v, n, rows);
	}
}

static bool every(const struct flow *f)
{
	(void)f;
	return true;
}

int rows_report(struct job *j, struct names *names, uint64_t *ret_n)
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
