// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/memory.h"
#include "daemon/journal.h"
#include "daemon/record.h"

#include <string.h>

/* "--user alice", as the summary has it. */
static json_t *typed(const struct request *req)
{
	json_t *all = json_array();

	for (size_t i = 0; i < req->n_selectors && all; i++) {
		const struct selector *s = &req->selectors[i];

		json_array_append_new(all, json_sprintf("%s%s%s", selector_option[s->kind], s->text ? " " : "",
							s->text ? s->text : ""));
	}
	return all;
}

/* Asked whether it is still there when it has been read: a pid may be given to another. */
static uint32_t login_of(const struct peer *p)
{
	_fclose_ FILE *f = NULL;
	char path[64];
	unsigned int uid;

	snprintf(path, sizeof(path), "/proc/%u/loginuid", (unsigned int)p->pid);
	f = p->pid ? fopen(path, "re") : NULL;
	return f && fscanf(f, "%u", &uid) == 1 && !peer_has_ended(p) ? uid : ID_UNSET;
}

int memory_accept(struct severd *d, const struct work *w, size_t victims)
{
	struct recorded r = {
		.verb = w->request.verb,
		.uid = w->peer->uid,
		.pid = w->peer->pid,
		.login_uid = login_of(w->peer),
		.selectors = typed(&w->request),
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
