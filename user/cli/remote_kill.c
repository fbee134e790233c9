// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_answer.h"
#include "cli/remote_decode.h"
#include "cli/remote_encode.h"
#include "report/jsonl.h"
#include "varlink/interface.h"

static enum status put_accepted(struct remote *m)
{
	struct jsonl j = { .f = m->report->out };

	if (m->o->json) {
		jsonl_open(&j, NULL);
		jsonl_open(&j, "accepted");
		jsonl_text(&j, "request", m->req->id, REQUEST_ID_LEN);
		jsonl_number(&j, "matched", m->matched, m->accepted);
		jsonl_close(&j);
		jsonl_end_line(&j);
	} else if (!m->o->quiet) {
		fprintf(m->report->out, "accepted %s, %ju connection%s\n", m->req->id, (uintmax_t)m->matched,
			m->matched == 1 ? "" : "s");
	}
	return STATUS_OK;
}

/* The request is severd's, and what it does does not hang on us. */
static enum status leave(struct remote *m, int r)
{
	const char *path = m->o->socket ? m->o->socket : IO_SEVER_SOCKET;
	char why[ERR_LEN];

	remote_broken(r, m->err);
	snprintf(why, sizeof(why), "%s", m->err);
	fail(0, m->err, "%.200s; request %s %s on in severd, and " IO_SEVER ".GetRequest at %s tells how it ends%s", why,
	     m->req->id, r == -EINTR ? "goes" : "may go", path,
	     m->req->fence_ms ? "; `sever fence list` shows whether its fence stands" : "");
	if (m->o->json)
		put_accepted(m);
	return STATUS_PARTIAL;
}

static enum status on_accepted(struct remote *m, const json_t *o)
{
	struct reader r = { .o = o };

	read_member(&r, "matched", true);
	m->matched = read_number(&r, "matched", INT64_MAX, 0);
	m->accepted = true;
	return r.bad ? answer_nonsense(m, "accepted", r.bad) : STATUS_OK;
}

static enum status on_cut(struct remote *m, const json_t *o)
{
	const char *user, *bad;
	struct session s;

	if (decode_cut(o, &s, &user, &bad) < 0)
		return answer_nonsense(m, "cut", bad);
	report_session(m->report, &s, user);
	return STATUS_OK;
}

static enum status on_flow(struct remote *m, const json_t *o)
{
	enum status status = answer_flow(m, o);

	if (status == STATUS_OK)
		report_progress(m->report, "waiting for severd", m->told, m->matched);
	return status;
}

/* The last reply. */
static enum status on_end(struct remote *m, struct reader *r)
{
	const json_t *summary = read_object(r, "summary");
	enum status status = read_number(r, "status", STATUS_NO_DAEMON, STATUS_PARTIAL);
	const char *message = read_text(r, "message");

	read_member(r, "summary", true);
	read_member(r, "status", true);
	if (message && !r->bad)
		fail(0, m->err, "%s", message);
	return r->bad ? answer_nonsense(m, "Kill", r->bad) : answer_summary(m, summary, status);
}

/* A reply that is no error. Whether there is to be another one; else *ret is the end. */
static bool on_reply(struct remote *m, const struct reply *reply, enum status *ret)
{
	static const struct {
		const char *key;
		enum status (*hear)(struct remote *m, const json_t *o);
	} parts[] = { { "accepted", on_accepted }, { "cut", on_cut }, { "flow", on_flow } };
	struct reader r = { .o = reply->parameters };

	*ret = STATUS_OK;
	for (size_t i = 0; i < array_size(parts) && *ret == STATUS_OK; i++) {
		const json_t *o = read_object(&r, parts[i].key);

		if (o)
			*ret = parts[i].hear(m, o);
	}
	if (*ret == STATUS_OK && r.bad)
		*ret = answer_nonsense(m, "Kill", r.bad);
	if (*ret != STATUS_OK)
		return false;
	if (!reply->continues)
		*ret = on_end(m, &r);
	else if (m->accepted && m->o->no_wait)
		*ret = put_accepted(m);
	else
		return true;
	return false;
}

static enum status hear(struct remote *m)
{
	uint64_t ms = REMOTE_PATIENCE_MS + m->req->timeout_ms + m->req->drain_ms;
	enum status status = STATUS_OK;
	bool more = true;

	while (more) {
		struct reply reply;
		int r = client_next(m->client, ms < INT32_MAX ? ms : INT32_MAX, &reply, m->err);

		if (r < 0)
			return leave(m, r);
		if (*reply.error)
			status = answer_error(m, &reply);
		more = !*reply.error && on_reply(m, &reply, &status);
		reply_clear(&reply);
	}
	return status;
}

enum status remote_kill(struct client *c, const struct options *o, struct report *report, char *err)
{
	struct remote m = { .client = c, .o = o, .req = &o->request, .report = report, .err = err };
	_cleanup_(json_decrefp) json_t *p = NULL;
	/* Who is shown nothing on the way needs not be told of each connection. */
	unsigned int how = o->quiet && !o->json && !o->no_wait ? 0 : CALL_MORE;
	int r;

	*err = '\0';
	report_begin(report, m.req);
	r = encode_kill(m.req, &p, err);
	if (r < 0)
		return answer_none(&m, r);
	client_stop_on(c, m.req->stop);
	report_progress(report, "waiting for severd", 0, 0);
	r = client_call(c, IO_SEVER ".Kill", p, how, REMOTE_PATIENCE_MS, err);
	return r == -EMSGSIZE ? answer_none(&m, r) : r < 0 ? remote_broken(r, err) : hear(&m);
}
