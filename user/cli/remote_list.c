// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_answer.h"
#include "cli/remote_decode.h"
#include "cli/remote_encode.h"
#include "varlink/interface.h"

static enum status on_line(struct remote *m, const json_t *o)
{
	const char *bad;
	struct told_row t;

	if (m->req->what == LIST_FLOWS)
		return answer_flow(m, o);
	if (decode_row(o, m->req->what, &t, &bad) < 0)
		return answer_nonsense(m, list_what_name[m->req->what], bad);
	report_row(m->report, &t.row);
	m->told++;
	return STATUS_OK;
}

static enum status on_page(struct remote *m, const struct reply *reply)
{
	struct reader r = { .o = reply->parameters };
	const json_t *lines = read_array(&r, list_what_name[m->req->what]);
	enum status status = r.bad ? answer_nonsense(m, "List", r.bad) : STATUS_OK;

	for (size_t i = 0; i < json_array_size(lines) && status == STATUS_OK; i++)
		status = on_line(m, json_array_get(lines, i));
	return status;
}

/* The last page says what was not shown, and why. */
static enum status on_last(struct remote *m, const struct reply *reply)
{
	struct reader r = { .o = reply->parameters };
	uint64_t n = read_number(&r, "hidden", INT64_MAX, 0);
	struct summary s = { .matched = m->told };
	_free_ const char **notes = NULL;
	_free_ char *hidden = NULL;
	const char *bad;
	int ret;

	s.owners = read_text(&r, "owners");
	s.unattributed = read_number(&r, "unattributed", INT64_MAX, 0);
	s.age_unknown = read_number(&r, "age_unknown", INT64_MAX, 0);
	ret = decode_notes(r.o, &s, &notes, &bad);
	if (r.bad || ret == -EBADMSG)
		return answer_nonsense(m, "List", r.bad ? r.bad : bad);
	if (ret == 0 && n && asprintf(&hidden, "%ju connections of others are not shown", (uintmax_t)n) < 0)
		ret = -ENOMEM;
	if (ret < 0)
		return remote_broken(ret, m->err);
	if (hidden)
		notes[s.n_notes++] = hidden;
	if (s.matched || !m->req->n_selectors || m->req->ignore_none)
		return answer_close(m, &s, STATUS_OK);
	fail(0, m->err, "nothing matched");
	return answer_close(m, &s, STATUS_NO_MATCH);
}

/* All the pages of one call. *ret_next: where the next call is to begin; NULL: that was all, or the end of it. */
static enum status hear(struct remote *m, json_t **ret_next)
{
	for (;;) {
		_cleanup_(reply_clear) struct reply reply = { 0 };
		int r = client_next(m->client, REMOTE_PATIENCE_MS, &reply, m->err);
		enum status status;
		json_t *next;

		if (r < 0)
			return remote_broken(r, m->err);
		if (*reply.error)
			return answer_error(m, &reply);
		status = on_page(m, &reply);
		if (status != STATUS_OK)
			return status;
		if (reply.continues)
			continue;
		next = json_object_get(reply.parameters, "next");
		*ret_next = json_is_string(next) ? json_incref(next) : NULL;
		return *ret_next ? STATUS_OK : on_last(m, &reply);
	}
}

enum status remote_list(struct client *c, const struct request *req, struct report *report, char *err)
{
	struct remote m = { .client = c, .req = req, .report = report, .err = err };
	_cleanup_(json_decrefp) json_t *p = NULL;
	enum status status;
	json_t *next;
	int r;

	*err = '\0';
	report_begin(report, req);
	r = encode_list(req, &p, err);
	if (r < 0)
		return answer_none(&m, r);
	do {
		next = NULL;
		r = client_call(c, IO_SEVER ".List", p, CALL_MORE, REMOTE_PATIENCE_MS, err);
		if (r == -EMSGSIZE)
			return answer_none(&m, r);
		status = r < 0 ? remote_broken(r, err) : hear(&m, &next);
		if (next && json_object_set_new(p, "cursor", next) < 0)
			return remote_broken(-ENOMEM, err);
	} while (next);
	return status;
}
