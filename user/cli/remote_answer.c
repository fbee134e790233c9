// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_answer.h"
#include "cli/remote_decode.h"
#include "cli/remote_fence.h"
#include "pipeline/pipeline.h"
#include "pipeline/subject.h"

#include <string.h>

enum status answer_nonsense(struct remote *m, const char *where, const char *key)
{
	fail(0, m->err, "the answer of severd is not understood: %s.%s", where, key);
	return STATUS_PARTIAL;
}

enum status answer_close(struct remote *m, struct summary *s, enum status status)
{
	_free_ char *subject = m->o ? subject_of(m->req) : NULL;

	s->request = m->req;
	s->subject = subject;
	if (report_end(m->report, s) == 0)
		return status;
	fail(0, m->err, "the answer could not be written in full");
	return STATUS_PARTIAL;
}

enum status answer_summary(struct remote *m, const json_t *o, enum status status)
{
	_free_ const char **notes = NULL;
	struct summary s = { 0 };
	const char *bad;
	int r = decode_summary(o, &s, &notes, &bad);

	if (r == -EBADMSG)
		return answer_nonsense(m, "summary", bad);
	if (r < 0)
		return remote_broken(r, m->err);
	if (s.fence && m->o && !m->o->json && !m->o->quiet)
		s.fence_over = !remote_fence_until(m->client, s.fence, &s.fence_until);
	return answer_close(m, &s, status);
}

enum status answer_none(struct remote *m, int r)
{
	struct summary s = { 0 };

	if (!*m->err)
		fail(0, m->err, "cannot ask severd: %s", strerrordesc_np(-r));
	if (r == -EILSEQ || r == -EMSGSIZE)
		remote_instead(m->req, m->o ? m->o->resident : NULL, m->err);
	return answer_close(m, &s, status_of_errno(r));
}

/* Without a summary nothing had begun. */
enum status answer_error(struct remote *m, const struct reply *reply)
{
	struct reader r = { .o = reply->parameters };
	enum status status = remote_error(reply, m->err);
	const json_t *summary = read_object(&r, "summary");
	struct summary s = { 0 };

	return summary ? answer_summary(m, summary, status) : answer_close(m, &s, status);
}

enum status answer_flow(struct remote *m, const json_t *o)
{
	struct told_flow t;
	const char *bad;

	if (decode_flow(o, &t, &bad) < 0)
		return answer_nonsense(m, "flow", bad);
	m->told++;
	if (t.reconnected)
		report_reconnected(m->report, &t.flow, &t.procs, &t.sessions);
	else
		report_flow(m->report, &t.flow, &t.procs, &t.sessions);
	return STATUS_OK;
}
