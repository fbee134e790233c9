// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/memory.h"
#include "daemon/author.h"
#include "daemon/journal.h"
#include "daemon/record.h"

#include <string.h>

int memory_accept(struct severd *d, const struct work *w, size_t victims)
{
	struct recorded r = {
		.verb = w->request.verb,
		.uid = w->peer->uid,
		.pid = w->peer->pid,
		.login_uid = author_login(w->peer),
		.selectors = author_typed(&w->request),
		.reason = w->request.reason ? json_string(w->request.reason) : NULL,
	};
	int err;

	r.accepted_us = clock_ns(CLOCK_REALTIME) / 1000;
	snprintf(r.id, sizeof(r.id), "%s", w->request.id);
	err = record_accept(d->record, &r);
	if (err == 0)
		journal_accepted(d->journal, &r, victims);
	recorded_clear(&r);
	return err;
}

void memory_done(struct severd *d, const char *id, enum status status, json_t *summary)
{
	struct recorded r;

	record_done(d->record, id, status, summary);
	if (record_find(d->record, id, &r) < 0)
		return;
	journal_done(d->journal, &r);
	recorded_clear(&r);
}

static int on_unfinished(const struct recorded *r, void *arg)
{
	struct severd *d = arg;
	uint32_t job;

	memory_done(d, r->id, STATUS_PARTIAL, NULL);
	pthread_mutex_lock(&d->live.lock);
	job = live_new_job(&d->live, r->id, 0);
	pthread_mutex_unlock(&d->live.lock);
	severd_tell(d, EVENT_REQUEST_DONE, job, r->uid, NULL);
	return 0;
}

int memory_settle(struct severd *d)
{
	return record_unfinished(d->record, on_unfinished, d);
}
