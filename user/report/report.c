// SPDX-License-Identifier: LGPL-2.1-or-later
/* report.c - the calls of the pipeline, handed to whichever format was asked for. */
#include "report/report.h"

void report_begin(struct report *r, const struct request *req)
{
	r->verb = req->verb;
	r->what = req->what;
	if (r->ops->begin)
		r->ops->begin(r, req);
}

void report_session(struct report *r, const struct session *s, const char *user_name)
{
	if (r->ops->session)
		r->ops->session(r, s, user_name);
}

void report_flow(struct report *r, const struct flow *f, const struct proctab *procs, const struct sessions *sessions)
{
	if (r->ops->flow)
		r->ops->flow(r, f, procs, sessions);
}

void report_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
			const struct sessions *sessions)
{
	if (r->ops->reconnected)
		r->ops->reconnected(r, f, procs, sessions);
}

void report_row(struct report *r, const struct row *row)
{
	if (r->ops->row)
		r->ops->row(r, row);
}

void report_progress(struct report *r, const char *doing, uint64_t done, uint64_t total)
{
	if (r->ops->progress)
		r->ops->progress(r, doing, done, total);
}

/* A full disk or a reader that went away shows at the latest here: the buffer is emptied. */
int report_end(struct report *r, const struct summary *s)
{
	if (r->ops->end)
		r->ops->end(r, s);
	if (fflush(r->out) != 0 || ferror(r->out) || r->failed)
		return -EIO;
	return 0;
}
