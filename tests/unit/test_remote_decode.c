// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_remote_decode.c - what is reported, said as JSON, read and reported again is the same in every format; and what
 * cannot be is refused by name. */
#include "cli/remote_decode.h"
#include "paper.h"

#include <jansson.h>
#include <sys/socket.h>

#include "unit.h"

static const char *bad;

/* --- there and back --------------------------------------------------------------------------- */

static void report_one(struct paper *p, const struct report_ops *ops, const struct flow *f, const struct proctab *t,
		       const struct sessions *s, bool again)
{
	const struct summary none = { 0 };

	paper_open(p, ops, VERB_KILL);
	report_begin(&p->r, &p->req);
	(again ? report_reconnected : report_flow)(&p->r, f, t, s);
	fflush(p->r.out);
	fflush(p->r.err);
	if (ops == &report_text)
		paper_end(p, &none);
}

static void same_flow(const struct flow *f, bool again)
{
	static const struct report_ops *const formats[] = { &report_json, &report_text };
	_cleanup_(json_decrefp) json_t *o = NULL;
	struct told_flow t;
	struct paper p, q;

	report_one(&p, &report_json, f, &procs, &sessions, again);
	o = json_loads(p.out, 0, NULL);
	assert_non_null(o);
	paper_close(&p);
	if (decode_flow(o, &t, &bad) < 0)
		fail_msg("%s is refused", bad);
	assert_int_equal(t.reconnected, again);
	for (size_t i = 0; i < array_size(formats); i++) {
		report_one(&p, formats[i], f, &procs, &sessions, again);
		report_one(&q, formats[i], &t.flow, &t.procs, &t.sessions, t.reconnected);
		assert_string_equal(p.out, q.out);
		assert_string_equal(p.err, q.err);
		paper_close(&p);
		paper_close(&q);
	}
}

static void test_flow(void **state)
{
	struct flow f = make_flow();

	(void)state;
	same_flow(&f, false);
	f.outcome = OUT_NONE;
	same_flow(&f, true);
	f = make_unknown();
	same_flow(&f, false);
	f = make_flow();
	f.inode = 0;
	f.user_known = false;
	f.via = VIA_UNKNOWN;
	f.proc = f.session = -1;
	f.shared_with = 1002;
	f.shared_name = "uid:1002";
	f.netns_name = "bl\x1bue";
	f.note = "why \"not\"";
	f.engine = "bpf";
	f.transport = false;
	same_flow(&f, false);
	f.counted = false;
	same_flow(&f, false);
	f.timed = false;
	f.since = 0;
	same_flow(&f, false);
	f.backend = NULL;
	same_flow(&f, false);
}

static void test_every_word(void **state)
{
	struct flow f = make_flow();

	(void)state;
	for (f.state = 0; f.state < STATE_MAX; f.state++)
		same_flow(&f, false);
	f.state = STATE_ESTABLISHED;
	for (f.via = 0; f.via < VIA_MAX; f.via++)
		same_flow(&f, false);
	f.via = VIA_UID;
	for (f.outcome = 0; f.outcome < OUT_MAX; f.outcome++)
		same_flow(&f, false);
	f.outcome = OUT_DENIED;
	for (f.direction = 0; f.direction < DIR_MAX; f.direction++)
		same_flow(&f, false);
	f.direction = DIR_OUT;
	for (f.err = 0; f.err > -134; f.err--)
		same_flow(&f, false);
	f.err = 0;
	for (f.proto = 0; f.proto < PROTO_MAX; f.proto++)
		same_flow(&f, false);
}

/* Of MPTCP the handle is made of the inode, and of the addresses where there is none. */
static void test_handles(void **state)
{
	struct flow f = make_flow();

	(void)state;
	f.proto = PROTO_MPTCP;
	f.inode = 4294967295u;
	same_flow(&f, false);
	f.inode = 0;
	same_flow(&f, false);
	f.proto = PROTO_TCP;
	f.cookie = UINT64_MAX - 1;
	f.netns = UINT32_MAX;
	same_flow(&f, false);
}

