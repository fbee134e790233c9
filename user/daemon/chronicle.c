// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/chronicle.h"
#include "daemon/journal.h"
#include "daemon/nss.h"

#include <string.h>
#include <syslog.h>

#define BATCH 512

static void write_down(struct severd *d, const struct logged *e, const struct job_name *job)
{
	const struct sitting *s = sittings_find(&d->live.sittings, e->flow.session);
	uint64_t end = e->boot_ns;
	char name[NSS_NAME_LEN];
	struct flow f;
	struct journal_cut c = {
		.request = job->id,
		.flow = &f,
		.session = s ? s->session.id : NULL,
		.cause = reason_name[e->reason],
		.bytes_sent = e->sent,
		.bytes_received = e->received,
		.duration_us = CUT_UNKNOWN,
	};

	entry_to_flow(&e->flow, &f);
	f.login_uid = e->flow.owner;
	f.user_known = e->flow.owner != ID_UNSET;
	f.user = e->flow.owner;
	f.user_name = f.user_known ? nss_user(d->nss, f.user, name) : NULL;
	if (!(e->flow.flags & SEVER_FLOW_ADOPTED) && end > e->flow.birth)
		c.duration_us = (end - e->flow.birth) / 1000;
	journal_cut(d->journal, &c);
}

/* What is done the slow way, or noticed later, because this kernel does not let us do better. */
static void say_lacks(const struct severd *d)
{
	int udp = d->live.udp_err, login = track_login_error(d->live.track);
	char text[256];

	if (udp < 0) {
		snprintf(text, sizeof(text), "connected UDP is not tracked (%s): who asks for it waits for a look at all sockets",
			 strerrordesc_np(-udp));
		journal_say(d->journal, LOG_WARNING, text);
	}
	if (login < 0) {
		snprintf(text, sizeof(text), "sessions are noticed some seconds late: %s", strerrordesc_np(-login));
		journal_say(d->journal, LOG_WARNING, text);
	}
}

void chronicle_begin(struct severd *d)
{
	d->chronicled = d->live.log.next;
	say_lacks(d);
}

/* Who writes too slowly loses what goes: that is said once for each gap. */
static void skip_lost(struct severd *d)
{
	char text[96];

	snprintf(text, sizeof(text), "%ju events were not put into the journal: too many at once",
		 (uintmax_t)(d->live.log.first - d->chronicled));
	journal_say(d->journal, LOG_WARNING, text);
	d->chronicled = d->live.log.first;
}

void chronicle_pump(struct severd *d)
{
	bool more;

	pthread_mutex_lock(&d->live.lock);
	if (d->chronicled < d->live.log.first)
		skip_lost(d);
	for (int n = 0; n < BATCH && d->chronicled < d->live.log.next; n++) {
		const struct logged *e = log_at(&d->live.log, d->chronicled++);
		const struct job_name *job = live_job(&d->live, e->job);

		if (e->event == EVENT_FLOW_CLOSE && job)
			write_down(d, e, job);
		else if (e->event >= EVENT_FENCE_ADD)
			journal_fence(d->journal, JOURNAL_FENCE_ADD + (e->event - EVENT_FENCE_ADD), e->about);
	}
	more = d->chronicled < d->live.log.next;
	pthread_mutex_unlock(&d->live.lock);
	if (more)
		live_wake(&d->live);
}
