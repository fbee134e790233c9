// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/relay.h"

#include <string.h>

/* The report is the first member: the hooks find the rest behind it. */
static void hand_over(struct report *report)
{
	struct relay *r = (struct relay *)report;
	bool whole = fflush(report->out) == 0;

	report->failed |= !whole || r->take(r->text, r->len, r->arg) < 0;
	rewind(report->out);
}

static void relay_session(struct report *r, const struct session *s, const char *user_name)
{
	if (((struct relay *)r)->totals_only)
		return;
	report_json.session(r, s, user_name);
	hand_over(r);
}

static void relay_flow(struct report *r, const struct flow *f, const struct proctab *procs, const struct sessions *sessions)
{
	if (((struct relay *)r)->totals_only)
		return;
	report_json.flow(r, f, procs, sessions);
	hand_over(r);
}

static void relay_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
			      const struct sessions *sessions)
{
	if (((struct relay *)r)->totals_only)
		return;
	report_json.reconnected(r, f, procs, sessions);
	hand_over(r);
}

static void relay_row(struct report *r, const struct row *row)
{
	report_json.row(r, row);
	hand_over(r);
}

static void relay_end(struct report *r, const struct summary *s)
{
	((struct relay *)r)->refusal = s->refusal;
	report_json.end(r, s);
	hand_over(r);
}

static const struct report_ops relay_ops = {
	.session = relay_session,
	.flow = relay_flow,
	.reconnected = relay_reconnected,
	.row = relay_row,
	.end = relay_end,
};

int relay_open(struct relay *r, int (*take)(const char *line, size_t len, void *arg), void *arg)
{
	*r = (struct relay){ .take = take, .arg = arg, .report.ops = &relay_ops };
	r->report.out = open_memstream(&r->text, &r->len);
	return r->report.out ? 0 : -ENOMEM;
}

void relay_close(struct relay *r)
{
	fclosep(&r->report.out);
	free(r->text);
}
