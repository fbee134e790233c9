// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_survivors.c - who outlives the loss of a terminal, asked of real processes on real
 * terminals: this process plays the server that holds the connection and the master side. Where it
 * can be tried, it is: the terminal goes, and those who were said to survive must be the ones who
 * do. */
#include "names/sessions.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define ROLES 8
#define DEADLINE_MS 10000

/* One scene: processes that tell their pid under a role, and live until the leash is let go, by us
 * or our death. */
static struct {
	int ready[2], leash[2], master;
	pid_t pid[ROLES], ppid[ROLES];
	pid_t server; /* holds the connection too, 0 none */
	int n;
} scene;

struct line {
	int role;
	pid_t pid, ppid;
};

static void live(int role)
{
	const struct line l = { role, getpid(), getppid() };
	char c;

	if (write(scene.ready[1], &l, sizeof(l)) == sizeof(l))
		while (read(scene.leash[0], &c, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static void wait_for(int n)
{
	struct pollfd p = { .fd = scene.ready[0], .events = POLLIN };

	for (; scene.n < n; scene.n++) {
		struct line l;

		assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
		assert_int_equal(read(scene.ready[0], &l, sizeof(l)), sizeof(l));
		scene.pid[l.role] = l.pid;
		scene.ppid[l.role] = l.ppid;
	}
}

/* Starts a child with a terminal of its own, or with none. In the child it returns 0. */
static pid_t start(bool terminal)
{
	pid_t pid = terminal ? forkpty(&scene.master, NULL, NULL, NULL) : fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(scene.leash[1]);
	if (!terminal && setsid() < 0)
		_exit(1);
	return 0;
}

/* Off the terminal and away from the parent, as daemon(3) does it. Returns in the daemon only. */
static bool daemonised(void)
{
	if (fork())
		return false;
	if (setsid() < 0 || fork())
		_exit(0);
	return true;
}

/* A terminal with a process on it, both kept by the calling process. */
static void open_pane(int role)
{
	int master;

	if (forkpty(&master, NULL, NULL, NULL) == 0)
		live(role);
}

static int set_up(void **state)
{
	(void)state;
	memset(&scene, 0, sizeof(scene));
	scene.master = -1;
	return pipe(scene.ready) | pipe(scene.leash);
}

static int let_go(void **state)
{
	(void)state;
	close(scene.leash[1]);
	close(scene.leash[0]);
	closep(&scene.master);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(scene.ready[0]);
	close(scene.ready[1]);
	return 0;
}

/* Asks about the session of all processes of the scene, whose connection this process holds. */
static struct session ask(void)
{
	_cleanup_(proctab_clear) struct proctab t = {};
	const uint32_t me = getpid(), server = scene.server ? scene.server : INT32_MAX;
	const uint32_t holders[] = { 1, me < server ? me : server, me < server ? server : me };
	struct session one[2] = {};
	struct sessions s = { .v = one, .n = 2 };
	struct proc p = { .pid = getpid(), .session = 1 };

	assert_int_equal(proctab_add(&t, &p), 0);
	for (int i = 0; i < ROLES; i++) {
		p = (struct proc){ .pid = scene.pid[i], .ppid = scene.ppid[i], .session = 1 };
		if (p.pid)
			assert_int_equal(proctab_add(&t, &p), 0);
	}
	proctab_sort(&t);
	session_survivors(&s, 1, &t, holders, array_size(holders));
	assert_int_equal(one[0].survives, SURVIVES_UNKNOWN);
	return one[1];
}

static void says(enum survives want, pid_t survivor)
{
	struct session s = ask();

	assert_string_equal(survives_name[s.survives], survives_name[want]);
	assert_int_equal(s.survivor, survivor);
}

enum { SHELL, JOB, NOHUP, DAEMON, PANE, PANE2 };

static void test_shell(void **state)
{
	char tty[64], want[72];

	(void)state;
	if (!start(true)) {
		if (!fork())
			live(JOB);
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_NOTHING, 0);
	assert_int_equal(ptsname_r(scene.master, tty, sizeof(tty)), 0);
	snprintf(want, sizeof(want), "/dev/%s", ask().tty);
	assert_string_equal(want, tty);
}

/* Neither is a way back: they only go on. */
static void test_nohup(void **state)
{
	(void)state;
	if (!start(true)) {
		if (!fork()) {
			signal(SIGHUP, SIG_IGN);
			live(NOHUP);
		}
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_DETACHED, scene.pid[NOHUP]);
}

static void test_daemon(void **state)
{
	(void)state;
	if (!start(true)) {
		if (daemonised())
			live(DAEMON);
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_DETACHED, scene.pid[DAEMON]);
}

/* The server of tmux or screen. Its name tries to look like the rest of the line in /proc/PID/stat.
 */
static void test_multiplexer(void **state)
{
	(void)state;
	if (!start(true)) {
		if (daemonised()) {
			prctl(PR_SET_NAME, ") Z 1 1 1\n34816");
			open_pane(PANE);
			open_pane(PANE2);
			live(DAEMON);
		}
		if (!fork()) {
			signal(SIGHUP, SIG_IGN);
			live(NOHUP);
		}
		live(SHELL);
	}
	wait_for(5);
	says(SURVIVES_MULTIPLEXER, scene.pid[DAEMON]);
}

/* A recorder, or sudo with a terminal of its own: it owns one, but dies with the one it sits on. */
static void test_recorder(void **state)
{
	(void)state;
	if (!start(true)) {
		open_pane(PANE);
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_NOTHING, 0);
}

/* `ssh host command` without a terminal: the command and what it runs end with the pipe. */
static void test_command(void **state)
{
	(void)state;
	if (!start(false)) {
		if (!fork())
			live(JOB);
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_NOTHING, 0);
	assert_string_equal(ask().tty, "");
}

/* A helper that the server keeps in its own session of processes ends with the server. */
static void test_helper(void **state)
{
	(void)state;
	if (!start(false)) {
		if (!fork())
			live(JOB);
		live(SHELL);
	}
	wait_for(2);
	scene.server = scene.pid[SHELL];
	scene.ppid[SHELL] = 0;
	says(SURVIVES_NOTHING, 0);
}

static void test_command_leaves_a_daemon(void **state)
{
	(void)state;
	if (!start(false)) {
		if (daemonised())
			live(DAEMON);
		live(SHELL);
	}
	wait_for(2);
	says(SURVIVES_DETACHED, scene.pid[DAEMON]);
}

/* Somebody is left, and what he holds is not for us to see. */
static void test_blind(void **state)
{
	const bool root = geteuid() == 0;
	struct session s;

	(void)state;
	if (!start(true)) {
		if (daemonised()) {
			prctl(PR_SET_DUMPABLE, 0);
			open_pane(PANE);
			live(DAEMON);
		}
		live(SHELL);
	}
	wait_for(3);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	s = ask();
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_string_equal(survives_name[s.survives], "unknown");
	assert_int_equal(s.survivor, scene.pid[DAEMON]);
}

/* Who was started is somebody else's child by now, so only its pid can be asked. */
static bool is_alive(pid_t pid)
{
	_fclose_ FILE *f = NULL;
	char path[64], state = 'X';

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	return f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state != 'Z' && state != 'X';
}

static void becomes_dead(pid_t pid)
{
	for (int i = 0; i < DEADLINE_MS && is_alive(pid); i++)
		poll(NULL, 0, 1);
	assert_false(is_alive(pid));
}

static void test_gone(void **state)
{
	(void)state;
	scene.pid[DAEMON] = INT32_MAX - 1;
	scene.ppid[DAEMON] = 1;
	says(SURVIVES_NOTHING, 0);
}

/* Nobody has waited for it yet, so it is still listed. */
static void test_zombie(void **state)
{
	(void)state;
	if (!start(true)) {
		if (!fork()) {
			close(scene.leash[0]);
			live(setsid() > 0 ? DAEMON : JOB);
		}
		live(SHELL);
	}
	wait_for(2);
	becomes_dead(scene.pid[DAEMON]);
	says(SURVIVES_NOTHING, 0);
}

/* The proof: all of them at once, the terminal taken away, and the answer compared with who is
 * left. */
static void test_it_comes_true(void **state)
{
	(void)state;
	if (!start(true)) {
		if (daemonised()) {
			open_pane(PANE);
			live(DAEMON);
		}
		if (!fork()) {
			signal(SIGHUP, SIG_IGN);
			live(NOHUP);
		}
		if (!fork())
			live(JOB);
		live(SHELL);
	}
	wait_for(5);
	says(SURVIVES_MULTIPLEXER, scene.pid[DAEMON]);
	close(scene.master);
	scene.master = -1;
	becomes_dead(scene.pid[SHELL]);
	becomes_dead(scene.pid[JOB]);
	assert_true(is_alive(scene.pid[NOHUP]));
	assert_true(is_alive(scene.pid[DAEMON]));
	assert_true(is_alive(scene.pid[PANE]));
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, let_go)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_shell),
		SCENE(test_nohup),
		SCENE(test_daemon),
		SCENE(test_multiplexer),
		SCENE(test_recorder),
		SCENE(test_command),
		SCENE(test_command_leaves_a_daemon),
		SCENE(test_blind),
		SCENE(test_gone),
		SCENE(test_zombie),
		SCENE(test_helper),
		SCENE(test_it_comes_true),
	};

	signal(SIGHUP, SIG_DFL); /* who started us may have had it ignored, as nohup does */
	return unit_run("survivors", tests, NULL);
}