static void test_addresses(void **state)
{
	static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, link[16] = { 0xfe, 0x80, [15] = 2 }, zero[16];
	struct flow f = make_flow();

	(void)state;
	f.family = AF_INET6;
	same_flow(&f, false); /* v4-mapped */
	f.local = addr_from_bytes(AF_INET6, v6);
	same_flow(&f, false);
	f.remote = addr_from_bytes(AF_INET6, link);
	f.remote.scope = INT32_MAX;
	same_flow(&f, false);
	f.remote = addr_from_bytes(AF_INET6, zero);
	f.remote_port = 0;
	same_flow(&f, false);
	f.remote = (struct addr){ 0 };
	f.family = 0;
	same_flow(&f, false);
}

static json_t *json_of(const struct report_ops *ops, struct paper *p)
{
	json_t *o;

	assert_ptr_equal(ops, &report_json);
	o = json_loads(p->out, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(o);
	paper_close(p);
	return o;
}

static void rows_of(struct paper *p, const struct report_ops *ops, const struct row *row)
{
	const struct summary s = { .matched = 1, .owners = "bpf" };

	paper_open(p, ops, VERB_LIST);
	p->req.what = row->what;
	report_begin(&p->r, &p->req);
	report_row(&p->r, row);
	paper_end(p, &s);
}

static void same_row(const struct row *row)
{
	static const struct report_ops *const formats[] = { &report_json, &report_text };
	_cleanup_(json_decrefp) json_t *o = NULL;
	struct told_row t;
	struct paper p, q;

	rows_of(&p, &report_json, row);
	o = json_of(&report_json, &p);
	if (decode_row(o, row->what, &t, &bad) < 0)
		fail_msg("%s is refused", bad);
	for (size_t i = 0; i < array_size(formats); i++) {
		rows_of(&p, formats[i], row);
		rows_of(&q, formats[i], &t.row);
		assert_string_equal(p.out, q.out);
		paper_close(&p);
		paper_close(&q);
	}
}

static void test_rows(void **state)
{
	static const enum list_what whats[] = { LIST_SESSIONS, LIST_USERS, LIST_CLIENTS };

	(void)state;
	for (size_t i = 0; i < array_size(whats); i++) {
		struct row row = make_row(whats[i]);

		if (whats[i] != LIST_SESSIONS)
			row.session = NULL;
		same_row(&row);
		row = (struct row){ .what = whats[i], .user = ID_UNSET };
		same_row(&row);
	}
}

/* Nobody has logged in yet: the row is known by its connection. */
static void test_row_to_be(void **state)
{
	struct flow f = make_flow();
	struct row row = { .what = LIST_SESSIONS, .user = ID_UNSET, .client = f.remote, .transports = 1, .flows = 1,
			   .presence = PRESENCE_CONNECTED, .carrier = "tcp", .flow = &f };

	(void)state;
	same_row(&row);
	f.proto = PROTO_MPTCP;
	f.inode = 77;
	row.carrier = "mptcp6";
	same_row(&row);
}

/* --- what cannot be --------------------------------------------------------------------------- */

#define FLOW "\"flow\":\"1a2b@4026531840\",\"transport\":true"

/* Reads {text}; the name of what is refused, or "". */
static const char *flow_refused(const char *text, struct told_flow *ret)
{
	_cleanup_(json_decrefp) json_t *o = NULL;
	static char name[64];
	_free_ char *whole = NULL;
	int r;

	assert_true(asprintf(&whole, "{%s}", text) > 0);
	o = json_loads(whole, 0, NULL);
	if (!o)
		fail_msg("%s is no JSON", whole);
	bad = "";
	r = decode_flow(o, ret, &bad);
	assert_int_equal(r, *bad ? -EBADMSG : 0);
	snprintf(name, sizeof(name), "%s", bad);
	return name;
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *bad;
	} cases[] = {
		{ "", "flow" },
		{ "\"flow\":null", "flow" },
		{ "\"flow\":1,\"transport\":true", "flow" },
		{ "\"flow\":\"\",\"transport\":true", "flow" },
		{ "\"flow\":\"1a2b\",\"transport\":true", "flow" },
		{ "\"flow\":\"x@1\",\"transport\":true", "flow" },
		{ "\"flow\":\"0@1\",\"transport\":true", "flow" },
		{ "\"flow\":\"ffffffffffffffff@1\",\"transport\":true", "flow" },
		{ "\"flow\":\"1@4294967296\",\"transport\":true", "flow" },
		{ "\"flow\":\"1@1\",\"proto\":\"mptcp\",\"transport\":true", "flow" },
		{ "\"flow\":\"1@1\"", "transport" },
		{ "\"flow\":\"1@1\",\"transport\":\"true\"", "transport" },
		{ FLOW ",\"proto\":1", "proto" },
		{ FLOW ",\"state\":[]", "state" },
		{ FLOW ",\"local_addr\":\"localhost\"", "local_addr" },
		{ FLOW ",\"local_addr\":\"127.1\"", "local_addr" },
		{ FLOW ",\"local_addr\":\"10.0.0.0/8\"", "local_addr" },
		{ FLOW ",\"remote_addr\":\"[::1]\"", "remote_addr" },
		{ FLOW ",\"remote_addr\":\"fe80::1%eth0\"", "remote_addr" },
		{ FLOW ",\"remote_addr\":\"fe80::1%4294967296\"", "remote_addr" },
		{ FLOW ",\"remote_addr\":\"\"", "remote_addr" },
		{ FLOW ",\"local_port\":65536", "local_port" },
		{ FLOW ",\"local_port\":-1", "local_port" },
		{ FLOW ",\"local_port\":22.0", "local_port" },
		{ FLOW ",\"local_port\":\"22\"", "local_port" },
		{ FLOW ",\"uid\":4294967296", "uid" },
		{ FLOW ",\"user\":{}", "user" },
		{ FLOW ",\"login_uid\":-1", "login_uid" },
		{ FLOW ",\"pid\":2147483648", "pid" },
		{ FLOW ",\"comm\":7", "comm" },
		{ FLOW ",\"discarded\":true", "discarded" },
		{ FLOW ",\"outcome\":false", "outcome" },
		{ FLOW ",\"reconnected\":0", "reconnected" },
		{ FLOW ",\"since\":\"yesterday\"", "since" },
		{ FLOW ",\"since\":1763000000", "since" },
		{ FLOW ",\"sent\":-1", "sent" },
		{ FLOW ",\"received\":\"7\"", "received" },
		{ FLOW ",\"idle_ms\":4294967296", "idle_ms" },
		{ FLOW ",\"backend_addr\":\"nowhere\"", "backend_addr" },
		{ FLOW ",\"backend_addr\":\"127.0.0.1\",\"backend_port\":65536", "backend_port" },
	};
	struct told_flow t;

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(flow_refused(cases[i].text, &t), cases[i].bad);
}

