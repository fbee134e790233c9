// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_event.c - a record of the log as JSON. Flows are put into words by the same hand that writes them for --json. It is spelled
 * without a tree in between: fifty thousand may come at once, and to each who watches. */
#include "daemon/nss.h"
#include "daemon/relay.h"
#include "daemon/severd.h"
#include "model/moment.h"
#include "report/jsonl.h"

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
	jsonl_spelled(arg, "flow", line, len);
	return 0;
}

/* As it was attributed when the event came. */
static void put_flow(struct jsonl *j, struct severd *d, const struct logged *l)
{
	const struct entry *e = &l->flow;
	const struct sitting *s = sittings_find(&d->live.sittings, e->session);
	struct session session = s ? s->session : (struct session){ 0 };
	const struct sessions sessions = { .v = &session, .n = s ? 1 : 0 };
	struct proc proc = { .pid = e->pid };
	const struct proctab procs = { .v = &proc, .n = e->pid ? 1 : 0 };
	char name[NSS_NAME_LEN];
	struct relay relay;
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
	if (relay_open(&relay, take, j) < 0) {
		j->failed = true;
		return;
	}
	relay.report.ops->flow(&relay.report, &f, &procs, &sessions);
	j->failed |= relay.report.failed;
	relay_close(&relay);
}

static void put_session(struct jsonl *j, struct severd *d, const struct logged *e)
{
	char name[NSS_NAME_LEN];
	const char *key;
	json_t *value;

	jsonl_open(j, "session");
	json_object_foreach(e->about, key, value) {
		if (!strcmp(key, "user"))
			jsonl_text(j, key, nss_user(d->nss, e->uid, name), SIZE_MAX);
		else
			jsonl_value(j, key, value);
	}
	jsonl_close(j);
}

/* A handle, or the id of a session. */
static void put_returns(struct jsonl *j, const struct severd *d, const struct logged *e)
{
	const struct cut_session *c = e->flow.cookie ? NULL : sittings_cut(&d->live.sittings, e->returns);
	char handle[40];

	snprintf(handle, sizeof(handle), "%llx@%u", (unsigned long long)e->returns, e->flow.netns);
	if (c || e->flow.cookie)
		jsonl_text(j, "returns", c ? c->id : handle, SIZE_MAX);
}

static void put_event(struct jsonl *j, struct severd *d, uint64_t seq, const struct logged *e)
{
	const struct job_name *job = live_job(&d->live, e->job);

	jsonl_number(j, "seq", seq, true);
	jsonl_time(j, "time", e->time_us);
	jsonl_word(j, "event", event_name[e->event]);
	if (e->reason)
		jsonl_word(j, "reason", reason_name[e->reason]);
	if (job && *job->id)
		jsonl_word(j, "request", job->id);
	if (e->returns)
		put_returns(j, d, e);
	if (e->flow.cookie)
		put_flow(j, d, e);
	if (e->about && e->event < EVENT_REQUEST_ACCEPT)
		put_session(j, d, e);
	else if (e->about)
		jsonl_value(j, e->event >= EVENT_FENCE_ADD ? "fence" : "summary", e->about);
	if (e->event == EVENT_FLOW_CLOSE) {
		jsonl_number(j, "sent", e->sent, true);
		jsonl_number(j, "received", e->received, true);
	}
}

char *event_spell(struct severd *d, uint64_t seq, const struct logged *e, size_t *ret_len)
{
	_free_ char *text = NULL;
	struct jsonl j = { .f = open_memstream(&text, ret_len) };
	bool whole;

	if (!j.f)
		return NULL;
	jsonl_open(&j, NULL);
	jsonl_open(&j, "parameters");
	jsonl_open(&j, "event");
	put_event(&j, d, seq, e);
	jsonl_close(&j);
	jsonl_close(&j);
	jsonl_bool(&j, "continues", true);
	jsonl_close(&j);
	whole = fclose(j.f) == 0 && !j.failed;
	return whole ? take_ptr(&text) : NULL;
}
