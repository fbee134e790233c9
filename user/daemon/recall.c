// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/recall.h"

/* What has ended since it was looked at is in the sums already, if it was given to its session; so whatever is shown once is given. */
static void recall_flow(struct live *l, const struct sessions *sessions, struct flow *f)
{
	struct entry *e = index_find(&l->index, f->cookie);
	struct sitting *one = !e || !e->session ? sittings_of(&l->sittings, &sessions->v[f->session]) : NULL;

	if (one && e)
		sittings_add_flow(one, &l->index, e, f);
	if (!one || e)
		return;
	f->sent = f->received = 0;
	f->counted = true;
}

int recall(struct live *l, struct selection *sel)
{
	int r;

	pthread_mutex_lock(&l->lock);
	r = live_drain_locked(l);
	for (size_t i = 0; i < sel->flows.n && r == 0; i++)
		if (sel->flows.v[i].tracked && sel->flows.v[i].session >= 0)
			recall_flow(l, &sel->sessions, &sel->flows.v[i]);
	for (size_t i = 0; i < sel->sessions.n && r == 0; i++) {
		const struct sitting *one = sittings_of(&l->sittings, &sel->sessions.v[i]);

		if (one)
			sel->sessions.v[i].past = one->past;
		else
			l->login_seen = true; /* nobody has looked at it yet: soon */
	}
	if (l->login_seen)
		live_wake(l);
	pthread_mutex_unlock(&l->lock);
	return r;
}
