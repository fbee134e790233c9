// SPDX-License-Identifier: LGPL-2.1-or-later
/* text.c - the answer for people: a table, one closing sentence, and a line for each thing worth knowing that the
 * table does not say. */
#include "report/escape.h"
#include "report/report.h"
#include "report/table.h"
#include "report/text.h"

#include <string.h>

#define PROGRESS_MS 100

static void erase(struct report *r)
{
	if (!r->drawn)
		return;
	fputs("\r\033[K", r->err);
	fflush(r->err);
	r->drawn = false;
}

static void text_progress(struct report *r, const char *doing, uint64_t done, uint64_t total)
{
	uint64_t ms;

	if (!r->tty || r->quiet)
		return;
	ms = clock_ns(CLOCK_MONOTONIC) / 1000000;
	if (r->drawn_ms && ms - r->drawn_ms < PROGRESS_MS)
		return;
	fputc('\r', r->err);
	escape_put(r->err, doing);
	if (total)
		fprintf(r->err, " %ju of %ju", (uintmax_t)done, (uintmax_t)total);
	fputs("\033[K", r->err);
	fflush(r->err);
	r->drawn_ms = ms;
	r->drawn = true;
}

static void flow_heading(struct report *r)
{
	static const char *const name[] = {
		"USER", "PEER", "", "LOCAL", "PROTO", "SESSION", "PROCESS", "VIA", "OUTCOME",
	};
	static const uint8_t least[] = { 8, 21, 2, 21, 5, 8, 14, 9, 7 };
	size_t n = r->verb == VERB_LIST ? array_size(name) - 1 : array_size(name);

	_Static_assert(array_size(name) == REPORT_COLUMNS, "a width for each column");
	_Static_assert(array_size(least) == REPORT_COLUMNS, "a width for each column");
	table_heading(r->out, r->width, name, least, n);
}

static void user_cell(struct line *l, const struct flow *f)
{
	if (!f->user_known) {
		line_text(l, "-");
	} else if (f->user_name) {
		line_escape(l, f->user_name, SIZE_MAX);
	} else {
		line_text(l, "uid:");
		line_number(l, f->user);
	}
	if (f->shared_with != ID_UNSET) {
		line_text(l, "+");
		if (f->shared_name)
			line_escape(l, f->shared_name, SIZE_MAX);
		else
			line_number(l, f->shared_with);
	}
	line_next(l);
}

/* What has no addresses. */
static void handle_cells(struct line *l, const struct flow *f)
{
	char handle[FLOW_HANDLE_LEN];

	line_text(l, flow_handle(f, handle));
	line_next(l);
	line_next(l);
	line_text(l, "-");
	line_next(l);
}

static void endpoint_cells(struct line *l, const struct flow *f)
{
	static const char *const arrow[] = { "--", "->", "<-" };

	_Static_assert(array_size(arrow) == DIR_MAX, "an arrow for each direction");
	if (f->proto == PROTO_OTHER) {
		handle_cells(l, f);
		return;
	}
	line_endpoint(l, &f->remote, f->remote_port);
	line_next(l);
	line_text(l, f->direction < DIR_MAX ? arrow[f->direction] : arrow[DIR_UNKNOWN]);
	line_next(l);
	line_endpoint(l, &f->local, f->local_port);
	if (f->netns_name) {
		line_text(l, "@");
		line_escape(l, f->netns_name, SIZE_MAX);
	}
	line_next(l);
}

static void proto_cell(struct line *l, const struct flow *f)
{
	const char *proto = f->proto < PROTO_MAX ? proto_name[f->proto] : NULL;
	const char *state = f->state < STATE_MAX ? state_name[f->state] : NULL;

	line_text(l, proto ? proto : "-");
	if (f->state != STATE_ESTABLISHED && state) {
		line_text(l, "/");
		line_text(l, state);
	}
	line_next(l);
}

static void holder_cells(struct line *l, const struct flow *f, const struct proctab *procs,
			 const struct sessions *sessions)
{
	if (sessions && f->session >= 0 && (size_t)f->session < sessions->n)
		line_escape(l, sessions->v[f->session].id, SESSION_ID_LEN);
	else
		line_text(l, "-");
	line_next(l);
	if (procs && f->proc >= 0 && (size_t)f->proc < procs->n) {
		const struct proc *p = &procs->v[f->proc];

		line_number(l, p->pid);
		line_text(l, " ");
		line_escape(l, p->comm, sizeof(p->comm));
	} else {
		line_text(l, "-");
	}
	line_next(l);
}

/* "dead", "dead (bpf)", "unsupported: an unconnected socket serves many peers", "denied: Operation not permitted". */
static void outcome_cell(struct line *l, const struct flow *f, const char *instead)
{
	const char *outcome = f->outcome < OUT_MAX ? outcome_name[f->outcome] : NULL;
	const char *why = f->note ? f->note : f->err ? strerrordesc_np(-f->err) : NULL;

	line_text(l, instead ? instead : outcome ? outcome : "-");
	if (f->engine && strcmp(f->engine, "diag") != 0) {
		line_text(l, " (");
		line_escape(l, f->engine, SIZE_MAX);
		line_text(l, ")");
	}
	if (why) {
		line_text(l, ": ");
		line_escape(l, why, SIZE_MAX);
	}
}

static void flow_line(struct report *r, const struct flow *f, const struct proctab *procs,
		      const struct sessions *sessions, const char *instead)
{
	struct line l = { .f = r->out, .width = r->width };
	const char *via = f->via < VIA_MAX ? via_name[f->via] : NULL;

	if (r->quiet)
		return;
	erase(r);
	if (r->lines++ == 0)
		flow_heading(r);
	user_cell(&l, f);
	endpoint_cells(&l, f);
	proto_cell(&l, f);
	holder_cells(&l, f, procs, sessions);
	line_text(&l, via ? via : "-");
	if (r->verb != VERB_LIST) {
		line_next(&l);
		outcome_cell(&l, f, instead);
	}
	line_end(&l);
}

static void text_flow(struct report *r, const struct flow *f, const struct proctab *procs,
		      const struct sessions *sessions)
{
	flow_line(r, f, procs, sessions, NULL);
}

static void text_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
			     const struct sessions *sessions)
{
	flow_line(r, f, procs, sessions, "reconnected");
}

static void text_session(struct report *r, const struct session *s, const char *user_name)
{
	struct line l = { .f = r->out, .width = r->width };

	if (r->quiet)
		return;
	erase(r);
	line_text(&l, "session ");
	line_escape(&l, s->id, sizeof(s->id));
	if (user_name) {
		line_text(&l, " of ");
		line_escape(&l, user_name, SIZE_MAX);
	}
	line_text(&l, ": survives=");
	line_text(&l, s->survives < SURVIVES_MAX ? survives_name[s->survives] : "unknown");
	if (s->survivor) {
		line_text(&l, " (pid ");
		line_number(&l, s->survivor);
		line_text(&l, " goes on)");
	}
	line_end(&l);
}

static void text_row(struct report *r, const struct row *row)
{
	if (r->quiet)
		return;
	erase(r);
	text_row_line(r, row);
}

static void text_end(struct report *r, const struct summary *s)
{
	erase(r);
	if (r->verb != VERB_LIST)
		text_closing(r, s);
	text_fence(r, s);
	if (r->quiet)
		return;
	fflush(r->out); /* notes come after the answer where both go to one terminal */
	text_notes(r, s);
}

const struct report_ops report_text = {
	.session = text_session,
	.flow = text_flow,
	.reconnected = text_reconnected,
	.row = text_row,
	.progress = text_progress,
	.end = text_end,
};
