// SPDX-License-Identifier: LGPL-2.1-or-later
/* terminate.c - a termination from request to answer, written out like prose. */
#include "kernel/caps.h"
#include "names/sessions.h"
#include "pipeline/job.h"
#include "pipeline/pipeline.h"
#include "pipeline/resolve.h"
#include "pipeline/subject.h"
#include "pipeline/summarize.h"

#include <linux/capability.h>
#include <string.h>
#include <time.h>

/* What was settled before anything was cut, spared by a guard or a handle of the past, is never worked on. */
static bool others(const struct flow *f)
{
	return f->outcome == OUT_NONE && !f->self;
}

static bool own(const struct flow *f)
{
	return f->outcome == OUT_NONE && f->self;
}

static bool worked_on(const struct flow *f)
{
	return f->outcome != OUT_NONE && f->outcome != OUT_SPARED && f->proto != PROTO_OTHER;
}

static bool again(const struct flow *f)
{
	return f->outcome == OUT_ALIVE && f->present && f->err != -EINTR && destroy_can_retry(f);
}

static bool lingering(const struct flow *f)
{
	return f->outcome == OUT_ALIVE && f->present && !f->err;
}

static bool any(const struct job *j, bool (*want)(const struct flow *f))
{
	for (size_t i = 0; i < j->frozen.flows.n; i++)
		if (want(&j->frozen.flows.v[i]))
			return true;
	return false;
}

static bool taken_on_trust(const struct flow *f)
{
	return f->outcome == OUT_STALE;
}

/* Orders the end of a list of flows and looks whether it came. */
static int cut(struct job *j, bool (*want)(const struct flow *f), bool ordered)
{
	struct worklist w = { 0 };
	int r = worklist_make(j, want, &w);
	_free_ struct flow **v = w.v;

	if (r == 0 && w.n && !ordered)
		r = destroy_order(j, &w);
	if (r == 0 && w.n)
		r = confirm_dead(j, &w);
	if (r == 0)
		confirm_settle(j, &w);
	return r;
}

/* The proof: what a whole new selection finds. It is also asked where the kernel answered "no such socket", because
 * the single look-up would be mistaken in the same way. */
static int prove(struct job *j)
{
	struct worklist w = { 0 };
	int r = worklist_make(j, worked_on, &w);
	_free_ struct flow **v = w.v;

	if (r < 0 || (j->req->wait != STAGE_VERIFIED && !any(j, taken_on_trust)))
		return r;
	report_progress(j->report, "verifying", j->frozen.flows.n, j->frozen.flows.n);
	r = confirm_select(j);
	if (r < 0)
		return r;
	confirm_settle(j, &w);
	j->proven = !j->after.incomplete && !j->frozen.incomplete;
	return 0;
}

static int drain_first(struct job *j, bool (*want)(const struct flow *f))
{
	struct worklist w = { 0 };
	int r = worklist_make(j, want, &w);
	_free_ struct flow **v = w.v;

	return r < 0 ? r : drain(j, &w);
}

/* Cuts, proves it, tries again what the next engine may reach and waits for what lingers. */
static int finish(struct job *j, bool (*want)(const struct flow *f))
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int r = j->req->drain_ms ? drain_first(j, want) : 0;

	j->deadline_us = now_us() + j->req->timeout_ms * 1000;
	if (r == 0)
		r = cut(j, want, j->req->drain_ms);
	if (r == 0)
		r = prove(j);
	while (r == 0 && !job_over(j) && (any(j, again) || any(j, lingering))) {
		if (any(j, again))
			r = cut(j, again, false);
		else
			nanosleep(&pause, NULL);
		if (r == 0)
			r = cut(j, lingering, true);
		if (r == 0)
			r = prove(j);
	}
	return r;
}

static bool later(enum stage s)
{
	return s == STAGE_RELEASED || s == STAGE_ENDED;
}

/* The caller comes last, when all else is known. */
static int cut_all(struct job *j)
{
	int r = any(j, others) ? finish(j, others) : 0;

	if (r == 0 && any(j, own))
		r = finish(j, own);
	return r == 0 && later(j->req->wait) ? await(j) : r;
}

