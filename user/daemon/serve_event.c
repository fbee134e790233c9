// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_event.c - a record of the log as JSON. Flows are put into words by the same hand that writes them for --json. */
#include "daemon/nss.h"
#include "daemon/relay.h"
#include "daemon/severd.h"
#include "model/moment.h"

#include <string.h>

json_t *time_to_json(uint64_t us)
{
	char text[MOMENT_LEN];

	if (!us)
		us = clock_ns(CLOCK_REALTIME) / 1000;
	return moment_format(us, text) ? json_string(text) : json_null();
}

static int take(const char *line, size_t len, void *arg)
{
	json_t **ret = arg;

	*ret = json_loadb(line, len, 0, NULL);
	return *ret ? 0 : -ENOMEM;
}

/* As it was attributed when the event came. */
static json_t *flow_to_json(struct severd *d, const struct logged *l)
{
	const struct entry *e = &l->flow;
	const struct sitting *s = sittings_find(&d->live.sittings, e->session);
	struct session session = s ? s->session : (struct session){ 0 };
	const struct sessions sessions = { .v = &session, .n = s ? 1 : 0 };
	struct proc proc = { .pid = e->pid };
	const struct proctab procs = { .v = &proc, .n = e->pid ? 1 : 0 };
	char name[NSS_NAME_LEN];
	struct relay relay;
	json_t *line = NULL;
	struct flow f;

	entry_to_flow(e, &f);
	f.session = s ? 0 : -1;
	f.proc = e->pid ? 0 : -1;
	f.login_uid = e->owner;
	f.user = e->owner != ID_UNSET ? e->owner : e->uid;
	f.user_known = true;
	f.transport = e->owner == ID_UNSET ? e->direction != SEVER_DIR_OUT : e->transport;
	f.via = s ? (f.transport ? VIA_TRANSPORT : VIA_SESSION) : e->owner != ID_UNSET ? VIA_LOGIN : VIA_UID;
	if (e->flags & SEVER_FLOW_ADOPTED && e->owner == ID_UNSET)
		f.via = VIA_ADOPTED;
	if (!(e->flags & SEVER_FLOW_ADOPTED))
		f.since = moment_of_boot() + e->birth / 1000;
	f.counted = l->boot_ns && f.proto == PROTO_TCP;
	f.sent = l->sent;
	f.received = l->received;
	f.user_name = nss_user(d->nss, f.user, name);
	if (relay_open(&relay, take, &line) < 0)
		return NULL;
	relay.report.ops->flow(&relay.report, &f, &procs, &sessions);
	relay_close(&relay);
	return line;
}

json_t *event_to_json(struct severd *d, uint64_t seq, const struct logged *e)
{
	const struct job_name *job = live_job(&d->live, e->job);
	json_t *p = json_pack("{sI so ss}", "seq", (json_int_t)seq, "time", time_to_json(e->time_us), "event",
			      event_name[e->event]);
	const char *about = e->event >= EVENT_REQUEST_ACCEPT ? "summary" : "session";

	if (!p)
		return NULL;
	if (e->reason)
		json_object_set_new(p, "reason", json_string(reason_name[e->reason]));
	if (job)
		json_object_set_new(p, "request", json_string(job->id));
	if (e->flow.cookie)
		json_object_set_new(p, "flow", flow_to_json(d, e));
	if (e->about)
		json_object_set(p, about, e->about);
	if (e->event == EVENT_FLOW_CLOSE) {
		json_object_set_new(p, "sent", json_integer(e->sent));
		json_object_set_new(p, "received", json_integer(e->received));
	}
	return json_pack("{so}", "event", p);
}
