// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_attribute.c - whose flow is it: every rung of the precedence, and what makes a flow a session's transport. */
#include "model/attribute.h"
#include "unit.h"

#include <string.h>

enum { ALICE = 1001, BOB = 1002, WWW = 33 };
enum { S_ALICE, S_BOB, S_ALICE2, N_SESSIONS };
/* By pid, as a sorted proctab has them. */
enum { MONITOR, NGINX, WORKER, CRON, LEADER, SHELL, CURL, SUDO, LEADER2, SHELL2, BOBS, BOBS_SHELL, N_PROCS };

static const struct session sessions_v[N_SESSIONS] = {
	[S_ALICE] = { .id = "3", .uid = ALICE, .leader = 104, .start = 500 },
	[S_BOB] = { .id = "audit:9", .uid = BOB, .leader = 110, .start = 900 },
	[S_ALICE2] = { .id = "5", .uid = ALICE, .leader = 108, .start = 800 },
};

#define NOBODY .login_uid = ID_UNSET, .session = -1
static const struct proc procs_v[N_PROCS] = {
	[MONITOR] = { .pid = 100, .start = 100, .uid = 0, NOBODY },
	[NGINX] = { .pid = 101, .start = 101, .uid = 0, NOBODY },
	[WORKER] = { .pid = 102, .start = 102, .uid = WWW, NOBODY },
	[CRON] = { .pid = 103, .start = 300, .uid = ALICE, .login_uid = ALICE, .session = -1 },
	[LEADER] = { .pid = 104, .start = 500, .uid = 0, .login_uid = ALICE, .session = S_ALICE },
	[SHELL] = { .pid = 105, .start = 510, .uid = ALICE, .login_uid = ALICE, .session = S_ALICE },
	[CURL] = { .pid = 106, .start = 520, .uid = ALICE, .login_uid = ALICE, .session = S_ALICE },
	[SUDO] = { .pid = 107, .start = 530, .uid = 0, .login_uid = ALICE, .session = S_ALICE },
	[LEADER2] = { .pid = 108, .start = 800, .uid = 0, .login_uid = ALICE, .session = S_ALICE2 },
	[SHELL2] = { .pid = 109, .start = 810, .uid = ALICE, .login_uid = ALICE, .session = S_ALICE2 },
	[BOBS] = { .pid = 110, .start = 900, .uid = 0, .login_uid = BOB, .session = S_BOB },
	[BOBS_SHELL] = { .pid = 111, .start = 910, .uid = BOB, .login_uid = BOB, .session = S_BOB },
};

struct expected {
	uint32_t user, login_uid, shared_with;
	int32_t session, proc;
	enum via via;
	bool transport;
};

/* Whose is a socket of that uid, opened that way, held by these? */
static struct flow whose_by(bool by_inode, enum direction dir, uint32_t uid, const int *by, size_t n)
{
	_cleanup_(holders_clear) struct holders holders = { 0 };
	const struct proctab procs = { .v = (struct proc *)procs_v, .n = N_PROCS };
	const struct sessions sessions = { .v = (struct session *)sessions_v, .n = N_SESSIONS };
	const struct people people = { &procs, &sessions, &holders, by_inode };
	struct flow f = { .cookie = 0x1234, .inode = 77, .uid = uid, .direction = dir,
			  .state = STATE_ESTABLISHED, .session = 99, .proc = 99, .shared_with = 99 };

