// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_decode.h"
#include "cli/reader.h"
#include "model/selector.h"

#include <string.h>
#include <sys/socket.h>

/* The handle, from which flow_key() must come out again. An MPTCP connection with an inode is called by that. */
static void read_handle(struct reader *r, struct flow *f)
{
	const char *text = read_text(r, "flow");
	struct selector s;

	if (!text || selector_parse(SEL_FLOW, text, &s, NULL) < 0) {
		read_refuse(r, "flow");
		return;
	}
	f->cookie = s.flow.cookie;
	f->netns = s.flow.netns;
	if (f->proto == PROTO_MPTCP)
		f->inode = f->cookie >> 62 == 2 ? (uint32_t)f->cookie : 0;
	if (flow_key(f) != s.flow.cookie)
		read_refuse(r, "flow");
}

/* Whether it is known. */
static bool read_count(struct reader *r, const char *key, uint64_t max, uint64_t *ret)
{
	*ret = read_number(r, key, max, 0);
	return read_member(r, key, false);
}

static bool read_counts(struct reader *r, uint64_t *ret_sent, uint64_t *ret_received)
{
	bool sent = read_count(r, "sent", INT64_MAX, ret_sent);

	return read_count(r, "received", INT64_MAX, ret_received) && sent;
}

static bool read_idle(struct reader *r, uint32_t *ret)
{
	uint64_t ms;
	bool known = read_count(r, "idle_ms", UINT32_MAX, &ms);

	*ret = ms;
	return known;
}

static int errno_of(const char *name)
{
	for (int e = 1; name && e < 256; e++)
		if (strerrorname_np(e) && !strcmp(strerrorname_np(e), name))
			return -e;
	return 0;
}

static void read_socket(struct reader *r, struct flow *f)
{
	static const char *const families[] = { "inet", "inet6" };
	static const uint16_t numbers[] = { AF_INET, AF_INET6, 0 };

	f->proto = read_word(r, "proto", proto_name, PROTO_MAX, PROTO_OTHER);
	f->family = numbers[read_word(r, "family", families, 2, 2)];
	f->state = read_word(r, "state", state_name, STATE_MAX, 0);
	f->local = read_addr(r, "local_addr");
	f->local_port = read_number(r, "local_port", UINT16_MAX, 0);
	f->remote = read_addr(r, "remote_addr");
	f->remote_port = read_number(r, "remote_port", UINT16_MAX, 0);
	f->direction = read_word(r, "direction", direction_name, DIR_MAX, DIR_UNKNOWN);
}

static void read_owner(struct reader *r, struct told_flow *t)
{
	struct flow *f = &t->flow;

	f->uid = read_number(r, "uid", UINT32_MAX, ID_UNSET);
	f->inode = f->uid != ID_UNSET; /* without an inode the uid says nothing, and is not shown */
	f->user_name = read_text(r, "user");
	f->user_known = f->user_name;
	f->login_uid = read_number(r, "login_uid", UINT32_MAX, ID_UNSET);
	f->user = f->login_uid != ID_UNSET ? f->login_uid : f->uid;
	f->cgroup_path = read_text(r, "cgroup");
	f->via = read_word(r, "via", via_name, VIA_MAX, VIA_UNKNOWN);
	f->shared_name = read_text(r, "shared_with");
	f->shared_with = f->shared_name ? 0 : ID_UNSET;
	f->netns_name = read_text(r, "netns_name");
	read_into(r, "session", t->session.id, sizeof(t->session.id), true);
	t->sessions = (struct sessions){ .v = &t->session, .n = *t->session.id ? 1 : 0 };
	t->proc.pid = read_number(r, "pid", INT32_MAX, 0);
	read_into(r, "comm", t->proc.comm, sizeof(t->proc.comm), false);
	t->procs = (struct proctab){ .v = &t->proc, .n = t->proc.pid ? 1 : 0 };
}

int decode_flow(const json_t *o, struct told_flow *ret, const char **ret_bad)
{
	struct reader r = { .o = o };
	struct flow *f = &ret->flow;

	*ret = (struct told_flow){ 0 };
	read_socket(&r, f);
	read_owner(&r, ret);
	read_handle(&r, f);
	f->outcome = read_word(&r, "outcome", outcome_name, OUT_MAX, OUT_NONE);
	f->err = errno_of(read_text(&r, "error"));
	f->engine = read_text(&r, "engine");
	f->transport = read_member(&r, "transport", true) && read_bool(&r, "transport");
	f->wqueue = read_number(&r, "discarded", UINT32_MAX, 0);
	f->note = read_text(&r, "note");
	f->since = read_time(&r, "since");
	f->counted = read_counts(&r, &f->sent, &f->received);
	f->timed = read_idle(&r, &f->idle_ms);
	ret->reconnected = read_bool(&r, "reconnected");
	ret->backend.remote = read_addr(&r, "backend_addr");
	ret->backend.remote_port = read_number(&r, "backend_port", UINT16_MAX, 0);
	f->backend = ret->backend.remote.family ? &ret->backend : NULL;
	return read_done(&r, ret_bad);
}