/* Words that a later severd may say are no words, but no fault; members it may say are not seen. */
static void test_newer(void **state)
{
	struct told_flow t;

	(void)state;
	assert_string_equal(flow_refused(FLOW ",\"proto\":\"quic\",\"state\":\"melting\",\"via\":\"magic\","
					      "\"outcome\":\"undead\",\"direction\":\"up\",\"family\":\"inet8\","
					      "\"error\":\"ENEW\",\"colour\":{\"a\":[1]}",
					 &t),
			    "");
	assert_int_equal(t.flow.proto, PROTO_OTHER);
	assert_int_equal(t.flow.state, 0);
	assert_int_equal(t.flow.via, VIA_UNKNOWN);
	assert_int_equal(t.flow.outcome, OUT_NONE);
	assert_int_equal(t.flow.direction, DIR_UNKNOWN);
	assert_int_equal(t.flow.family, 0);
	assert_int_equal(t.flow.err, 0);
	assert_string_equal(flow_refused(FLOW, &t), "");
	assert_false(t.flow.user_known);
	assert_int_equal(t.flow.shared_with, ID_UNSET);
	assert_int_equal(t.procs.n + t.sessions.n, 0);
}

static char *repeat(const char *before, const char *what, size_t n, const char *after)
{
	size_t len = strlen(what), at = strlen(before);
	char *text = malloc(at + n * len + strlen(after) + 1);

	assert_non_null(text);
	strcpy(text, before);
	for (size_t i = 0; i < n; i++, at += len)
		memcpy(text + at, what, len);
	strcpy(text + at, after);
	return text;
}

