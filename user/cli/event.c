// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/event.h"
#include "cli/reader.h"
#include "report/jsonl.h"
#include "report/table.h"

#include <string.h>

static int decode_parts(struct reader *r, struct event *e, const char **ret_bad)
{
	const json_t *flow = read_object(r, "flow"), *session = read_object(r, "session");
	const json_t *summary = read_object(r, "summary"), *fence = read_object(r, "fence");
	int ret = 0;

	e->has_flow = flow;
	e->has_session = session;
	e->has_summary = summary;
	e->has_fence = fence;
	if (flow)
		ret = decode_flow(flow, &e->flow, ret_bad);
	if (ret == 0 && session)
		ret = decode_row(session, LIST_SESSIONS, &e->session, ret_bad);
	if (ret == 0 && summary)
		ret = decode_summary(summary, &e->summary, &e->notes, ret_bad);
	if (ret == 0 && fence)
		ret = decode_fence(fence, &e->fence, ret_bad);
	return ret;
}

int event_decode(const json_t *o, struct event *ret, const char **ret_bad)
{
	struct reader r = { .o = o };
	int result;

	*ret = (struct event){ .o = o };
	read_member(&r, "seq", true);
	ret->seq = read_number(&r, "seq", INT64_MAX, 0);
	ret->time = read_text(&r, "time");
	ret->name = read_text(&r, "event");
	if (!ret->time || !ret->name)
		read_refuse(&r, ret->time ? "event" : "time");
	ret->reason = read_text(&r, "reason");
	ret->request = read_text(&r, "request");
	ret->returns = read_text(&r, "returns");
	ret->has_count = read_member(&r, "count", false);
	ret->count = read_number(&r, "count", INT64_MAX, 0);
	result = decode_parts(&r, ret, ret_bad);
	if (result == 0 && r.bad) {
		*ret_bad = r.bad;
		return -EBADMSG;
	}
	return result;
}

void event_clear(struct event *e)
{
	free(e->notes);
	e->notes = NULL;
}

static void cell(struct line *l, const char *text, size_t n)
{
	if (text && *text)
		line_escape(l, text, n);
	else
		line_text(l, "-");
	line_next(l);
}

static void peer_cell(struct line *l, const struct event *e)
{
	static const char *const arrow[] = { " -- ", " -> ", " <- " };
	const struct flow *f = &e->flow.flow;
	const struct told_row *s = &e->session;
	char text[ADDR_STRLEN];

	_Static_assert(array_size(arrow) == DIR_MAX, "an arrow for each direction");
	if (e->has_fence) {
		fence_last(l, &e->fence);
		line_next(l);
		return;
	}
	if (!e->has_flow) {
		cell(l, s->row.client.family ? addr_format(&s->row.client, text) : s->session.remote_host,
		     sizeof(s->session.remote_host));
		return;
	}
	line_endpoint(l, &f->remote, f->remote_port);
	line_text(l, arrow[f->direction]);
	line_endpoint(l, &f->local, f->local_port);
	line_next(l);
}

/* "f12 --user alice, 214 refused" */
static void fence_cell(struct line *l, const struct told_fence *t)
{
	line_text(l, "  ");
	line_escape(l, t->id, SIZE_MAX);
	line_text(l, " ");
	fence_whom(l, t);
	line_text(l, ", ");
	line_number(l, t->refused);
	line_text(l, " refused");
}

/* Time, event, reason, user, session, who with whom, request; and what came of it. */
void event_text(FILE *f, uint8_t *width, const struct event *e)
{
	const struct session *session = e->has_flow ? &e->flow.session : &e->session.session;
	struct line l = { .f = f, .width = width };
	char count[64] = "";

	_Static_assert(REPORT_COLUMNS >= 7, "a width for each cell");
	cell(&l, e->time, SIZE_MAX);
	cell(&l, e->name, SIZE_MAX);
	cell(&l, e->reason, SIZE_MAX);
	cell(&l, e->has_flow ? e->flow.flow.user_name : e->session.row.user_name, SIZE_MAX);
	cell(&l, session->id, sizeof(session->id));
	peer_cell(&l, e);
	line_escape(&l, e->request ? e->request : "-", SIZE_MAX);
	if (e->has_count)
		snprintf(count, sizeof(count), "  %ju lost", (uintmax_t)e->count);
	else if (e->has_summary)
		snprintf(count, sizeof(count), "  %ju of %ju gone", (uintmax_t)(e->summary.dead + e->summary.stale),
			 (uintmax_t)e->summary.matched);
	line_text(&l, count);
	if (e->has_fence)
		fence_cell(&l, &e->fence);
	if (e->returns) {
		line_text(&l, "  back after ");
		line_escape(&l, e->returns, SIZE_MAX);
	}
	line_end(&l);
}

bool event_json(FILE *f, const struct event *e)
{
	static const char *const parts[] = {
		"reason", "request", "returns", "flow", "session", "summary", "fence", "count", "sent", "received"
	};
	struct jsonl j = { .f = f };

	jsonl_open(&j, NULL);
	jsonl_number(&j, "seq", e->seq, true);
	jsonl_text(&j, "time", e->time, SIZE_MAX);
	jsonl_text(&j, "event", e->name, SIZE_MAX);
	for (size_t i = 0; i < array_size(parts); i++) {
		const json_t *part = json_object_get(e->o, parts[i]);

		if (part && (!json_is_null(part) || !strcmp(parts[i], "count")))
			jsonl_value(&j, parts[i], part);
	}
	jsonl_end_line(&j);
	return !j.failed;
}
