// SPDX-License-Identifier: LGPL-2.1-or-later
/* json.c - the answer for programs. Keys are never renamed or dropped; what is unknown is null. */
#include "report/jsonl.h"
#include "report/report.h"

#include <string.h>

#define NAME_OF(table, i, max) ((unsigned)(i) < (max) ? (table)[i] : NULL)

static struct jsonl line_begin(struct report *r)
{
	struct jsonl j = { .f = r->out };

	jsonl_open(&j, NULL);
	return j;
}

static void line_finish(struct report *r, struct jsonl *j)
{
	jsonl_end_line(j);
	r->failed |= j->failed;
	r->lines++;
}

static void put_address(struct jsonl *j, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	jsonl_text(j, key, a->family ? addr_format(a, text) : NULL, sizeof(text));
}

static void put_handle(struct jsonl *j, const struct flow *f)
{
	char id[FLOW_HANDLE_LEN];

	jsonl_word(j, "flow", f ? flow_handle(f, id) : NULL);
}

static void put_identity(struct jsonl *j, const struct flow *f)
{
	put_handle(j, f);
	jsonl_word(j, "proto", NAME_OF(proto_name, f->proto, PROTO_MAX));
	jsonl_word(j, "family", f->family == AF_INET ? "inet" : f->family == AF_INET6 ? "inet6" : NULL);
	jsonl_word(j, "state", NAME_OF(state_name, f->state, STATE_MAX));
	put_address(j, "local_addr", &f->local);
	jsonl_number(j, "local_port", f->local_port, f->local.family);
	put_address(j, "remote_addr", &f->remote);
	jsonl_number(j, "remote_port", f->remote_port, f->remote.family);
	jsonl_word(j, "direction", NAME_OF(direction_name, f->direction, DIR_MAX));
}

static void put_owner(struct jsonl *j, const struct flow *f, const struct proctab *procs,
		      const struct sessions *sessions)
{
	const struct proc *p = procs && f->proc >= 0 && (size_t)f->proc < procs->n ? &procs->v[f->proc] : NULL;
	const struct session *s =
		sessions && f->session >= 0 && (size_t)f->session < sessions->n ? &sessions->v[f->session] : NULL;

	jsonl_number(j, "uid", f->uid, flow_uid_known(f));
	jsonl_text(j, "user", f->user_known ? f->user_name : NULL, SIZE_MAX);
	jsonl_number(j, "login_uid", f->login_uid, f->login_uid != ID_UNSET);
	jsonl_text(j, "session", s ? s->id : NULL, SESSION_ID_LEN);
	jsonl_text(j, "cgroup", f->cgroup_path, SIZE_MAX);
	jsonl_number(j, "pid", p ? p->pid : 0, p);
	jsonl_text(j, "comm", p && *p->comm ? p->comm : NULL, sizeof(p->comm));
	jsonl_word(j, "via", NAME_OF(via_name, f->via, VIA_MAX));
}

static void flow_line(struct report *r, const struct flow *f, const struct proctab *procs,
		      const struct sessions *sessions, bool reconnected)
{
	struct jsonl j = line_begin(r);
	bool shared = f->shared_with != ID_UNSET;
	static const struct addr nowhere;

	put_identity(&j, f);
	put_owner(&j, f, procs, sessions);
	jsonl_word(&j, "outcome", reconnected ? NULL : NAME_OF(outcome_name, f->outcome, OUT_MAX));
	jsonl_errno(&j, "error", f->err);
	jsonl_word(&j, "engine", f->engine);
	jsonl_bool(&j, "transport", f->transport);
	jsonl_text(&j, "shared_with", shared ? f->shared_name : NULL, SIZE_MAX);
	jsonl_text(&j, "netns_name", f->netns_name, SIZE_MAX);
	jsonl_number(&j, "discarded", f->wqueue, f->outcome == OUT_DEAD && !reconnected);
	jsonl_text(&j, "note", f->note, SIZE_MAX);
	jsonl_time(&j, "since", f->since);
	jsonl_number(&j, "sent", f->sent, f->counted);
	jsonl_number(&j, "received", f->received, f->counted);
	jsonl_number(&j, "idle_ms", f->idle_ms, f->timed);
	if (reconnected)
		jsonl_bool(&j, "reconnected", true);
	put_address(&j, "backend_addr", f->backend ? &f->backend->remote : &nowhere);
	jsonl_number(&j, "backend_port", f->backend ? f->backend->remote_port : 0, f->backend);
	line_finish(r, &j);
}

static void json_flow(struct report *r, const struct flow *f, const struct proctab *procs,
		      const struct sessions *sessions)
{
	flow_line(r, f, procs, sessions, false);
}

static void json_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
			     const struct sessions *sessions)
{
	flow_line(r, f, procs, sessions, true);
}

static void json_session(struct report *r, const struct session *s, const char *user_name)
{
	struct jsonl j = line_begin(r);
	bool known = s->survives != SURVIVES_UNKNOWN && s->survives < SURVIVES_MAX;

	jsonl_open(&j, "session_cut");
	jsonl_text(&j, "session", s->id, sizeof(s->id));
	jsonl_text(&j, "user", user_name, SIZE_MAX);
	jsonl_number(&j, "uid", s->uid, s->uid != ID_UNSET);
	jsonl_number(&j, "leader", s->leader, s->leader);
	jsonl_word(&j, "survives", known ? survives_name[s->survives] : NULL);
	jsonl_number(&j, "survivor", s->survivor, s->survivor);
	jsonl_close(&j);
	line_finish(r, &j);
}

