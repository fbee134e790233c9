// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track_login.c - who is told of as if it began a session: by its first fork, or by the cgroup it is put into. */
#include "tracked.h"

#include "kernel/cgroup.h"

#include <limits.h>
#include <mntent.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#define LOGIN 4242

DEFINE_CLEANUP(FILE *, endmntent)

static char cgroup_dir[PATH_MAX];
static pid_t asleep; /* the process in there */

static bool login(uint32_t uid)
{
	_close_ int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	return fd >= 0 && dprintf(fd, "%u", uid) > 0;
}

static void fork_once(void)
{
	pid_t child = must(fork(), "fork");

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

/* A process that logs in and forks: who it was, and its audit session. */
struct begun {
	pid_t pid;
	uint32_t session;
};

static struct begun begin(uint32_t uid, unsigned int forks)
{
	struct begun b = { 0 };
	int told_us[2], status;

	must(pipe(told_us), "pipe");
	b.pid = must(fork(), "fork");
	if (!b.pid) {
		prctl(PR_SET_NAME, "beginner");
		if (!login(uid))
			_exit(1);
		b.session = number_in("/proc/self/sessionid");
		while (forks--)
			fork_once();
		_exit(write(told_us[1], &b.session, sizeof(b.session)) < 0);
	}
	close(told_us[1]);
	must(waitpid(b.pid, &status, 0), "waitpid");
	if (status)
		skip_because("who logs in cannot be changed here");
	assert_int_equal(read(told_us[0], &b.session, sizeof(b.session)), sizeof(b.session));
	close(told_us[0]);
	return b;
}

static unsigned int logins_of(pid_t pid, struct sever_event *ret)
{
	unsigned int n = 0;

	for (size_t i = 0; i < told.n; i++)
		if (told.v[i].kind == SEVER_EVENT_LOGIN && told.v[i].flow.pid == (uint32_t)pid) {
			*ret = told.v[i];
			n++;
		}
	return n;
}

static struct sever_event logged_in(pid_t pid)
{
	struct sever_event e = { 0 };

	for (long ms = 0; ms < deadline_ms() && !logins_of(pid, &e); ms++) {
		poll(NULL, 0, 1);
		must(track_drain(t, 100000, on_told, NULL), "track_drain");
	}
	assert_true(e.kind);
	return e;
}

/* Whatever was to be told before now has been: the ring keeps the order. */
static void catch_up(void)
{
	logged_in(begin(LOGIN, 1).pid);
}

static uint64_t own_cgroup(void)
{
	_free_ char *mount = NULL, *line = NULL;
	_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	uint64_t id = 0;
	size_t cap = 0;

	if (cgroup_mount(&mount) < 0)
		return 0;
	while (f && getline(&line, &cap, f) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::", 3))
			id = cgroup_id(mount, line + 3);
	}
	return id;
}

static void test_first_fork(void **state)
{
	struct begun b = begin(LOGIN, 3);
	struct sever_event e = logged_in(b.pid), want = {
		.kind = SEVER_EVENT_LOGIN,
		.flow = { .pid = b.pid, .login_uid = LOGIN, .audit_session = b.session, .comm = "beginner" },
	};

	(void)state;
	assert_true(b.session && b.session != SEVER_ID_UNSET);
	assert_true(e.time && e.flow.start && e.flow.start < e.time);
	want.time = e.time;
	want.flow.start = e.flow.start;
	want.flow.cgroup = e.flow.cgroup;
	assert_memory_equal(&e, &want, sizeof(e)); /* and nothing else */
	if (own_cgroup())
		assert_int_equal(e.flow.cgroup, own_cgroup());
	catch_up();
	assert_int_equal(logins_of(b.pid, &e), 1);
}

/* At once, for what it holds may not be there for long. */
static void test_reader_is_called(void **state)
{
	struct pollfd reader = { .fd = track_fd(t), .events = POLLIN };
	struct epoll_event ev;

	(void)state;
	must(track_drain(t, 100000, on_told, NULL), "track_drain");
	while (epoll_wait(reader.fd, &ev, 1, 0) > 0)
		must(track_drain(t, 100000, on_told, NULL), "track_drain");
	begin(LOGIN, 1);
	assert_int_equal(poll(&reader, 1, deadline_ms()), 1);
}

/* Without a session, and in the session that its parent has. */
static void test_others(void **state)
{
	struct begun none = begin(SEVER_ID_UNSET, 2);
	struct sever_event e;
	pid_t heir = must(fork(), "fork");

	(void)state;
	if (!heir) {
		fork_once();
		_exit(0);
	}
	waitpid(heir, NULL, 0);
	assert_int_equal(none.session, SEVER_ID_UNSET);
	catch_up();
	assert_int_equal(logins_of(none.pid, &e), 0);
	assert_int_equal(logins_of(heir, &e), 0);
}

/* What it left behind has a parent that is not of the session. */
static void test_orphan(void **state)
{
	struct sever_event e;
	pid_t first, orphan = 0;
	int told_us[2];

	(void)state;
	must(pipe(told_us), "pipe");
	first = must(fork(), "fork");
	if (!first) {
		pid_t parent = getpid();

		if (!login(LOGIN))
			_exit(1);
		if (must(fork(), "fork"))
			_exit(0);
		while (getppid() == parent)
			poll(NULL, 0, 1);
		fork_once();
		orphan = getpid();
		_exit(write(told_us[1], &orphan, sizeof(orphan)) < 0);
	}
	close(told_us[1]);
	waitpid(first, NULL, 0);
	if (read(told_us[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		skip_because("who logs in cannot be changed here");
	close(told_us[0]);
	logged_in(first);
	catch_up();
	assert_int_equal(logins_of(orphan, &e), 0);
}

/* Not the first fork in its session, but the first that these programs see. */
static void test_older_session(void **state)
{
	const struct track_options o = { 0 };
	struct track *before = t;
	int go[2], told_us[2];
	struct sever_event e;
	pid_t first, heir = 0;

	(void)state;
	must(pipe(go), "pipe");
	must(pipe(told_us), "pipe");
	first = must(fork(), "fork");
	if (!first) {
		if (!login(LOGIN))
			_exit(1);
		heir = must(fork(), "fork");
		if (heir)
			_exit(waitpid(heir, NULL, 0) < 0);
		heir = getpid();
		if (write(told_us[1], &heir, sizeof(heir)) < 0 || read(go[0], &e, 1) < 0)
			_exit(1);
		fork_once();
		_exit(0);
	}
	close(told_us[1]);
	if (read(told_us[0], &heir, sizeof(heir)) != sizeof(heir))
		skip_because("who logs in cannot be changed here");
	close(told_us[0]);
	t = opened(&o);
	assert_int_equal(write(go[1], "", 1), 1);
	waitpid(first, NULL, 0);
	catch_up();
	assert_int_equal(logins_of(heir, &e), 0);
	track_close(t);
	t = before;
	close(go[0]);
	close(go[1]);
}

static int put(const char *dir, pid_t pid)
{
	char path[PATH_MAX + 16];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || dprintf(fd, "%d", pid) < 0 ? -errno : 0;
}

static void fall_asleep(void)
{
	asleep = must(fork(), "fork");
	if (asleep)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void test_put_into_cgroup(void **state)
{
	_free_ char *mount = NULL;
	struct sever_event e;
	struct stat st;

	(void)state;
	if (cgroup_mount(&mount) < 0)
		skip_because("no cgroup v2 is mounted");
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/sever-test-%d", mount, getpid());
	must(mkdir(cgroup_dir, 0755), cgroup_dir);
	must(stat(cgroup_dir, &st), cgroup_dir);
	fall_asleep();
	assert_int_equal(put(cgroup_dir, asleep), 0);
	e = logged_in(asleep);
	assert_int_equal(e.flow.cgroup, st.st_ino);
	assert_int_equal(e.flow.login_uid, number_in("/proc/self/loginuid"));
	assert_int_equal(e.flow.audit_session, number_in("/proc/self/sessionid"));
	assert_true(e.flow.start && !e.cookie);
}

/* "" where there is none. */
static void v1_mount(char *ret, size_t size)
{
	_cleanup_(endmntentp) FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	*ret = 0;
	while (f && !*ret && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "freezer"))
			snprintf(ret, size, "%s", m->mnt_dir);
}

/* Where both versions are in use, only v2 is told of. */
static void test_put_into_v1(void **state)
{
	char mount[PATH_MAX / 2];
	struct sever_event e;

	(void)state;
	v1_mount(mount, sizeof(mount));
	if (!*mount) {
		print_message("# no cgroup v1 here, of which nothing could be told\n");
		return;
	}
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/sever-test-%d", mount, getpid());
	must(mkdir(cgroup_dir, 0755), cgroup_dir);
	fall_asleep();
	assert_int_equal(put(cgroup_dir, asleep), 0);
	catch_up();
	assert_int_equal(logins_of(asleep, &e), 0);
}

static int leave_cgroup(void **state)
{
	(void)state;
	if (asleep > 0) {
		kill(asleep, SIGKILL);
		waitpid(asleep, NULL, 0);
		asleep = 0;
	}
	for (long ms = 0; *cgroup_dir && rmdir(cgroup_dir) < 0 && ms < deadline_ms(); ms++)
		poll(NULL, 0, 1);
	*cgroup_dir = 0;
	return 0;
}

static int setup(void **state)
{
	if (!login(LOGIN))
		print_message("# the login uid is as it was\n");
	track_setup_here(state);
	assert_int_equal(track_login_error(t), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_fork),
		cmocka_unit_test(test_reader_is_called),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_older_session),
		cmocka_unit_test_teardown(test_put_into_cgroup, leave_cgroup),
		cmocka_unit_test_teardown(test_put_into_v1, leave_cgroup),
	};

	return track_run("track_login", tests, setup, track_teardown);
}
