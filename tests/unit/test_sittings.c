// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_sittings.c - from look to look: each session begins once, loses its last transport once, ends once. */
#include "daemon/sittings.h"
#include "model/moment.h"

#include "unit.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { ALICE = 3001, BOB = 3002, LEADER = 100, CHILD = 101, OTHER = 200 };

static struct sittings s;
static struct index x;
static struct log l;
static struct proctab procs;
static struct sessions sessions;
static struct holders holders;
static const struct owners owners; /* the processes' times are in nanoseconds */
static uint64_t seen; /* number of the next event to be looked at */

static const struct people people = { .procs = &procs, .sessions = &sessions, .holders = &holders };

static int setup(void **state)
{
	(void)state;
	assert_int_equal(log_open(&l), 0);
	seen = l.next;
	return 0;
}

static void nobody(void)
{
	holders_clear(&holders);
	sessions_clear(&sessions);
	proctab_clear(&procs);
}

static int teardown(void **state)
{
	(void)state;
	nobody();
	sittings_clear(&s);
	index_clear(&x);
	log_close(&l);
	return 0;
}

/* A session and its leader. */
static void sits(const char *id, uint32_t uid, uint32_t leader, uint64_t start)
{
	struct proc p = { .pid = leader, .start = start, .login_uid = uid, .session = sessions.n };

	assert_int_equal(grow(&sessions.v, &sessions.cap, sessions.n + 1, sizeof(*sessions.v)), 0);
	sessions.v[sessions.n] = (struct session){ .uid = uid, .leader = leader, .start = start, .audit = leader };
	snprintf(sessions.v[sessions.n++].id, SESSION_ID_LEN, "%s", id);
	assert_int_equal(proctab_add(&procs, &p), 0);
	proctab_sort(&procs);
}

static void holds(uint32_t pid, uint64_t cookie)
{
	assert_int_equal(holders_add(&holders, cookie, proctab_find(&procs, pid)), 0);
}

static void accepted(uint64_t cookie, uint8_t last)
{
	const struct sever_flow f = {
		.family = AF_INET, .addr_family = AF_INET, .protocol = IPPROTO_TCP, .state = STATE_ESTABLISHED,
		.direction = SEVER_DIR_IN, .remote = { 127, 0, 0, last }, .login_uid = SEVER_ID_UNSET,
		.audit_session = SEVER_ID_UNSET, .local_port = 22,
	};

	assert_non_null(index_put(&x, cookie, &f));
}

static void look(void)
{
	assert_int_equal(sittings_update(&s, &x, &l, &owners, &people), 0);
}

static void end(uint64_t cookie, enum reason reason)
{
	struct entry *e = index_find(&x, cookie);
	const struct logged was = { .flow = *e, .reason = reason, .job = 7, .boot_ns = 1, .time_us = 1 };

	index_remove(&x, e);
	sittings_flow_ended(&s, &l, &was);
}

/* The next event is that one, of that session. */
static const struct logged *told(enum event what, const char *id)
{
	const struct logged *e = log_at(&l, seen++);

	assert_non_null(e);
	assert_string_equal(event_name[e->event], event_name[what]);
	assert_string_equal(json_string_value(json_object_get(e->about, "session")), id);
	return e;
}

static void silence(void)
{
	assert_null(log_at(&l, seen));
}

static json_int_t number(const struct logged *e, const char *key)
{
	return json_integer_value(json_object_get(e->about, key));
}

/* "-": null. */
static const char *text(const struct logged *e, const char *key)
{
	const json_t *v = json_object_get(e->about, key);

	assert_non_null(v);
	return json_is_null(v) ? "-" : json_string_value(v);
}

static bool is_time(const struct logged *e, const char *key)
{
	uint64_t us;

	return moment_parse(text(e, key), &us) == 0;
}

/* What is said of a session is what a list says of it; but its user's name, which is looked up when it is shown. */
static void test_words(void **state)
{
	const struct logged *e;

	(void)state;
	accepted(1, 5);
	accepted(2, 6);
	sits("3", ALICE, LEADER, 50);
	holds(LEADER, 2);
	holds(LEADER, 1);
	look();
	e = told(EVENT_SESSION_OPEN, "3");
	assert_true(is_time(e, "since") && is_time(e, "connected"));
	assert_string_equal(text(e, "state"), "active");
	assert_string_equal(text(e, "proto"), "tcp");
	assert_string_equal(text(e, "client"), "127.0.0.5"); /* of the oldest transport */
	assert_string_equal(text(e, "user"), "-");
	assert_string_equal(text(e, "tty"), "-");
	assert_string_equal(text(e, "remote_host"), "-");
	assert_string_equal(text(e, "disconnected"), "-");
	assert_string_equal(text(e, "sent"), "-");
	assert_string_equal(text(e, "flow"), "-");
	end(1, REASON_CLIENT);
	end(2, REASON_CLIENT);
	e = told(EVENT_SESSION_DISCONNECTED, "3");
	assert_true(is_time(e, "since") && is_time(e, "disconnected"));
	assert_string_equal(text(e, "state"), "disconnected");
	assert_string_equal(text(e, "client"), "127.0.0.6"); /* where the last one came from */
	assert_string_equal(text(e, "proto"), "tcp");
	assert_string_equal(text(e, "connected"), "-");
	assert_true(e->flow.cookie == 0 && e->flow.local_port == 22 && e->flow.audit_session == LEADER);
	nobody();
	look();
	e = told(EVENT_SESSION_CLOSE, "3");
	assert_string_equal(text(e, "state"), "-");
	assert_string_equal(text(e, "client"), "127.0.0.6");
	assert_true(e->flow.cookie == 0 && e->flow.audit_session == LEADER);
}

