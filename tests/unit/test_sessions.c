// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_sessions.c - processes to audit sessions, with processes that really log in: writing
 * loginuid gives a process a fresh audit session, which its children inherit. systemd is said not
 * to run, whatever the host does. */
// LINK: -Wl,--wrap=sd_booted
#include "names/sessions.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

int __wrap_sd_booted(void);

int __wrap_sd_booted(void)
{
	return 0;
}

static uint32_t read_id(uint32_t pid, const char *name)
{
	_fclose_ FILE *f = NULL;
	char path[64];
	uint32_t id;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	f = fopen(path, "r");
	return f && fscanf(f, "%u", &id) == 1 ? id : ID_UNSET;
}

static void add(struct proctab *t, uint32_t pid, uint64_t start)
{
	const struct proc p = {
		.pid = pid,
		.start = start,
		.login_uid = read_id(pid, "loginuid"),
		.audit_session = read_id(pid, "sessionid"),
		.session = 77,
	};

	assert_int_equal(proctab_add(t, &p), 0);
}

static int log_in(uint32_t uid)
{
	_close_ int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	return fd < 0 || dprintf(fd, "%u", uid) < 0 ? -1 : 0;
}

/* Two processes of one login: the parent and a child of it. They live until the leash is let go, by
 * us or by our death. */
struct login {
	pid_t parent, child;
};

static int leash[2];

static void live(int ready)
{
	const pid_t me = getpid();
	char c;

	if (write(ready, &me, sizeof(me)) != sizeof(me) || read(leash[0], &c, 1) != 0)
		_exit(1);
	_exit(0);
}

static struct login start_login(uint32_t uid)
{
	struct login l;
	int ready[2];

	assert_int_equal(pipe(ready), 0);
	l.parent = fork();
	assert_true(l.parent >= 0);
	if (!l.parent) {
		close(leash[1]);
		if (log_in(uid) < 0 || fork() < 0)
			_exit(1);
		live(ready[1]);
	}
	close(ready[1]);
	l.child = l.parent;
	for (int i = 0; i < 2; i++) {
		pid_t pid;

		assert_int_equal(read(ready[0], &pid, sizeof(pid)), sizeof(pid));
		if (pid != l.parent)
			l.child = pid;
	}
	close(ready[0]);
	assert_int_not_equal(l.child, l.parent);
	return l;
}

static const struct session *session_of(const struct proctab *t, const struct sessions *s, uint32_t pid)
{
	int32_t session = t->v[proctab_find(t, pid)].session;

	assert_in_range(session, 0, s->n - 1);
	return s->v + session;
}

static void test_logins(void **state)
{
	struct login alice = start_login(1001), bob = start_login(1002), again = start_login(1001);
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};
	const struct session *of_alice;
	char id[SESSION_ID_LEN];

	(void)state;
	add(&t, alice.parent, 10);
	add(&t, alice.child, 20);
	add(&t, bob.parent, 40);
	add(&t, bob.child, 30); /* older than its parent, as the table says: that counts, not the family */
	add(&t, again.parent, 50);
	add(&t, again.child, 50);
	proctab_sort(&t);
	assert_int_equal(sessions_read(&t, &s), 0);
	assert_false(s.logind);
	assert_int_equal(s.n, 3);
	of_alice = session_of(&t, &s, alice.parent);
	assert_ptr_equal(of_alice, session_of(&t, &s, alice.child));
	snprintf(id, sizeof(id), "audit:%u", read_id(alice.parent, "sessionid"));
	assert_string_equal(of_alice->id, id);
	assert_int_equal(of_alice->uid, 1001);
	assert_int_equal(of_alice->leader, alice.parent);
	assert_int_equal(of_alice->start, 10);
	assert_int_equal(of_alice->audit, read_id(alice.child, "sessionid"));
	assert_false(of_alice->console);
	assert_int_equal(of_alice->survives, SURVIVES_UNKNOWN);
	assert_int_equal(session_of(&t, &s, bob.parent)->leader, bob.child);
	assert_int_equal(session_of(&t, &s, bob.parent)->uid, 1002);
	assert_ptr_not_equal(session_of(&t, &s, again.parent), of_alice);
	assert_int_equal(session_of(&t, &s, again.parent)->uid, 1001);
	assert_int_equal(session_of(&t, &s, again.parent)->leader,
			 again.parent < again.child ? again.parent : again.child);
}

static int make_leash(void **state)
{
	(void)state;
	return pipe(leash);
}

static int let_go(void **state)
{
	(void)state;
	close(leash[0]);
	close(leash[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

static void test_never_logged_in(void **state)
{
	const struct proc daemon = { .pid = 10, .audit_session = ID_UNSET, .login_uid = ID_UNSET, .session = 77 };
	const struct proc no_audit = { .pid = 11, .audit_session = 0, .login_uid = 0, .session = 77 };
	_cleanup_(proctab_clear) struct proctab t = {};
	_cleanup_(sessions_clear) struct sessions s = {};

	(void)state;
	assert_int_equal(proctab_add(&t, &daemon) | proctab_add(&t, &no_audit), 0);
	assert_int_equal(sessions_read(&t, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(t.v[0].session, -1);
	assert_int_equal(t.v[1].session, -1);
}

static void test_nobody(void **state)
{
	_cleanup_(sessions_clear) struct sessions s = {};
	struct proctab t = {};

	(void)state;
	assert_int_equal(sessions_read(&t, &s), 0);
	assert_int_equal(s.n, 0);
}

/* Whether a process here may still log in: it may not twice, nor without the right to. */
static bool can_log_in(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(log_in(1001) == 0 && read_id(getpid(), "sessionid") != ID_UNSET ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logins, make_leash, let_go),
		cmocka_unit_test(test_never_logged_in),
		cmocka_unit_test(test_nobody),
	};

	if (!can_log_in())
		return skip_all("a process here may not set its loginuid");
	return unit_run("sessions", tests, NULL);
}
