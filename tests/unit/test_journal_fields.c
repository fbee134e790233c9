// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_journal_fields.c - what the journal is told: every field in its place, nothing that is not known, and no text that
 * becomes a field or a line of its own. */
#include "daemon/journal_fields.h"
#include "paper.h"
#include "sever/messages.h"
#include "unit.h"

#define ID "6d1c0e9a-0000-4000-8000-000000000001"

static struct recorded make_request(void)
{
	struct recorded r = { .id = ID, .verb = VERB_KILL, .accepted_us = 1000, .uid = 1001, .login_uid = ID_UNSET };

	r.selectors = json_pack("[s, s]", "--user alice", "--all");
	return r;
}

static void assert_fields(const struct fields *f, const char *const *want)
{
	struct iovec v[FIELDS_MAX];
	size_t n = fields_iovec(f, v), i;

	assert_false(f->failed);
	for (i = 0; i < n && want[i]; i++) {
		assert_int_equal(v[i].iov_len, strlen(want[i]));
		assert_memory_equal(v[i].iov_base, want[i], v[i].iov_len);
	}
	assert_int_equal(i, n);
	assert_null(want[i]);
}

static void test_request(void **state)
{
	static const char *const accepted[] = { "SYSLOG_IDENTIFIER=severd",
						"PRIORITY=5",
						"MESSAGE_ID=c605a01a1ec34041ba27692e50ab43af",
						"MESSAGE=Request " ID
						" of uid 1001 accepted: kill --user alice --all, 3 connections",
						"SEVER_REQUEST=" ID,
						"SEVER_VERB=kill",
						"SEVER_CALLER_UID=1001",
						"SEVER_SELECTORS=--user alice",
						"SEVER_SELECTORS=--all",
						"SEVER_MATCHED=3",
						NULL };
	static const char *const done[] = { "SYSLOG_IDENTIFIER=severd",
					    "PRIORITY=4",
					    "MESSAGE_ID=3d60ed3af63540bea51bba322da1cc3f",
					    "MESSAGE=Request " ID
					    " of uid 1001 done: 2 of 3 connections were cut, status 3",
					    "SEVER_REQUEST=" ID,
					    "SEVER_VERB=kill",
					    "SEVER_CALLER_UID=1001",
					    "SEVER_CALLER_LOGIN_UID=1002",
					    "SEVER_CALLER_PID=4711",
					    "SEVER_SELECTORS=--user alice",
					    "SEVER_SELECTORS=--all",
					    "SEVER_REASON=a\nb",
					    "SEVER_STATUS=3",
					    "SEVER_DURATION_US=234",
					    "SEVER_MATCHED=3",
					    "SEVER_DEAD=2",
					    "SEVER_ALIVE=1",
					    "SEVER_STALE=0",
					    "SEVER_DENIED=0",
					    "SEVER_UNSUPPORTED=0",
					    "SEVER_SPARED=0",
					    "SEVER_RECONNECTED=0",
					    "SEVER_DISCARDED=12",
					    NULL };
	static const char *const refused[] = { "SYSLOG_IDENTIFIER=severd",
					       "PRIORITY=4",
					       "MESSAGE_ID=3d60ed3af63540bea51bba322da1cc3f",
					       "MESSAGE=Request " ID " of uid 1001 done, status 6",
					       "SEVER_REQUEST=" ID,
					       "SEVER_VERB=disconnect",
					       "SEVER_CALLER_UID=1001",
					       "SEVER_SELECTORS=--user alice",
					       "SEVER_SELECTORS=--all",
					       "SEVER_STATUS=6",
					       NULL };
	struct recorded r = make_request();
	struct fields f = { 0 };

	(void)state;
	fields_accepted(&f, &r, 3);
	assert_fields(&f, accepted);
	r.done = true;
	r.status = STATUS_GUARD;
	r.verb = VERB_DISCONNECT;
	fields_done(&f, &r); /* done_us is before: a clock was set back */
	assert_fields(&f, refused);
	r.status = STATUS_PARTIAL;
	r.verb = VERB_KILL;
	r.done_us = 1234;
	r.login_uid = 1002;
	r.pid = 4711;
	r.reason = json_string("a\nb");
	r.summary = json_pack("{s:i, s:i, s:i, s:i, s:i, s:s}", "matched", 3, "dead", 2, "alive", 1, "discarded", 12,
			      "stale", -1, "denied", "x");
	fields_done(&f, &r);
	assert_fields(&f, done);
	recorded_clear(&r);
	fields_clear(&f);
}