	assert_int_equal(holders_add(&holders, 5, BOBS), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(holders_add(&holders, by_inode ? f.inode : f.cookie, by[i]), 0);
	flow_attribute(&f, &people);
	return f;
}

static void expect(struct flow f, struct expected want)
{
	assert_true(f.user_known);
	assert_int_equal(f.user, want.user);
	assert_int_equal(f.login_uid, want.login_uid);
	assert_int_equal(f.shared_with, want.shared_with);
	assert_int_equal(f.session, want.session);
	assert_int_equal(f.proc, want.proc);
	assert_int_equal(f.via, want.via);
	assert_int_equal(f.transport, want.transport);
}

/* The order in which holders were seen must not matter, nor by what key. */
#define WHOSE(dir, uid, want, ...)                                                                           \
	do {                                                                                                 \
		const int by_[] = { __VA_ARGS__ };                                                           \
		int back_[array_size(by_)];                                                                  \
		for (size_t i_ = 0; i_ < array_size(by_); i_++)                                              \
			back_[i_] = by_[array_size(by_) - 1 - i_];                                           \
		expect(whose_by(false, dir, uid, by_, array_size(by_)), want);                               \
		expect(whose_by(true, dir, uid, back_, array_size(by_)), want);                              \
	} while (0)
#define WANT(...) ((struct expected){ __VA_ARGS__ })
#define LOGGED_IN(who, s, p, v, t) WANT(who, who, ID_UNSET, s, p, v, t)

/* sshd: the socket's uid is 0, root's monitor holds it too, the leader of the session does as well. */
static void test_transport_by_leader(void **state)
{
	(void)state;
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_TRANSPORT, true), MONITOR, LEADER);
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_TRANSPORT, true), LEADER);
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_TRANSPORT, true), SHELL, LEADER, CURL);
	WHOSE(DIR_UNKNOWN, 0, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_TRANSPORT, true), LEADER);
}

/* What came from outside the session was accepted for it, whoever in it has it now. */
static void test_transport_by_outsider(void **state)
{
	(void)state;
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, SHELL, VIA_TRANSPORT, true), MONITOR, SHELL);
	WHOSE(DIR_UNKNOWN, 0, LOGGED_IN(ALICE, S_ALICE, SHELL, VIA_TRANSPORT, true), SHELL, MONITOR);
	WHOSE(DIR_IN, ALICE, LOGGED_IN(ALICE, S_ALICE, CURL, VIA_TRANSPORT, true), CRON, CURL);
}

/* A remote forwarding, or a server that she started: only the session's own processes hold what was accepted. */
static void test_accepted_inside(void **state)
{
	(void)state;
	WHOSE(DIR_IN, ALICE, LOGGED_IN(ALICE, S_ALICE, CURL, VIA_SESSION, false), CURL);
	WHOSE(DIR_IN, ALICE, LOGGED_IN(ALICE, S_ALICE, SHELL, VIA_SESSION, false), CURL, SHELL);
	WHOSE(DIR_UNKNOWN, ALICE, LOGGED_IN(ALICE, S_ALICE, CURL, VIA_SESSION, false), CURL);
}

/* What was opened from here carries nobody, be it held by the leader or passed in from outside. */
static void test_opened_here(void **state)
{
	(void)state;
	WHOSE(DIR_OUT, ALICE, LOGGED_IN(ALICE, S_ALICE, CURL, VIA_SESSION, false), CURL);
	WHOSE(DIR_OUT, ALICE, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_SESSION, false), LEADER, SHELL);
	WHOSE(DIR_OUT, 0, LOGGED_IN(ALICE, S_ALICE, CURL, VIA_SESSION, false), CURL, MONITOR);
	WHOSE(DIR_OUT, WWW, WANT(WWW, ID_UNSET, ID_UNSET, -1, WORKER, VIA_UID, false), WORKER);
}

static void test_sudo(void **state)
{
	(void)state;
	WHOSE(DIR_OUT, 0, LOGGED_IN(ALICE, S_ALICE, SUDO, VIA_SESSION, false), SUDO);
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, SUDO, VIA_SESSION, false), SUDO);
}

/* A job of hers that belongs to no session: the log-in uid decides, not that of the socket. */
static void test_login_uid(void **state)
{
	(void)state;
	WHOSE(DIR_OUT, 0, LOGGED_IN(ALICE, -1, CRON, VIA_LOGIN, false), CRON);
	WHOSE(DIR_IN, WWW, LOGGED_IN(ALICE, -1, CRON, VIA_LOGIN, true), NGINX, CRON);
}

