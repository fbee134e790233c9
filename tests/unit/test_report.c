// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_report.c - the format for people, byte for byte, and that no answer counts as written that was not. */
#include "paper.h"
#include "report/when.h"
#include "unit.h"

static void test_text_rows(void **state)
{
	static const char *const want[] = {
		[LIST_SESSIONS] = "SESSION    USER      LEADER   TTY     FROM             SINCE             IDLE  TRANSPORTS  FLOWS\n"
				  "audit:7    alice     812      -       127.0.0.2        2025-11-13 02:13  1h    1           2\n",
		[LIST_USERS] = "USER      UID    SESSIONS  TRANSPORTS  FLOWS\n"
			       "alice     1001   3         1           2\n",
		[LIST_CLIENTS] = "CLIENT           USERS  TRANSPORTS  FLOWS\n"
				 "127.0.0.2        4      1           2\n"
	};
	struct paper p;

	(void)state;
	for (size_t what = 0; what < array_size(want); what++) {
		if (!want[what])
			continue;
		list_one(&p, &report_text, what);
		assert_string_equal(p.out, want[what]);
		assert_string_equal(p.err, "");
		paper_close(&p);
	}
}

static void test_text_table(void **state)
{
	static const uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct flow f = make_flow(), second = make_flow(), unknown = make_unknown();
	struct paper p;

	(void)state;
	second.remote = second.local = addr_from_bytes(AF_INET6, six);
	second.proto = PROTO_MPTCP;
	second.state = STATE_FIN_WAIT1;
	second.direction = DIR_OUT;
	second.engine = "pidfd";
	second.shared_with = 1002;
	second.shared_name = "bob";
	second.netns_name = "blue";
	second.note = "why";
	paper_open(&p, &report_text, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_session(&p.r, &alices, "alice");
	report_flow(&p.r, &f, &procs, &sessions);
	report_flow(&p.r, &second, &procs, &sessions);
	report_flow(&p.r, &unknown, NULL, NULL);
	report_reconnected(&p.r, &f, &procs, &sessions);
	fflush(p.r.out);
	assert_string_equal(
		p.out,
		"session audit:7 of alice: survives=multiplexer (pid 900 goes on)\n"
		"USER      PEER                       LOCAL                  PROTO  SESSION   PROCESS         "
		"VIA        OUTCOME\n"
		"alice     127.0.0.2:51234        ->  127.0.0.1:22           tcp    audit:7   812 sshd        "
		"transport  dead\n"
		"alice+bob  [2001:db8::1]:51234    <-  [2001:db8::1]:22@blue  mptcp/fin-wait-1  audit:7   812 sshd"
		"        transport  dead (pidfd): why\n"
		"-          1@2                        -                      -                 -         -       "
		"        -          unsupported: Operation not supported\n"
		"alice      127.0.0.2:51234        ->  127.0.0.1:22           tcp               audit:7   812 sshd"
		"        transport  reconnected\n");
	paper_close(&p);
}

/* One endless name pushes its own line to the right and the later ones no further than a screen can bear. */
static void test_text_wide(void **state)
{
	char name[101];
	struct flow f = make_flow(), wide = make_flow();
	struct paper p;

	(void)state;
	memset(name, 'w', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	wide.user_name = name;
	paper_open(&p, &report_text, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_flow(&p.r, &wide, &procs, &sessions);
	report_flow(&p.r, &f, &procs, &sessions);
	fflush(p.r.out);
	assert_non_null(strstr(p.out, "www  127.0.0.2:51234        ->"));
	assert_non_null(strstr(p.out, "\nalice                                             127.0.0.2:51234        ->"));
	paper_close(&p);
}

/* A list has no outcomes. */
static void test_text_list(void **state)
{
	struct flow f = make_flow();
	struct paper p;

	(void)state;
	f.outcome = OUT_NONE;
	paper_open(&p, &report_text, VERB_LIST);
	p.req.what = LIST_FLOWS;
	report_begin(&p.r, &p.req);
	report_flow(&p.r, &f, &procs, &sessions);
	paper_end(&p, &(struct summary){ .matched = 1 });
	assert_string_equal(p.out, "USER      PEER                       LOCAL                  PROTO  SESSION   "
				   "PROCESS         VIA\n"
				   "alice     127.0.0.2:51234        ->  127.0.0.1:22           tcp    audit:7   "
				   "812 sshd        transport\n");
	paper_close(&p);
}

/* The closing sentence of a kill, on stdout. */
static void closes(struct summary s, bool dry_run, const char *want)
{
	struct paper p;

	paper_open(&p, &report_text, VERB_KILL);
	p.req.dry_run = dry_run;
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	assert_string_equal(p.out, want);
	assert_string_equal(p.err, "");
	paper_close(&p);
}

static void test_closing(void **state)
{
	struct summary s = { .matched = 4, .dead = 4, .staged = true, .stage = STAGE_VERIFIED, .elapsed_ms = 3.16 };

	(void)state;
	closes(s, false, "4 of 4 connections are gone, verified in 3.2 ms\n");
	s.subject = "alice";
	closes(s, false, "4 of 4 connections of alice are gone, verified in 3.2 ms\n");
	s.subject = "a\033[2Jb";
	s.stage = STAGE_DEAD;
	s.elapsed_ms = 1500;
	closes(s, false, "4 of 4 connections of a\\x1b[2Jb are gone, in 1.50 s\n");
	s = (struct summary){ .matched = 3, .dead = 2, .stale = 1, .staged = true, .stage = STAGE_VERIFIED };
	closes(s, false, "3 of 3 connections are gone, 1 of them before they could be cut, verified in 0.0 ms\n");
	s = (struct summary){ .subject = "alice", .matched = 4, .dead = 2, .stale = 1, .denied = 1 };
	closes(s, false, "3 of 4 connections of alice are gone; 1 is still there: 1 denied\n");
	s = (struct summary){ .matched = 5, .dead = 1, .alive = 1, .unsupported = 2, .spared = 1 };
	closes(s, false, "1 of 5 connections is gone; 4 are still there: 1 alive, 2 unsupported, 1 spared\n");
	s = (struct summary){ .subject = "alice", .matched = 2, .spared = 2 };
	closes(s, false, "nothing was cut; 2 connections of alice are still there: 2 spared\n");
	s = (struct summary){ .matched = 1, .stale = 1 };
	closes(s, false, "nothing was cut; 1 connection had ended before\n");
	s = (struct summary){ .subject = "alice", .matched = 4, .planned = 4 };
	closes(s, true, "4 connections of alice would be cut; nothing was touched\n");
	s = (struct summary){ .matched = 4, .planned = 3, .spared = 1 };
	closes(s, true, "3 connections would be cut, 1 would not (1 spared); nothing was touched\n");
	s = (struct summary){ .matched = 4, .planned = 1, .stale = 1, .unsupported = 2 };
	closes(s, true, "1 connection would be cut, 3 would not (1 stale, 2 unsupported); nothing was touched\n");
	closes((struct summary){ 0 }, false, "");
	closes((struct summary){ .already = true }, false,
	       "nothing was cut; each of these sessions was disconnected already\n");
	s = (struct summary){ .subject = "session audit:7", .already = true };
	closes(s, false, "nothing was cut; session audit:7 was disconnected already\n");
}

/* What is refused is refused with its fence. */
static void plans(struct summary s, const char *want)
{
	struct paper p;

	paper_open(&p, &report_text, VERB_KILL);
	p.req.dry_run = true;
	p.req.fence_ms = 90000;
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	assert_string_equal(p.out, want);
	paper_close(&p);
}

static void test_plan(void **state)
{
	(void)state;
	plans((struct summary){ .matched = 4, .planned = 3, .spared = 1 },
	      "3 connections would be cut, 1 would not (1 spared); a fence of 1m30s would go up first; nothing was touched\n");
	plans((struct summary){ .matched = 1, .unsupported = 1 },
	      "0 connections would be cut, 1 would not (1 unsupported); a fence of 1m30s would go up first; nothing was touched\n");
	plans((struct summary){ .matched = 3, .spared = 3 },
	      "0 connections would be cut, 3 would not (3 spared); nothing was touched\n");
	plans((struct summary){ .matched = 3, .denied = 3 },
	      "0 connections would be cut, 3 would not (3 denied); nothing was touched\n");
	plans((struct summary){ .matched = 1, .alive = 1 },
	      "0 connections would be cut, 1 would not (1 alive); nothing was touched\n");
	plans((struct summary){ .matched = 4, .planned = 4 },
	      "4 connections would be cut; a fence of 1m30s would go up first; nothing was touched\n");
}

static void test_fence(void **state)
{
	struct summary s = { .fence = "f\033", .fence_until = 1763694727000001 };

	(void)state;
	closes(s, false, "fence f\\x1b stands until 2025-11-21 03:12:07\n");
	s = (struct summary){ .fence = "f12", .matched = 1, .stale = 1 };
	closes(s, false, "nothing was cut; 1 connection had ended before\nfence f12 stands\n");
}

/* The two largest units, and no more. */
static void test_span(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0ms" },	      { 999, "999ms" },	  { 1000, "1s" },     { 1999, "1s" },	     { 59999, "59s" },
		{ 60000, "1m" },      { 90000, "1m30s" }, { 600000, "10m" },  { 3599999, "59m59s" }, { 3600000, "1h" },
		{ 5400000, "1h30m" }, { 3601000, "1h" },  { 86400000, "1d" }, { 90061000, "1d1h" },
	};
	char span[SPAN_LEN], when[WHEN_LEN];

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(span_text(cases[i].ms, span), cases[i].text);
	assert_true(strlen(span_text(UINT64_MAX, span)) < SPAN_LEN);
	assert_string_equal(when_text(0, when), "-");
	assert_true(strlen(when_text(UINT64_MAX, when)) < WHEN_LEN);
}

static void test_notes(void **state)
{
	static const char *const notes[] = { "a\033b" };
	const struct summary s = { .matched = 1,
				   .dead = 1,
				   .reconnected = 2,
				   .unattributed = 1,
				   .age_unknown = 3,
				   .discarded = 9,
				   .owners = "proc",
				   .interrupted = true,
				   .notes = notes,
				   .n_notes = 1 };
	struct paper p;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	assert_string_equal(
		p.err, "note: 2 connections came back meanwhile and were left alone\n"
		       "note: 1 accepted connection could not be judged by user: only a service is known to hold it\n"
		       "note: 3 connections may be old enough, but it cannot be proved; not selected\n"
		       "note: 9 bytes not delivered yet were discarded\n"
		       "note: the owners were read from /proc, which is slow; `sever doctor` says why\n"
		       "note: a signal ended the work early\n"
		       "note: a\\x1bb\n");
	paper_close(&p);
}

static void test_quiet(void **state)
{
	const struct summary good = { .matched = 1, .dead = 1, .reconnected = 1, .owners = "proc" };
	const struct summary bad = { .matched = 2, .dead = 1, .denied = 1 };
	struct flow f = make_flow();
	struct paper p;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	p.r.quiet = p.r.tty = true;
	report_begin(&p.r, &p.req);
	report_session(&p.r, &alices, "alice");
	report_progress(&p.r, "looking", 0, 0);
	report_flow(&p.r, &f, &procs, &sessions);
	report_reconnected(&p.r, &f, &procs, &sessions);
	paper_end(&p, &good);
	assert_string_equal(p.out, "");
	assert_string_equal(p.err, "");
	paper_end(&p, &bad);
	assert_string_equal(p.out, "");
	assert_string_equal(p.err, "1 of 2 connections is gone; 1 is still there: 1 denied\n");
	paper_close(&p);
}

static void test_progress(void **state)
{
	struct flow f = make_flow();
	struct paper p;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_progress(&p.r, "cutting", 1, 9); /* no terminal */
	fflush(p.r.err);
	assert_string_equal(p.err, "");
	p.r.tty = true;
	report_progress(&p.r, "cutting", 1, 9);
	report_flow(&p.r, &f, &procs, &sessions);
	assert_string_equal(p.err, "\rcutting 1 of 9\033[K\r\033[K");
	paper_close(&p);
}

/* However often it is called, the terminal is drawn on ten times a second. */
static void test_progress_rate(void **state)
{
	struct paper p;
	uint64_t first;
	size_t drawn = 0;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	p.r.tty = true;
	report_progress(&p.r, "cutting", 0, 0);
	first = p.r.drawn_ms;
	for (uint64_t i = 0; p.r.drawn_ms < first + 300; i++)
		report_progress(&p.r, "cutting", i, UINT64_MAX);
	for (const char *at = p.err; (at = strchr(at, '\r')) != NULL; at++)
		drawn++;
	assert_in_range(drawn, 2, 1 + (p.r.drawn_ms - first) / 100);
	paper_close(&p);
}

static void test_write_error(void **state)
{
	const struct report_ops *const formats[] = { &report_text, &report_json };
	const struct request req = { .verb = VERB_KILL };
	const struct summary s = { .request = &req, .matched = 1, .dead = 1 };

	(void)state;
	for (size_t i = 0; i < array_size(formats); i++) {
		_fclose_ FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");
		struct report r = { .ops = formats[i], .out = full, .err = null };
		struct flow f = make_flow();

		assert_true(full && null);
		report_begin(&r, &req);
		report_flow(&r, &f, &procs, &sessions);
		assert_int_equal(report_end(&r, &s), -EIO);
		r = (struct report){ .ops = formats[i], .out = null, .err = null };
		assert_int_equal(report_end(&r, &s), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_rows),     cmocka_unit_test(test_text_table),
		cmocka_unit_test(test_text_wide),     cmocka_unit_test(test_text_list),
		cmocka_unit_test(test_closing),	      cmocka_unit_test(test_notes),
		cmocka_unit_test(test_quiet),	      cmocka_unit_test(test_progress),
		cmocka_unit_test(test_progress_rate), cmocka_unit_test(test_write_error),
		cmocka_unit_test(test_fence),	      cmocka_unit_test(test_span),
		cmocka_unit_test(test_plan),
	};

	setenv("TZ", "UTC", 1);
	return unit_run("report", tests, NULL);
}
