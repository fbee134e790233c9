// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_logind.c - processes to sessions where systemd runs. sd-login is answered here, from a table
 * of cgroups, and every question is counted: one for each cgroup, however many processes it has. */
// LINK: -Wl,--wrap=sd_booted,--wrap=sd_pid_get_session,--wrap=sd_pid_get_user_unit
// LINK: -Wl,--wrap=sd_session_get_uid,--wrap=sd_session_get_tty,--wrap=sd_session_get_seat
// LINK: -Wl,--wrap=sd_session_get_remote_host,--wrap=sd_session_is_remote
#include "names/sessions.h"
#include "unit.h"

#include <string.h>
#include <sys/types.h>

#define TOO_LONG "0123456789012345678901234567890123456789012345678901234567890123"
_Static_assert(sizeof(TOO_LONG) == SESSION_ID_LEN + 1, "one byte too long");

struct host {
	uint32_t pid;
	const char *session; /* NULL: in none */
	int err;	     /* of the question, 0: none */
	const char *user_unit;
};

static const struct host *host;
static size_t host_n;
static int asked, out_of_memory_at;

int __wrap_sd_booted(void);
int __wrap_sd_pid_get_session(pid_t pid, char **session);
int __wrap_sd_pid_get_user_unit(pid_t pid, char **unit);
int __wrap_sd_session_get_uid(const char *session, uid_t *uid);
int __wrap_sd_session_get_tty(const char *session, char **tty);
int __wrap_sd_session_get_remote_host(const char *session, char **remote);
int __wrap_sd_session_is_remote(const char *session);
int __wrap_sd_session_get_seat(const char *session, char **seat);

int __wrap_sd_booted(void)
{
	return 1;
}

int __wrap_sd_pid_get_session(pid_t pid, char **session)
{
	if (++asked == out_of_memory_at)
		return -ENOMEM;
	for (size_t i = 0; i < host_n; i++) {
		if (host[i].pid != (uint32_t)pid)
			continue;
		if (host[i].err)
			return host[i].err;
		if (!host[i].session)
			return -ENODATA;
		*session = strdup(host[i].session);
		return 0;
	}
	return -ESRCH;
}

int __wrap_sd_pid_get_user_unit(pid_t pid, char **unit)
{
	for (size_t i = 0; i < host_n; i++) {
		if (host[i].pid != (uint32_t)pid || !host[i].user_unit)
			continue;
		*unit = strdup(host[i].user_unit);
		return 0;
	}
	return -ENODATA;
}

/* Session "3" is remote, "c1" the console, "far" has a seat though remote, "gone" just ended. */
int __wrap_sd_session_get_uid(const char *session, uid_t *uid)
{
	if (!strcmp(session, "gone"))
		return -ENXIO;
	*uid = 1001;
	return 0;
}

int __wrap_sd_session_get_tty(const char *session, char **tty)
{
	if (!strcmp(session, "gone"))
		return -ENXIO;
	*tty = strdup(!strcmp(session, "far") ? "a-terminal-with-a-name-that-is-too-long" : "pts/7");
	return 0;
}

int __wrap_sd_session_get_remote_host(const char *session, char **remote)
{
	if (strcmp(session, "3"))
		return -ENODATA;
	*remote = strdup("192.0.2.7");
	return 0;
}

int __wrap_sd_session_is_remote(const char *session)
{
	return !strcmp(session, "gone") ? -ENXIO : strcmp(session, "c1") != 0;
}

int __wrap_sd_session_get_seat(const char *session, char **seat)
{
	if (strcmp(session, "far"))
		return -ENODATA;
	*seat = strdup("seat0");
	return 0;
}

static void add(struct proctab *t, uint32_t pid, uint64_t cgroup, uint64_t start, uint32_t audit)
{
	const struct proc p = {
		.pid = pid,
		.cgroup = cgroup,
		.start = start,
		.audit_session = audit,
		.login_uid = audit == ID_UNSET ? ID_UNSET : 2000 + audit,
		.session = 77,
	};

	assert_int_equal(proctab_add(t, &p), 0);
}

static int read_from(const struct host *v, size_t n, struct proctab *t, struct sessions *s)
{
	host = v;
	host_n = n;
	asked = 0;
	return sessions_read(t, s);
}

static const char *id_of(const struct proctab *t, const struct sessions *s, uint32_t pid)
{
	int32_t session = t->v[proctab_find(t, pid)].session;

	assert_true(session < (int32_t)s->n);
	return session < 0 ? "" : s->v[session].id;
}

static const struct session *named(const struct sessions *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].id, id))
			return s->v + i;
	fail_msg("there is no session %s", id);
	return NULL;
}