static void put_session(struct jsonl *j, const struct row *row)
{
	const struct session *s = row->session;

	jsonl_text(j, "session", s ? s->id : NULL, SESSION_ID_LEN);
	jsonl_text(j, "user", row->user_name, SIZE_MAX);
	jsonl_number(j, "uid", row->user, row->user != ID_UNSET);
	jsonl_number(j, "leader", s ? s->leader : 0, s && s->leader);
	jsonl_text(j, "tty", s && s->tty[0] ? s->tty : NULL, sizeof(s->tty));
	put_address(j, "client", &row->client);
	jsonl_text(j, "remote_host", s && s->remote_host[0] ? s->remote_host : NULL, sizeof(s->remote_host));
}

static void put_traffic(struct jsonl *j, const struct row *row)
{
	jsonl_number(j, "sent", row->sent, row->counted);
	jsonl_number(j, "received", row->received, row->counted);
	jsonl_number(j, "idle_ms", row->idle_ms, row->timed);
}

static void put_life(struct jsonl *j, const struct row *row)
{
	jsonl_word(j, "state", NAME_OF(presence_name, row->presence, PRESENCE_MAX));
	jsonl_text(j, "proto", row->carrier, SIZE_MAX);
	jsonl_time(j, "since", row->since);
	jsonl_time(j, "connected", row->connected);
	jsonl_time(j, "disconnected", row->disconnected);
	put_handle(j, row->flow);
}

static void json_row(struct report *r, const struct row *row)
{
	struct jsonl j = line_begin(r);

	if (row->what == LIST_SESSIONS) {
		put_session(&j, row);
	} else if (row->what == LIST_USERS) {
		jsonl_text(&j, "user", row->user_name, SIZE_MAX);
		jsonl_number(&j, "uid", row->user, row->user != ID_UNSET);
		jsonl_number(&j, "sessions", row->sessions, true);
	} else {
		put_address(&j, "client", &row->client);
		jsonl_number(&j, "users", row->users, true);
	}
	jsonl_number(&j, "transports", row->transports, true);
	jsonl_number(&j, "flows", row->flows, true);
	put_traffic(&j, row);
	if (row->what == LIST_SESSIONS)
		put_life(&j, row);
	line_finish(r, &j);
}

static void put_notes(struct jsonl *j, const struct summary *s)
{
	jsonl_array(j, "notes");
	for (size_t i = 0; i < s->n_notes; i++)
		jsonl_text(j, NULL, s->notes[i], SIZE_MAX);
	jsonl_end_array(j);
}

/* As typed: "--user alice", "--all". */
static void put_selectors(struct jsonl *j, const struct request *req)
{
	jsonl_array(j, "selectors");
	for (size_t i = 0; i < req->n_selectors; i++) {
		const struct selector *s = &req->selectors[i];
		char text[TEXT_MAX + 32];

		snprintf(text, sizeof(text), "%s%s%s", selector_option[s->kind], s->text ? " " : "",
			 s->text ? s->text : "");
		jsonl_text(j, NULL, text, sizeof(text));
	}
	jsonl_end_array(j);
}

static void put_unjudged(struct jsonl *j, const struct summary *s)
{
	jsonl_number(j, "unattributed", s->unattributed, true);
	jsonl_number(j, "age_unknown", s->age_unknown, true);
}

static void put_totals(struct jsonl *j, const struct summary *s)
{
	const struct {
		const char *key;
		uint64_t n;
	} count[] = {
		{ "matched", s->matched }, { "dead", s->dead },
		{ "alive", s->alive },	   { "stale", s->stale },
		{ "denied", s->denied },   { "unsupported", s->unsupported },
		{ "spared", s->spared },   { "reconnected", s->reconnected },
	};

	jsonl_text(j, "request", s->request->id, REQUEST_ID_LEN);
	for (size_t i = 0; i < array_size(count); i++)
		jsonl_number(j, count[i].key, count[i].n, true);
	jsonl_word(j, "stage", s->staged ? NAME_OF(stage_name, s->stage, STAGE_MAX) : NULL);
	jsonl_ms(j, "elapsed_ms", s->elapsed_ms);
	jsonl_number(j, "planned", s->planned, true);
	put_unjudged(j, s);
	jsonl_number(j, "discarded", s->discarded, true);
}

static void json_end(struct report *r, const struct summary *s)
{
	struct jsonl j = line_begin(r);

	jsonl_open(&j, "summary");
	if (r->verb == VERB_LIST) {
		jsonl_number(&j, "listed", s->matched, true);
		jsonl_word(&j, "owners", s->owners);
	} else {
		put_totals(&j, s);
		jsonl_word(&j, "owners", s->owners);
		jsonl_bool(&j, "already", s->already);
		jsonl_bool(&j, "interrupted", s->interrupted);
		jsonl_text(&j, "reason", s->request->reason, SIZE_MAX);
		put_selectors(&j, s->request);
	}
	put_notes(&j, s);
	if (r->verb == VERB_LIST)
		put_unjudged(&j, s);
	else
		jsonl_text(&j, "fence", s->fence, SIZE_MAX);
	jsonl_close(&j);
	line_finish(r, &j);
}

const struct report_ops report_json = {
	.session = json_session,
	.flow = json_flow,
	.reconnected = json_reconnected,
	.row = json_row,
	.end = json_end,
};
