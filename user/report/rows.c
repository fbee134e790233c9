// SPDX-License-Identifier: LGPL-2.1-or-later
/* rows.c - the tables of sessions, users and clients. */
#include "report/table.h"
#include "report/text.h"

static void heading(struct report *r)
{
	static const char *const sessions[] = { "SESSION", "USER", "LEADER", "TTY", "FROM", "SINCE", "IDLE",
						"TRANSPORTS", "FLOWS" };
	static const char *const users[] = { "USER", "UID", "SESSIONS", "TRANSPORTS", "FLOWS" };
	static const char *const clients[] = { "CLIENT", "USERS", "TRANSPORTS", "FLOWS" };
	static const uint8_t least_session[] = { 9, 8, 7, 6, 15, 16, 4, 10, 5 };
	static const uint8_t least_user[] = { 8, 5, 8, 10, 5 };
	static const uint8_t least_client[] = { 15, 5, 10, 5 };

	if (r->what == LIST_SESSIONS)
		table_heading(r->out, r->width, sessions, least_session, array_size(sessions));
	else if (r->what == LIST_USERS)
		table_heading(r->out, r->width, users, least_user, array_size(users));
	else
		table_heading(r->out, r->width, clients, least_client, array_size(clients));
}

static void text_cell(struct line *l, const char *s, size_t n)
{
	if (s && *s)
		line_escape(l, s, n);
	else
		line_text(l, "-");
	line_next(l);
}

static void number_cell(struct line *l, uint64_t n, bool known)
{
	if (known)
		line_number(l, n);
	else
		line_text(l, "-");
	line_next(l);
}

static void address_cell(struct line *l, const struct addr *a)
{
	char text[ADDR_STRLEN];

	text_cell(l, a->family ? addr_format(a, text) : NULL, ADDR_STRLEN);
}

/* As who(1) has it. */
static void time_cell(struct line *l, uint64_t us)
{
	time_t s = us / 1000000;
	char text[32];
	struct tm tm;

	text_cell(l, us && localtime_r(&s, &tm) && strftime(text, sizeof(text), "%F %R", &tm) ? text : NULL, sizeof(text));
}

static void idle_cell(struct line *l, uint32_t ms, bool known)
{
	static const struct {
		uint32_t ms;
		const char *name;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };
	size_t i = 0;

	if (!known) {
		text_cell(l, NULL, 0);
		return;
	}
	while (i + 1 < array_size(units) && ms < units[i].ms)
		i++;
	line_number(l, ms / units[i].ms);
	line_text(l, units[i].name);
	line_next(l);
}

static void session_cells(struct line *l, const struct row *row)
{
	const struct session *s = row->session;

	text_cell(l, s ? s->id : NULL, SESSION_ID_LEN);
	text_cell(l, row->user_name, SIZE_MAX);
	number_cell(l, s ? s->leader : 0, s && s->leader);
	text_cell(l, s ? s->tty : NULL, sizeof(s->tty));
	/* Where its transport comes from; what was recorded at log-in is only the next best thing. */
	if (row->client.family)
		address_cell(l, &row->client);
	else
		text_cell(l, s ? s->remote_host : NULL, sizeof(s->remote_host));
	time_cell(l, row->since);
	idle_cell(l, row->idle_ms, row->timed);
}

static void user_cells(struct line *l, const struct row *row)
{
	text_cell(l, row->user_name, SIZE_MAX);
	number_cell(l, row->user, row->user != ID_UNSET);
	number_cell(l, row->sessions, true);
}

static void client_cells(struct line *l, const struct row *row)
{
	address_cell(l, &row->client);
	number_cell(l, row->users, true);
}

void text_row_line(struct report *r, const struct row *row)
{
	struct line l = { .f = r->out, .width = r->width };

	if (r->lines++ == 0)
		heading(r);
	if (row->what == LIST_SESSIONS)
		session_cells(&l, row);
	else if (row->what == LIST_USERS)
		user_cells(&l, row);
	else
		client_cells(&l, row);
	number_cell(&l, row->transports, true);
	line_number(&l, row->flows);
	line_end(&l);
}