/* Says of each session that loses its transport what will be left of it. */
static int announce_sessions(struct job *j, struct names *names)
{
	struct selection *sel = &j->frozen;

	for (size_t i = 0; i < sel->sessions.n; i++) {
		struct session *s = &sel->sessions.v[i];
		struct ids pids = { 0 };
		_free_ uint32_t *holders = NULL;
		int r = 0;

		for (size_t k = 0; k < sel->flows.n; k++) {
			const struct flow *f = &sel->flows.v[k];

			if (f->session != (int32_t)i || !f->transport || f->outcome == OUT_SPARED)
				continue;
			for (uint32_t h = flow_holders(f, &sel->people); h && r == 0;
			     h = sel->people.holders->sets[h].parent)
				r = ids_add(&pids, sel->owners.procs.v[sel->people.holders->sets[h].proc].pid);
		}
		ids_sort(&pids);
		holders = calloc(pids.n + 1, sizeof(*holders));
		for (size_t k = 0; k < pids.n && holders; k++)
			holders[k] = pids.v[k];
		if (pids.n && holders) {
			session_survivors(&sel->sessions, i, &sel->owners.procs, holders, pids.n);
			report_session(j->report, s, decorate_user(names, s->uid));
		}
		free(pids.v);
		if (r < 0 || !holders)
			return -ENOMEM;
	}
	return 0;
}

/* No engine has tried: one that handles such a flow may yet fail. */
static void plan(struct job *j)
{
	for (size_t i = 0; i < j->frozen.flows.n; i++) {
		struct flow *f = &j->frozen.flows.v[i];

		if (f->outcome != OUT_NONE)
			continue;
		f->outcome = OUT_PLANNED;
		if (destroy_can_retry(f))
			continue;
		f->err = -EOPNOTSUPP;
		confirm_unsupported(f);
	}
}

static enum status act(struct job *j, struct names *names)
{
	enum status s = guard_check(j);
	int r;

	if (s == STATUS_OK && j->req->fence_ms)
		s = fence_first(j);
	if (s != STATUS_OK)
		return s;
	r = announce_sessions(j, names);
	if (r == 0 && j->req->dry_run) {
		plan(j);
		return STATUS_OK;
	}
	if (r < 0) {
		fence_take_back(j);
		return job_broken(j, r, "not begun");
	}
	if (j->access->accept && j->access->accept(j->access->arg, &j->frozen, j->err) < 0) {
		fence_take_back(j);
		return STATUS_NO_DAEMON;
	}
	r = cut_all(j);
	if (r < 0)
		job_broken(j, r, "cut short");
	return r < 0 ? STATUS_PARTIAL : STATUS_OK; /* whatever it was: some may be dead */
}

static bool matched(const struct flow *f)
{
	return f->proto != PROTO_OTHER;
}

static int open_and_freeze(struct job *j)
{
	int r = j->access->open(j->access->arg, &j->source);

	report_progress(j->report, "looking", 0, 0);
	return r < 0 ? r : job_freeze(j);
}

/* Whom a fence is to keep out need not be here. */
static bool absent(const struct job *j)
{
	return j->req->fence_ms && subject_may_come(j);
}

static enum status run(struct job *j, struct names *names)
{
	int r;

	if (!j->req->n_selectors)
		return job_broken(j, fail(-EINVAL, j->err, "no selector: that would be everyone"), "");
	if (!j->req->dry_run && !cap_effective(CAP_NET_ADMIN))
		return job_broken(j, fail(-EPERM, j->err, "this needs CAP_NET_ADMIN (run it as root); nothing was "
						       "touched"), "");
	r = resolve(j->req, &j->filter, &j->refusal.missing, j->err);
	if (r < 0)
		return job_broken(j, r, "cannot resolve the request");
	r = open_and_freeze(j);
	if (r < 0)
		return job_broken(j, r, "cannot list the connections of this host");
	return any(j, matched) || absent(j) ? act(j, names) : subject_missing(j);
}

enum status terminate(const struct request *req, const struct access *access, struct report *report, char *err)
{
	_cleanup_(job_clear) struct job j = { .req = req, .access = access, .report = report, .err = err };
	_cleanup_(names_clear) struct names names = { 0 };
	enum status s;

	*err = '\0';
	report_begin(report, req);
	s = run(&j, &names);
	return summarize(&j, &names, s);
}