/* A name that does not fit is refused: it would become another. What is only shown is cut between characters. */
static void test_huge(void **state)
{
	_free_ char *comm = repeat(FLOW ",\"pid\":1,\"comm\":\"a", "\xc3\xa4", 100000, "\"");
	_free_ char *session = repeat(FLOW ",\"session\":\"", "7", SESSION_ID_LEN, "\"");
	_free_ char *fits = repeat(FLOW ",\"session\":\"", "7", SESSION_ID_LEN - 1, "\"");
	_free_ char *user = repeat(FLOW ",\"user\":\"", "u", 900000, "\"");
	_free_ char *addr = repeat(FLOW ",\"local_addr\":\"", "1", 900000, "\"");
	struct told_flow t;

	(void)state;
	assert_string_equal(flow_refused(comm, &t), "");
	assert_string_equal(t.proc.comm, "a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	assert_string_equal(flow_refused(session, &t), "session");
	assert_string_equal(flow_refused(fits, &t), "");
	assert_int_equal(strlen(t.session.id), SESSION_ID_LEN - 1);
	assert_string_equal(flow_refused(user, &t), "");
	assert_string_equal(flow_refused(addr, &t), "local_addr");
}

static const char *summary_refused(json_t *o)
{
	_free_ const char **notes = NULL;
	struct summary s = { 0 };
	int r;

	bad = "";
	r = decode_summary(o, &s, &notes, &bad);
	assert_int_equal(r, *bad ? -EBADMSG : 0);
	assert_int_equal(notes != NULL, !*bad);
	return bad;
}

/* Each member of a whole summary is made wrong in turn. */
static void test_summary(void **state)
{
	static const char *const nullable[] = { "stage",  "owners", "already",   "interrupted",
						"notes",  "reason", "selectors", "fence" };
	const struct summary s = { .matched = 1, .dead = 1 };
	_cleanup_(json_decrefp) json_t *o = NULL;
	const char *key;
	struct paper p;
	json_t *value;
	void *next;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	o = json_of(&report_json, &p);
	assert_string_equal(summary_refused(json_object_get(o, "summary")), "");
	json_object_foreach_safe(json_object_get(o, "summary"), next, key, value)
	{
		_cleanup_(json_decrefp) json_t *other = json_deep_copy(json_object_get(o, "summary"));
		bool may_be_absent = !strcmp(key, "request"); /* which we gave it */

		for (size_t i = 0; i < array_size(nullable); i++)
			may_be_absent |= !strcmp(key, nullable[i]);
		json_object_del(other, key);
		assert_string_equal(summary_refused(other), may_be_absent ? "" : key);
		if (!strcmp(key, "request") || !strcmp(key, "reason") || !strcmp(key, "selectors"))
			continue;
		json_object_set_new(other, key, json_pack("[i]", 1));
		assert_string_equal(summary_refused(other), key);
	}
}

static void test_others(void **state)
{
	_cleanup_(json_decrefp) json_t *cut = json_pack("{sssisssi}", "session", "3", "uid", 7, "survives", "ghost",
							"leader", 4);
	_cleanup_(json_decrefp) json_t *row = json_pack("{sisi}", "flows", 1, "transports", -1);
	struct told_row t;
	struct session s;
	const char *user;

	(void)state;
	assert_int_equal(decode_cut(cut, &s, &user, &bad), 0);
	assert_int_equal(s.survives, SURVIVES_UNKNOWN);
	assert_int_equal(s.leader, 4);
	assert_null(user);
	json_object_del(cut, "session");
	assert_int_equal(decode_cut(cut, &s, &user, &bad), -EBADMSG);
	assert_string_equal(bad, "session");
	assert_int_equal(decode_row(row, LIST_USERS, &t, &bad), -EBADMSG);
	assert_string_equal(bad, "transports");
	assert_int_equal(decode_flow(json_null(), &(struct told_flow){ 0 }, &bad), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow),	  cmocka_unit_test(test_every_word), cmocka_unit_test(test_handles),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_rows),	     cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_newer),	  cmocka_unit_test(test_huge),	     cmocka_unit_test(test_summary),
		cmocka_unit_test(test_others),	  cmocka_unit_test(test_row_to_be),
	};

	return unit_run("remote_decode", tests, NULL);
}