static void test_one_question_for_a_cgroup(void **state)
{
	static const struct host v[] = { { 50, "3" },  { 10, "3" }, { 20, NULL }, { 30, NULL },
					 { 31, NULL }, { 40, "3" }, { 41, "c1" } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	add(&t, 10, 100, 5, 7);
	add(&t, 11, 100, 6, 7);
	add(&t, 12, 100, 6, 7);
	add(&t, 20, 200, 1, ID_UNSET);
	add(&t, 21, 200, 2, ID_UNSET);
	add(&t, 30, 1, 1, ID_UNSET); /* all of a host with cgroup v1 is in the root of v2 */
	add(&t, 31, 1, 2, ID_UNSET);
	add(&t, 40, 0, 9, 7);
	add(&t, 41, 0, 9, ID_UNSET);
	add(&t, 50, 300, 4, 8); /* a cgroup below that of the session */
	add(&t, 51, 300, 4, 9);
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_true(s.logind);
	assert_int_equal(asked, 7);
	assert_int_equal(s.n, 2);
	for (uint32_t pid = 10; pid <= 12; pid++)
		assert_string_equal(id_of(&t, &s, pid), "3");
	assert_string_equal(id_of(&t, &s, 50), "3");
	assert_string_equal(id_of(&t, &s, 40), "3");
	assert_string_equal(id_of(&t, &s, 41), "c1");
	for (uint32_t pid = 20; pid <= 31; pid += pid == 21 ? 9 : 1)
		assert_string_equal(id_of(&t, &s, pid), "");
	assert_int_equal(named(&s, "3")->leader, 50);
	assert_int_equal(named(&s, "3")->start, 4);
	assert_int_equal(named(&s, "3")->audit, 8);
}

static void test_details(void **state)
{
	static const struct host v[] = { { 1, "3" }, { 2, "c1" }, { 3, "far" }, { 4, "gone" }, { 5, TOO_LONG } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	for (uint32_t pid = 1; pid <= 5; pid++)
		add(&t, pid, 100 + pid, pid, pid == 5 ? ID_UNSET : 10 + pid);
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_int_equal(s.n, 4);
	assert_string_equal(named(&s, "3")->tty, "pts/7");
	assert_string_equal(named(&s, "3")->remote_host, "192.0.2.7");
	assert_int_equal(named(&s, "3")->uid, 1001);
	assert_false(named(&s, "3")->console);
	assert_true(named(&s, "c1")->console);
	assert_string_equal(named(&s, "c1")->remote_host, "");
	assert_true(named(&s, "far")->console);
	assert_string_equal(named(&s, "far")->tty, "");
	assert_false(named(&s, "gone")->console);
	assert_int_equal(named(&s, "gone")->uid, 2014); /* what its leader logged in as */
	assert_string_equal(id_of(&t, &s, 5), "");
}

/* The first of a cgroup may die between the list and the question. */
static void test_process_gone(void **state)
{
	static const struct host v[] = { { 10, NULL, -ESRCH }, { 11, "3" } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	add(&t, 10, 100, 1, ID_UNSET);
	add(&t, 11, 100, 2, ID_UNSET);
	add(&t, 12, 100, 3, ID_UNSET);
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_int_equal(asked, 2);
	assert_string_equal(id_of(&t, &s, 10), "");
	assert_string_equal(id_of(&t, &s, 11), "3");
	assert_string_equal(id_of(&t, &s, 12), "3");
}

/* Who left the cgroup but kept the audit session is still of the session; who has another is of
 * another. */
static void test_audit_joins(void **state)
{
	static const struct host v[] = { { 10, "3" }, { 20, NULL }, { 30, NULL } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	add(&t, 10, 100, 1, 7);
	add(&t, 20, 200, 2, 7);
	add(&t, 21, 200, 3, 8);
	add(&t, 30, 300, 4, 8);
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(id_of(&t, &s, 20), "3");
	assert_string_equal(id_of(&t, &s, 21), "audit:8");
	assert_string_equal(id_of(&t, &s, 30), "audit:8");
	assert_int_equal(named(&s, "audit:8")->leader, 21);
	assert_int_equal(named(&s, "3")->leader, 10);
}

/* The systemd of a user is in nobody's session, and what it starts neither; a scope that a session asked it for is. */
static void test_user_manager(void **state)
{
	static const struct host v[] = { { 10, "3" },
					 { 20, NULL, 0, "init.scope" },
					 { 21, NULL, 0, "tmux.service" },
					 { 30, NULL, 0, "run-1.scope" },
					 { 40, NULL, 0, "run-2.scope" } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	add(&t, 10, 100, 1, 7);
	add(&t, 20, 200, 2, 8);
	add(&t, 21, 201, 3, 8);
	add(&t, 30, 300, 4, 7);
	add(&t, 40, 400, 5, 6); /* session 6 is over */
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(id_of(&t, &s, 20), "");
	assert_string_equal(id_of(&t, &s, 21), "");
	assert_string_equal(id_of(&t, &s, 30), "3");
	assert_string_equal(id_of(&t, &s, 40), "audit:6");
}

/* Two sessions of one audit session: it does not say which. */
static void test_audit_ambiguous(void **state)
{
	static const struct host v[] = { { 10, "3" }, { 11, "4" }, { 20, NULL } };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	add(&t, 10, 100, 1, 7);
	add(&t, 11, 101, 2, 7);
	add(&t, 20, 200, 3, 7);
	assert_int_equal(read_from(v, array_size(v), &t, &s), 0);
	assert_string_equal(id_of(&t, &s, 10), "3");
	assert_string_equal(id_of(&t, &s, 11), "4");
	assert_string_equal(id_of(&t, &s, 20), "audit:7");
}

static void test_out_of_memory(void **state)
{
	static const struct host v[] = { { 10, "3" }, { 11, "4" } };
	_cleanup_(proctab_clear) struct proctab t = {};
	struct sessions s = { .n = 5 };

	(void)state;
	add(&t, 10, 100, 1, 7);
	add(&t, 11, 101, 2, 7);
	out_of_memory_at = 2;
	assert_int_equal(read_from(v, array_size(v), &t, &s), -ENOMEM);
	out_of_memory_at = 0;
	assert_int_equal(s.n, 5);
	assert_null(s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_question_for_a_cgroup),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_process_gone),
		cmocka_unit_test(test_audit_joins),
		cmocka_unit_test(test_user_manager),
		cmocka_unit_test(test_audit_ambiguous),
		cmocka_unit_test(test_out_of_memory),
	};

	return unit_run("logind", tests, NULL);
}
