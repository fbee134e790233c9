// SPDX-License-Identifier: LGPL-2.1-or-later
/* live_jobs.c - the requests under way, as far as the events they cause must know them. */
#include "daemon/live.h"

#include <string.h>

uint32_t live_new_job(struct live *l, const char *id, uint32_t caller_session)
{
	struct job_name *j;

	do
		j = &l->jobs[++l->last_job % JOB_NAMES];
	while (!l->last_job || j->runs);
	*j = (struct job_name){ .number = l->last_job, .caller_session = caller_session, .runs = true };
	snprintf(j->id, sizeof(j->id), "%s", id);
	return j->number;
}

const struct job_name *live_job(const struct live *l, uint32_t number)
{
	const struct job_name *j = &l->jobs[number % JOB_NAMES];

	return number && j->number == number ? j : NULL;
}

void live_end_job(struct live *l, uint32_t number)
{
	struct job_name *j = &l->jobs[number % JOB_NAMES];

	if (!number)
		return;
	pthread_mutex_lock(&l->lock);
	if (j->number == number) {
		j->runs = false;
		free(j->owed);
		j->owed = NULL;
		j->n = j->cap = 0;
	}
	pthread_mutex_unlock(&l->lock);
}

static int by_cookie(const void *a, const void *b)
{
	uint64_t x = ((const struct owed *)a)->cookie, y = ((const struct owed *)b)->cookie;

	return (x > y) - (x < y);
}

void live_owed(struct live *l, uint32_t number, struct flow *const *v, size_t n)
{
	struct job_name *j = &l->jobs[number % JOB_NAMES];

	pthread_mutex_lock(&l->lock);
	if (j->number == number && j->n) {
		qsort(j->owed, j->n, sizeof(*j->owed), by_cookie);
		for (size_t i = 0; i < n; i++) {
			const struct owed key = { .cookie = v[i]->cookie };
			const struct owed *found = bsearch(&key, j->owed, j->n, sizeof(key), by_cookie);

			if (found)
				v[i]->wqueue = found->bytes;
		}
	}
	pthread_mutex_unlock(&l->lock);
}

void live_note_owed(struct live *l, const struct entry *e, uint32_t bytes)
{
	struct job_name *j = &l->jobs[e->job % JOB_NAMES];

	if (j->number == e->job && e->job && bytes && grow(&j->owed, &j->cap, j->n + 1, sizeof(*j->owed)) == 0)
		j->owed[j->n++] = (struct owed){ .cookie = e->cookie, .bytes = bytes };
}

void live_states(const struct live *l, struct flowset *set)
{
	struct sever_flow now;

	for (size_t i = 0; i < set->n; i++) {
		struct flow *f = &set->v[i];

		if (f->outcome == OUT_NONE && f->tracked && track_read(l->track, f->cookie, &now) == 0)
			f->state = now.state;
	}
}