static void read_session(struct reader *r, struct session *s)
{
	*s = (struct session){ .audit = ID_UNSET };
	read_into(r, "session", s->id, sizeof(s->id), true);
	s->uid = read_number(r, "uid", UINT32_MAX, ID_UNSET);
	s->leader = read_number(r, "leader", INT32_MAX, 0);
}

static void read_life(struct reader *r, struct row *row)
{
	row->presence = read_word(r, "state", presence_name, PRESENCE_MAX, PRESENCE_UNKNOWN);
	row->carrier = read_text(r, "proto");
	row->since = read_time(r, "since");
	row->connected = read_time(r, "connected");
	row->disconnected = read_time(r, "disconnected");
}

int decode_row(const json_t *o, enum list_what what, struct told_row *ret, const char **ret_bad)
{
	struct reader r = { .o = o };
	struct row *row = &ret->row;

	*row = (struct row){ .what = what, .user = ID_UNSET };
	read_session(&r, &ret->session);
	read_into(&r, "tty", ret->session.tty, sizeof(ret->session.tty), false);
	read_into(&r, "remote_host", ret->session.remote_host, sizeof(ret->session.remote_host), false);
	if (what == LIST_SESSIONS && *ret->session.id)
		row->session = &ret->session;
	row->user_name = read_text(&r, "user");
	row->user = ret->session.uid;
	row->client = read_addr(&r, "client");
	row->sessions = read_number(&r, "sessions", INT64_MAX, 0);
	row->users = read_number(&r, "users", INT64_MAX, 0);
	read_member(&r, "transports", true);
	row->transports = read_number(&r, "transports", INT64_MAX, 0);
	read_member(&r, "flows", true);
	row->flows = read_number(&r, "flows", INT64_MAX, 0);
	row->counted = read_counts(&r, &row->sent, &row->received);
	row->timed = read_idle(&r, &row->idle_ms);
	read_life(&r, row);
	if (read_member(&r, "flow", false)) {
		ret->flow = (struct flow){ .proto = row->carrier && !strncmp(row->carrier, "mptcp", 5) ? PROTO_MPTCP : PROTO_TCP };
		read_handle(&r, &ret->flow);
		row->flow = &ret->flow;
	}
	return read_done(&r, ret_bad);
}

int decode_cut(const json_t *o, struct session *ret, const char **ret_user, const char **ret_bad)
{
	struct reader r = { .o = o };

	read_member(&r, "session", true);
	read_session(&r, ret);
	*ret_user = read_text(&r, "user");
	ret->survives = read_word(&r, "survives", survives_name, SURVIVES_MAX, SURVIVES_UNKNOWN);
	ret->survivor = read_number(&r, "survivor", INT32_MAX, 0);
	return read_done(&r, ret_bad);
}

int decode_notes(const json_t *o, struct summary *ret, const char ***ret_notes, const char **ret_bad)
{
	struct reader r = { .o = o };
	const json_t *notes = read_array(&r, "notes");
	_free_ const char **v = calloc(json_array_size(notes) + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (; n < json_array_size(notes); n++) {
		v[n] = json_string_value(json_array_get(notes, n));
		if (!v[n])
			read_refuse(&r, "notes");
	}
	if (r.bad)
		return read_done(&r, ret_bad);
	ret->notes = *ret_notes = take_ptr(&v);
	ret->n_notes = n;
	return 0;
}

int decode_summary(const json_t *o, struct summary *ret, const char ***ret_notes, const char **ret_bad)
{
	struct reader r = { .o = o };
	struct {
		const char *key;
		uint64_t *n;
	} count[] = {
		{ "matched", &ret->matched },		  { "dead", &ret->dead },
		{ "alive", &ret->alive },		  { "stale", &ret->stale },
		{ "denied", &ret->denied },		  { "unsupported", &ret->unsupported },
		{ "spared", &ret->spared },		  { "reconnected", &ret->reconnected },
		{ "planned", &ret->planned },		  { "unattributed", &ret->unattributed },
		{ "age_unknown", &ret->age_unknown }, { "discarded", &ret->discarded },
	};
	const json_t *elapsed = read_member(&r, "elapsed_ms", true);

	for (size_t i = 0; i < array_size(count); i++) {
		read_member(&r, count[i].key, true);
		*count[i].n = read_number(&r, count[i].key, INT64_MAX, 0);
	}
	if (elapsed && !json_is_number(elapsed))
		read_refuse(&r, "elapsed_ms");
	ret->elapsed_ms = json_number_value(elapsed);
	ret->stage = read_word(&r, "stage", stage_name, STAGE_MAX, STAGE_MAX);
	ret->staged = ret->stage < STAGE_MAX;
	ret->owners = read_text(&r, "owners");
	ret->already = read_bool(&r, "already");
	ret->interrupted = read_bool(&r, "interrupted");
	ret->fence = read_text(&r, "fence");
	return r.bad ? read_done(&r, ret_bad) : decode_notes(o, ret, ret_notes, ret_bad);
}
