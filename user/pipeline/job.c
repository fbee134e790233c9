// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/job.h"
#include "pipeline/pipeline.h"
#include "pipeline/subject.h"

#include <string.h>
#include <time.h>

void job_clear(struct job *j)
{
	selection_clear(&j->frozen);
	selection_clear(&j->after);
	source_close(j->source);
	filter_clear(&j->filter);
}

enum status status_of_errno(int r)
{
	switch (r) {
	case -ESRCH:
		return STATUS_NO_MATCH;
	case -EINVAL:
	case -EAGAIN:
	case -EILSEQ:
	case -EMSGSIZE:
		return STATUS_USAGE;
	case -EPERM:
	case -EACCES:
		return STATUS_DENIED;
	case -ENOMEM:
	case -EIO:
	case -EINTR:
		return STATUS_PARTIAL;
	default:
		return STATUS_KERNEL;
	}
}

enum status job_broken(struct job *j, int r, const char *doing)
{
	if (!*j->err)
		fail(0, j->err, "%s: %s", doing, strerror(-r));
	return status_of_errno(r);
}

int job_freeze(struct job *j)
{
	int r;

	j->frozen.lean = j->after.lean = j->report->quiet && j->report->ops == &report_text;
	r = j->source->ops->select(j->source, &j->filter, NULL, &j->frozen);
	if (r == 0)
		r = guard_mark_self(j);
	if (r == 0)
		r = subject_add_handles(j);
	j->frozen_us = now_us();
	j->deadline_us = j->frozen_us + j->req->timeout_ms * 1000;
	return r;
}

bool job_may_see(const struct job *j, const struct flow *f)
{
	return !j->access->may || j->access->may(j->access->arg, f);
}

uint64_t now_us(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000;
}

bool job_stopped(const struct job *j)
{
	return j->req->stop && *j->req->stop;
}

bool job_over(const struct job *j)
{
	return job_stopped(j) || now_us() >= j->deadline_us;
}

int worklist_make(struct job *j, bool (*want)(const struct flow *f), struct worklist *ret)
{
	struct flowset *set = &j->frozen.flows;

	*ret = (struct worklist){ .v = calloc(set->n + 1, sizeof(*ret->v)) };
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		if (want(&set->v[i]))
			ret->v[ret->n++] = &set->v[i];
	return 0;
}

/* By namespace, then protocol, which is how a batch of look-ups is cut. */
static int by_netns(const void *a, const void *b)
{
	const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;

	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x > y) - (x < y);
}

int worklist_by_netns(struct job *j, struct worklist *w,
		      int (*fn)(struct job *j, struct netns *ns, struct flow **v, size_t n))
{
	struct netns *ns;
	size_t end;
	int r = 0;

	if (w->n)
		qsort(w->v, w->n, sizeof(*w->v), by_netns);
	for (size_t i = 0; i < w->n && r >= 0; i = end) {
		for (end = i; end < w->n && w->v[end]->netns == w->v[i]->netns; end++)
			;
		ns = netns_find(&j->source->netns, w->v[i]->netns);
		if (ns && ns->nl)
			r = fn(j, ns, w->v + i, end - i);
	}
	return r;
}