static void test_life(void **state)
{
	const struct logged *e;

	(void)state;
	accepted(1, 5);
	sits("3", ALICE, LEADER, 50);
	holds(LEADER, 1);
	look();
	e = told(EVENT_SESSION_OPEN, "3");
	assert_int_equal(e->uid, ALICE);
	assert_true(number(e, "transports") == 1 && number(e, "flows") == 1);
	assert_string_equal(json_string_value(json_object_get(e->about, "client")), "127.0.0.5");
	look();
	silence();
	end(1, REASON_ADMIN);
	e = told(EVENT_SESSION_DISCONNECTED, "3");
	assert_true(e->reason == REASON_ADMIN && e->job == 7 && e->uid == ALICE && number(e, "transports") == 0);
	look();
	silence();
	nobody();
	look();
	e = told(EVENT_SESSION_CLOSE, "3");
	assert_string_equal(json_string_value(json_object_get(e->about, "client")), "127.0.0.5");
	look();
	silence();
	assert_int_equal(s.n, 0);
}

/* Two transports: the last one counts. What is no transport never does. */
static void test_last_transport(void **state)
{
	(void)state;
	accepted(1, 5);
	accepted(2, 6);
	sits("3", ALICE, LEADER, 50);
	holds(LEADER, 1);
	holds(LEADER, 2);
	look();
	assert_true(number(told(EVENT_SESSION_OPEN, "3"), "transports") == 2);
	accepted(9, 9);
	index_own(&x, index_find(&x, 9), ALICE, sittings_named(&s, "3")->number);
	end(9, REASON_CLIENT);
	end(1, REASON_CLIENT);
	silence();
	end(2, REASON_CLIENT);
	told(EVENT_SESSION_DISCONNECTED, "3");
	silence();
}

/* A number is given once: who is gone is not taken for who came after him. */
static void test_name_again(void **state)
{
	uint32_t first;

	(void)state;
	sits("audit:7", ALICE, LEADER, 50);
	look();
	told(EVENT_SESSION_OPEN, "audit:7");
	first = sittings_named(&s, "audit:7")->number;
	nobody();
	sits("audit:7", BOB, OTHER, 90);
	look();
	assert_int_equal(told(EVENT_SESSION_OPEN, "audit:7")->uid, BOB);
	assert_int_equal(told(EVENT_SESSION_CLOSE, "audit:7")->uid, ALICE);
	silence();
	assert_null(sittings_find(&s, first));
	assert_int_equal(sittings_audited(&s, OTHER)->session.uid, BOB);
	assert_null(sittings_find(&s, 0));
	assert_null(sittings_audited(&s, ID_UNSET));
}

/* The leader has ended: the oldest of those left leads now, and it is the same session. */
static void test_leader_gone(void **state)
{
	(void)state;
	sits("3", ALICE, LEADER, 50);
	look();
	told(EVENT_SESSION_OPEN, "3");
	nobody();
	sits("3", ALICE, CHILD, 60);
	look();
	silence();
	assert_int_equal(sittings_named(&s, "3")->session.leader, CHILD);
}

/* A flow that ends between two looks was never anybody's, and one that outlives its session is nobody's business. */
static void test_between(void **state)
{
	const struct logged stale = { .flow = { .cookie = 8, .session = 77, .transport = true }, .reason = REASON_CLIENT };

	(void)state;
	accepted(1, 5);
	sits("3", ALICE, LEADER, 50);
	end(1, REASON_CLIENT);
	look();
	assert_true(number(told(EVENT_SESSION_OPEN, "3"), "transports") == 0);
	sittings_flow_ended(&s, &l, &stale);
	silence();
}

/* Found by number among many, of which every third has ended. */
static void test_many(void **state)
{
	char id[16];

	(void)state;
	for (uint32_t i = 1; i <= 300; i++) {
		snprintf(id, sizeof(id), "%u", i);
		sits(id, ALICE, 1000 + i, i);
	}
	look();
	nobody();
	for (uint32_t i = 1; i <= 300; i++) {
		snprintf(id, sizeof(id), "%u", i);
		if (i % 3)
			sits(id, ALICE, 1000 + i, i);
	}
	look();
	assert_int_equal(s.n, 200);
	for (uint32_t i = 1; i <= 300; i++) {
		const struct sitting *one = sittings_find(&s, i);

		assert_int_equal(!!one, i % 3 != 0);
		if (one)
			assert_int_equal(one->session.leader, 1000 + i);
	}
	assert_null(sittings_find(&s, 301));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_transport, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leader_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_between, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return unit_run("sittings", tests, NULL);
}