static void test_service(void **state)
{
	(void)state;
	WHOSE(DIR_IN, WWW, WANT(WWW, ID_UNSET, ID_UNSET, -1, WORKER, VIA_UID, true), WORKER);
	WHOSE(DIR_UNKNOWN, 0, WANT(0, ID_UNSET, ID_UNSET, -1, NGINX, VIA_UID, true), WORKER, NGINX);
	WHOSE(DIR_IN, WWW, WANT(WWW, ID_UNSET, ID_UNSET, -1, MONITOR, VIA_UID, true), WORKER, NGINX, MONITOR);
}

static void test_shared(void **state)
{
	(void)state;
	WHOSE(DIR_IN, 0, WANT(ALICE, ALICE, BOB, S_ALICE, LEADER, VIA_TRANSPORT, true), LEADER, BOBS);
	WHOSE(DIR_IN, 0, WANT(ALICE, ALICE, BOB, S_ALICE, SHELL, VIA_TRANSPORT, true), SHELL, BOBS_SHELL);
	WHOSE(DIR_IN, 0, WANT(BOB, BOB, ALICE, S_BOB, BOBS, VIA_TRANSPORT, true), BOBS, SHELL);
	WHOSE(DIR_OUT, BOB, WANT(BOB, BOB, ALICE, S_BOB, BOBS_SHELL, VIA_SESSION, false), BOBS_SHELL, CRON);
}

/* Two sessions of the same user share nothing with anybody else. */
static void test_two_sessions(void **state)
{
	(void)state;
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, LEADER, VIA_TRANSPORT, true), LEADER, LEADER2);
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE2, LEADER2, VIA_TRANSPORT, true), LEADER2, SHELL);
	WHOSE(DIR_IN, 0, LOGGED_IN(ALICE, S_ALICE, SHELL, VIA_TRANSPORT, true), SHELL2, SHELL);
}

/* Nobody was seen holding it, but it has an inode: the socket's uid is what there is. */
static void test_unheld(void **state)
{
	(void)state;
	expect(whose_by(false, DIR_IN, WWW, NULL, 0), WANT(WWW, ID_UNSET, ID_UNSET, -1, -1, VIA_UID, true));
	expect(whose_by(true, DIR_OUT, 0, NULL, 0), WANT(0, ID_UNSET, ID_UNSET, -1, -1, VIA_UID, false));
}

/* An orphan is dumped with uid 0 and inode 0. It is not root's, it is nobody's. */
static void test_orphan(void **state)
{
	const struct proctab procs = { .v = (struct proc *)procs_v, .n = N_PROCS };
	const struct sessions sessions = { .v = (struct session *)sessions_v, .n = N_SESSIONS };
	_cleanup_(holders_clear) struct holders holders = { 0 };
	struct flow f = { .cookie = 9, .direction = DIR_IN, .proc = 4, .session = 4, .user_known = true };

	(void)state;
	for (int by_inode = 0; by_inode < 2; by_inode++) {
		const struct people people = { &procs, &sessions, &holders, by_inode };

		assert_int_equal(holders_add(&holders, 1, LEADER), 0);
		flow_attribute(&f, &people);
		assert_false(f.user_known);
		assert_int_equal(f.via, VIA_UNKNOWN);
		assert_int_equal(f.login_uid, ID_UNSET);
		assert_int_equal(f.session, -1);
		assert_int_equal(f.proc, -1);
		assert_true(f.transport);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transport_by_leader), cmocka_unit_test(test_transport_by_outsider),
		cmocka_unit_test(test_accepted_inside),	    cmocka_unit_test(test_opened_here),
		cmocka_unit_test(test_sudo),		    cmocka_unit_test(test_login_uid),
		cmocka_unit_test(test_service),		    cmocka_unit_test(test_shared),
		cmocka_unit_test(test_two_sessions),	    cmocka_unit_test(test_unheld),
		cmocka_unit_test(test_orphan),
	};

	return unit_run("attribute", tests, NULL);
}
