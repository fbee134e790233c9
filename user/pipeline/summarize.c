// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/summarize.h"
#include "pipeline/subject.h"

static void count(struct summary *s, const struct flow *f)
{
	uint64_t *const of[] = {
		[OUT_NONE] = &s->alive,       [OUT_PLANNED] = &s->planned, [OUT_DEAD] = &s->dead,
		[OUT_ALIVE] = &s->alive,      [OUT_STALE] = &s->stale,     [OUT_DENIED] = &s->denied,
		[OUT_UNSUPPORTED] = &s->unsupported, [OUT_SPARED] = &s->spared,
	};
	_Static_assert(array_size(of) == OUT_MAX, "count every outcome");

	s->matched++;
	++*of[f->outcome];
	if (f->outcome == OUT_DEAD)
		s->discarded += f->wqueue;
}

/* What is denied is counted, but not shown: it may be somebody else's. A handle that names no connection says nothing new. */
static bool may_see(const struct job *j, const struct flow *f)
{
	return f->proto == PROTO_OTHER || job_may_see(j, f);
}

static void report_flows(struct job *j, struct names *names, struct summary *s)
{
	struct selection *frozen = &j->frozen, *after = &j->after;

	for (size_t i = 0; i < frozen->flows.n; i++) {
		struct flow *f = &frozen->flows.v[i];

		if (f->outcome == OUT_NONE)
			f->outcome = OUT_ALIVE; /* the work broke off before anything was known of it */
		count(s, f);
		if (!may_see(j, f))
			continue;
		decorate(names, j->source, f);
		report_flow(j->report, f, &frozen->owners.procs, &frozen->sessions);
	}
	for (size_t i = 0; i < after->flows.n; i++) {
		if (!may_see(j, &after->flows.v[i]))
			continue;
		s->reconnected++;
		decorate(names, j->source, &after->flows.v[i]);
		report_reconnected(j->report, &after->flows.v[i], &after->owners.procs, &after->sessions);
	}
}

/* Whether something was left alive only because the kernel lacks every way to end such a flow. */
static bool kernel_lacks(const struct job *j)
{
	for (size_t i = 0; i < j->frozen.flows.n; i++) {
		const struct flow *f = &j->frozen.flows.v[i];

		if (f->outcome == OUT_UNSUPPORTED && f->state != STATE_CLOSE)
			return true;
	}
	return false;
}

static enum status judge(const struct job *j, const struct summary *s)
{
	if (s->alive)
		return STATUS_PARTIAL;
	if (s->denied)
		return s->dead + s->stale ? STATUS_PARTIAL : STATUS_DENIED;
	if (s->unsupported)
		return !s->dead && !s->planned && kernel_lacks(j) ? STATUS_KERNEL : STATUS_PARTIAL;
	if (!j->req->dry_run && j->req->wait == STAGE_VERIFIED && !j->proven && s->dead + s->stale) {
		if (!*j->err)
			fail(0, j->err, "not verified: part of this host could not be seen");
		return STATUS_PARTIAL;
	}
	if (!j->req->dry_run && (j->req->wait == STAGE_RELEASED || j->req->wait == STAGE_ENDED) && s->dead && !j->awaited)
		return STATUS_PARTIAL;
	return s->spared ? STATUS_GUARD : STATUS_OK;
}

enum status summarize(struct job *j, struct names *names, enum status status)
{
	_free_ char *subject = subject_of(j->req);
	const struct notes none = { 0 }, *notes = j->source ? &j->source->notes : &none;
	struct summary s = {
		.request = j->req,
		.subject = subject,
		.notes = (const char *const *)notes->v,
		.n_notes = notes->n,
		.unattributed = j->frozen.unattributed,
		.age_unknown = j->frozen.age_unknown,
		.interrupted = job_stopped(j),
		.refusal = j->refusal,
		.already = j->already,
		.fence = *j->fence ? j->fence : NULL,
	};

	if (j->source)
		s.owners = owners_how(&j->frozen.owners);
	s.elapsed_ms = j->frozen_us ? (now_us() - j->frozen_us) / 1000.0 : 0;
	report_flows(j, names, &s);
	s.staged = s.matched && s.matched == s.dead + s.stale + s.spared && s.dead + s.stale;
	s.stage = j->proven && s.staged ? STAGE_VERIFIED : j->awaited ? j->req->wait : STAGE_DEAD;
	if (status == STATUS_OK && s.matched)
		status = judge(j, &s);
	if (report_end(j->report, &s) < 0) {
		fail(0, j->err, "the answer could not be written in full");
		return STATUS_PARTIAL;
	}
	return status;
}
