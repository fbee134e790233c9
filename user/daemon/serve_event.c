// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_event.c - a record of the log as JSON. Flows are put into words by the same hand that writes them for --json. It is spelled
 * without a tree in between: fifty thousand may come at once, and to each who watches. */
#include "daemon/relay.h"
#include "daemon/severd.h"
#include "names/users.h"
#include "report/jsonl.h"

#include <string.h>

static const char *spell_time(uint64_t us, char ret[64])
{
	char text[40];
	struct tm tm;
	time_t s;

	if (!us)
		us = clock_ns(CLOCK_REALTIME) / 1000;
	s = us / 1000000;
	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		return NULL;
	snprintf(ret, 64, "%s.%06uZ", text, (unsigned int)(us % 1000000));
	return ret;
}

json_t *time_to_json(uint64_t us)
{
	char text[64];
	const char *spelled = spell_time(us, text);

	return spelled ? json_string(spelled) : json_null();
}

static int take(const char *line, size_t len, void *arg)
{
	jsonl_spelled(arg, "flow", line, len);
	return 0;
}

/* As it was attributed when the event came. */
static void put_flow(struct jsonl *j, struct severd *d, const struct entry *e)
{
	const struct sitting *s = sittings_find(&d->live.sittings, e->session);
	struct session session = s ? s->session : (struct session){ 0 };
	const struct sessions sessions = { .v = &session, .n = s ? 1 : 0 };
	struct proc proc = { .pid = e->pid };
	const struct proctab procs = { .v = &proc, .n = e->pid ? 1 : 0 };
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
	f.user_name = user_name(&d->users, f.user);
	if (relay_open(&relay, take, j) < 0) {
		j->failed = true;
		return;
	}
	relay.report.ops->flow(&relay.report, &f, &procs, &sessions);
	j->failed |= relay.report.failed;
	relay_close(&relay);
}

static void put_event(struct jsonl *j, struct severd *d, uint64_t seq, const struct logged *e)
{
	const struct job_name *job = live_job(&d->live, e->job);
	char time[64];

	jsonl_number(j, "seq", seq, true);
	jsonl_word(j, "time", spell_time(e->time_us, time));
	jsonl_word(j, "event", event_name[e->event]);
	if (e->reason)
		jsonl_word(j, "reason", reason_name[e->reason]);
	if (job)
		jsonl_word(j, "request", job->id);
	if (e->flow.cookie)
		put_flow(j, d, &e->flow);
	if (e->about)
		jsonl_value(j, e->event >= EVENT_REQUEST_ACCEPT ? "summary" : "session", e->about);
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