static void test_cut(void **state)
{
	static const char *const known[] = { "SYSLOG_IDENTIFIER=severd",
					     "PRIORITY=6",
					     "MESSAGE_ID=84e843dbce8f440985586d168ac40dc6",
					     "MESSAGE=Connection of alice from 127.0.0.2 was cut: admin",
					     "SEVER_REQUEST=" ID,
					     "SEVER_FLOW=1a2b@4026531840",
					     "SEVER_CLIENT=127.0.0.2",
					     "SEVER_USER=alice",
					     "SEVER_SESSION=audit:7",
					     "SEVER_BYTES_SENT=0",
					     "SEVER_BYTES_RECEIVED=18446744073709551614",
					     "SEVER_DURATION_US=5",
					     "SEVER_CAUSE=admin",
					     NULL };
	static const char *const unknown[] = {
		"SYSLOG_IDENTIFIER=severd",   "PRIORITY=6",	"MESSAGE_ID=84e843dbce8f440985586d168ac40dc6",
		"MESSAGE=Connection was cut", "SEVER_FLOW=1@2", NULL
	};
	static const char *const out[] = { "SYSLOG_IDENTIFIER=severd",
					   "PRIORITY=6",
					   "MESSAGE_ID=84e843dbce8f440985586d168ac40dc6",
					   "MESSAGE=Connection of a\\x1b[2J\\x0a to 127.0.0.2 was cut",
					   "SEVER_FLOW=1a2b@4026531840",
					   "SEVER_PEER=127.0.0.2",
					   "SEVER_USER=a\x1b[2J\n",
					   NULL };
	struct flow flow = make_flow(), nobody = make_unknown();
	struct journal_cut c = { .request = ID,
				 .flow = &flow,
				 .session = "audit:7",
				 .cause = "admin",
				 .bytes_received = UINT64_MAX - 1,
				 .duration_us = 5 };
	struct fields f = { 0 };

	(void)state;
	fields_cut(&f, &c);
	assert_fields(&f, known);
	c = (struct journal_cut){
		.flow = &nobody, .bytes_sent = CUT_UNKNOWN, .bytes_received = CUT_UNKNOWN, .duration_us = CUT_UNKNOWN
	};
	fields_cut(&f, &c);
	assert_fields(&f, unknown);
	flow.user_name = "a\x1b[2J\n";
	flow.direction = DIR_OUT;
	c.flow = &flow;
	fields_cut(&f, &c);
	assert_fields(&f, out);
	fields_clear(&f);
}

static void test_fence(void **state)
{
	static const char *const hit[] = { "SYSLOG_IDENTIFIER=severd",
					   "PRIORITY=6",
					   "MESSAGE_ID=" SEVER_MESSAGE_FENCE_HIT,
					   "MESSAGE=Fence f3 (--user alice --all) refused 10.0.0.1",
					   "SEVER_FENCE=f3",
					   "SEVER_REASON=a\nb",
					   "SEVER_UNTIL=then",
					   "SEVER_REFUSED=7",
					   "SEVER_LAST_ADDRESS=10.0.0.1",
					   "SEVER_LAST_PORT=99",
					   "SEVER_CALLER_UID=0",
					   "SEVER_SELECTORS=--user alice",
					   "SEVER_SELECTORS=--all",
					   NULL };
	/* Who lifted it, not who put it up. */
	static const char *const lifted[] = { "SYSLOG_IDENTIFIER=severd",
					      "PRIORITY=5",
					      "MESSAGE_ID=" SEVER_MESSAGE_FENCE_LIFT,
					      "MESSAGE=Fence f4 () was lifted",
					      "SEVER_FENCE=f4",
					      "SEVER_CALLER_UID=1000",
					      "SEVER_CALLER_PID=7",
					      NULL };
	static const char *const bare[] = { "SYSLOG_IDENTIFIER=severd",
					    "PRIORITY=5",
					    "MESSAGE_ID=" SEVER_MESSAGE_FENCE_LIFT,
					    "MESSAGE=Fence ? () was lifted",
					    NULL };
	_cleanup_(json_decrefp) json_t *fence = json_pack(
		"{ss s[ss] si ss? so ss ss si ss si}", "fence", "f3", "selectors", "--user alice", "--all", "uid", 0, "request", NULL,
		"login_uid", json_null(), "reason", "a\nb", "until", "then", "refused", 7, "last_addr", "10.0.0.1", "last_port", 99);
	_cleanup_(json_decrefp) json_t *gone = json_pack("{ss si si s{si so si}}", "fence", "f4", "uid", 0, "login_uid", 0, "lifted_by",
							 "uid", 1000, "login_uid", json_null(), "pid", 7);
	struct fields f = { 0 };

	(void)state;
	fields_fence(&f, JOURNAL_FENCE_HIT, fence);
	assert_fields(&f, hit);
	fields_fence(&f, JOURNAL_FENCE_LIFT, gone);
	assert_fields(&f, lifted);
	fields_fence(&f, JOURNAL_FENCE_LIFT, NULL);
	assert_fields(&f, bare);
	fields_clear(&f);
}

static void test_many_selectors(void **state)
{
	struct recorded r = make_request();
	struct iovec v[FIELDS_MAX];
	struct fields f = { 0 };
	size_t n;

	(void)state;
	for (unsigned int i = 2; i < 1000; i++)
		json_array_append_new(r.selectors, json_string("--client 10.0.0.1"));
	r.login_uid = r.pid = 1;
	r.reason = json_string("");
	r.summary = json_object();
	fields_done(&f, &r);
	n = fields_iovec(&f, v);
	assert_false(f.failed);
	assert_memory_equal(v[n - 1].iov_base, "SEVER_DISCARDED=0", v[n - 1].iov_len);
	assert_non_null(memmem(f.text, f.len, "SEVER_SELECTORS=... and 936 more", 32));
	recorded_clear(&r);
	fields_clear(&f);
}

static void test_native(void **state)
{
	static const char want[] = "SYSLOG_IDENTIFIER=severd\nPRIORITY=3\n"
				   "MESSAGE\n\x16\0\0\0\0\0\0\0one\nSEVER_CALLER_UID=0\n";
	struct buffer b = { 0 };
	struct fields f = { 0 };

	(void)state;
	fields_say(&f, 3, "one\nSEVER_CALLER_UID=0");
	assert_int_equal(fields_native(&f, &b), 0);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.text, want, b.len);
	b.len = 0;
	fields_say(&f, 3, "");
	assert_int_equal(fields_native(&f, &b), 0);
	assert_int_equal(b.len, 45);
	assert_memory_equal(b.text + 36, "MESSAGE=\n", 9);
	fields_clear(&f);
	free(b.text);
}

static void line_is(const struct fields *f, const char *want)
{
	struct buffer b = { 0 };

	assert_int_equal(fields_line(f, 1700000000000042, &b), 0);
	assert_int_equal(b.len, strlen(want));
	assert_memory_equal(b.text, want, b.len);
	free(b.text);
}

static void test_line(void **state)
{
	struct fields f = { 0 };

	(void)state;
	fields_say(&f, 3, "plain");
	line_is(&f, "time=2023-11-14T22:13:20.000042Z priority=3 message=plain\n");
	fields_say(&f, 3, "");
	line_is(&f, "time=2023-11-14T22:13:20.000042Z priority=3 message=\"\"\n");
	fields_say(&f, 3, "a b=\"c\" \\\x1b[2J\n\xc3\xa9 \\\" priority=0");
	line_is(&f, "time=2023-11-14T22:13:20.000042Z priority=3 "
		    "message=\"a b=\\\"c\\\" \\\\\\\\x1b[2J\\\\x0a\\\\xc3\\\\xa9 \\\\\\\" priority=0\"\n");
	fields_lost(&f, 17);
	line_is(&f, "time=2023-11-14T22:13:20.000042Z priority=4 message_id=3afd5fc1df8149dfb68b097ec2b44608 "
		    "message=\"17 records are missing here: they came faster than they were taken\" lost=17\n");
	fields_clear(&f);
}

/* However much was asked, and wherever it is cut, a line is a line, and no longer than a pipe takes at once. */
static void test_long_line(void **state)
{
	struct buffer b = { 0 };
	struct fields f = { 0 };

	(void)state;
	for (int pad = 1; pad < 200; pad++) {
		struct recorded r = make_request();

		json_array_append_new(r.selectors, json_sprintf("%0*d", pad, 0));
		for (unsigned int i = 0; i < 200; i++)
			json_array_append_new(r.selectors, json_sprintf("--user \"\n%0*d", (int)(i * 5), 0));
		b.len = 0;
		fields_accepted(&f, &r, 3);
		assert_int_equal(fields_line(&f, 0, &b), 0);
		assert_in_range(b.len, LINE_BYTES - 600, LINE_BYTES);
		assert_memory_equal(b.text + b.len - 10, " cut=true\n", 10);
		assert_ptr_equal(memchr(b.text, '\n', b.len), b.text + b.len - 1);
		for (size_t i = 0; i + 1 < b.len; i++)
			assert_in_range(b.text[i], 0x20, 0x7e);
		recorded_clear(&r);
	}
	fields_clear(&f);
	free(b.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request), cmocka_unit_test(test_cut),  cmocka_unit_test(test_many_selectors),
		cmocka_unit_test(test_fence),	cmocka_unit_test(test_native),	cmocka_unit_test(test_line), cmocka_unit_test(test_long_line),
	};

	return unit_run("journal_fields", tests, NULL);
}
