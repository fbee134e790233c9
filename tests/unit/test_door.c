// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_door.c - one daemon a path: the socket of a dead one is replaced, that of a live one is not touched. */
#include "daemon/door.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "unit.h"

static char dir[32], path[64], lock[80], err[ERR_LEN];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sever.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/io.sever", dir);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	return 0;
}

/* Nothing may be left. */
static int tear_down(void **state)
{
	(void)state;
	if (rmdir(dir) == 0)
		return 0;
	unlink(path);
	unlink(lock);
	rmdir(dir);
	return -1;
}

static int reach(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	return connect(fd, (void *)&a, sizeof(a)) < 0 ? -errno : 0;
}

static void test_open(void **state)
{
	struct door d = DOOR_CLOSED;
	struct stat st;

	(void)state;
	assert_int_equal(umask(0077) & 0700, 0);
	assert_int_equal(door_open(path, &d, err), 0);
	umask(0022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0666);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(reach(), 0);
	door_close(&d);
	assert_int_equal(reach(), -ENOENT);
	assert_int_equal(access(lock, F_OK), -1);
	door_close(&d);
}

static void test_live(void **state)
{
	struct door d = DOOR_CLOSED, other = DOOR_CLOSED;

	(void)state;
	assert_int_equal(door_open(path, &d, err), 0);
	assert_int_equal(door_open(path, &other, err), -EADDRINUSE);
	assert_non_null(strstr(err, "another severd"));
	unlink(lock); /* without the lock it still answers */
	assert_int_equal(door_open(path, &other, err), -EADDRINUSE);
	assert_non_null(strstr(err, "another severd"));
	assert_int_equal(other.fd, -1);
	assert_int_equal(reach(), 0);
	unlink(lock);
	door_close(&d);
}

/* Who holds the lock may be about to listen, or to take a stale file away. */
static void test_locked(void **state)
{
	struct door d = DOOR_CLOSED, other = DOOR_CLOSED;

	(void)state;
	assert_int_equal(door_open(path, &d, err), 0);
	close(take_fd(&d.fd)); /* what is left looks stale */
	assert_int_equal(reach(), -ECONNREFUSED);
	assert_int_equal(door_open(path, &other, err), -EADDRINUSE);
	assert_int_equal(reach(), -ECONNREFUSED);
	door_close(&d);
}

/* Of one that was killed file and lock file stay. */
static void test_stale(void **state)
{
	struct door d = DOOR_CLOSED;
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		if (door_open(path, &d, err) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(reach(), -ECONNREFUSED);
	assert_int_equal(door_open(path, &d, err), 0);
	assert_int_equal(reach(), 0);
	door_close(&d);
}

/* Of many that start at once over a stale file one gets it. */
static void test_race(void **state)
{
	struct door d = DOOR_CLOSED;
	int status, won = 0, go[2], done[2];
	char c;

	(void)state;
	test_stale(state);
	assert_int_equal(pipe(go) | pipe(done), 0);
	for (int i = 0; i < 20; i++) {
		if (fork() != 0)
			continue;
		close(go[1]);
		close(done[1]);
		if (read(go[0], &c, 1) != 0)
			_exit(2);
		if (door_open(path, &d, err) < 0)
			_exit(0);
		while (read(done[0], &c, 1) != 0)
			;
		door_close(&d);
		_exit(1);
	}
	close(go[1]);
	close(go[0]);
	close(done[0]);
	for (int ended = 0; ended < 19; ended++) {
		assert_true(wait(&status) > 0);
		won += WEXITSTATUS(status);
	}
	assert_int_equal(won, 0);
	/* The others are refused by the lock, which the one has before it listens. alarm() ends what never comes. */
	while (reach() != 0)
		usleep(1000);
	close(done[1]);
	assert_true(wait(&status) > 0);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_in_the_way(void **state)
{
	struct door d = DOOR_CLOSED;
	char deep[160];
	_close_ int fd = -1;

	(void)state;
	fd = creat(path, 0600);
	assert_int_equal(door_open(path, &d, err), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	unlink(lock);
	assert_int_equal(door_open("io.sever", &d, err), -EINVAL);
	snprintf(deep, sizeof(deep), "/%0130d", 1);
	assert_int_equal(door_open(deep, &d, err), -EINVAL);
	snprintf(deep, sizeof(deep), "%s/none/none/io.sever", dir);
	assert_int_equal(door_open(deep, &d, err), -ENOENT);
	assert_non_null(strstr(err, deep));
}

/* A link in place of the lock file is not followed, one in place of the socket not replaced. */
static void test_links(void **state)
{
	struct door d = DOOR_CLOSED;
	char target[80];

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(symlink(target, lock), 0);
	assert_int_equal(door_open(path, &d, err), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
	unlink(lock);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(door_open(path, &d, err), -EEXIST);
	unlink(path);
	unlink(lock);
}

/* On a fresh host the directory is not there; it is made for everybody, whatever severd was started with. */
static void test_no_dir(void **state)
{
	struct door d = DOOR_CLOSED;
	mode_t mask = umask(0077);
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/made/io.sever", dir);
	assert_int_equal(door_open(path, &d, err), 0);
	umask(mask);
	assert_int_equal(reach(), 0);
	door_close(&d);
	snprintf(path, sizeof(path), "%s/made", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	rmdir(path);
}

/* What has taken our place is not taken away. */
static void test_replaced(void **state)
{
	struct door d = DOOR_CLOSED;
	_close_ int fd = -1;

	(void)state;
	assert_int_equal(door_open(path, &d, err), 0);
	unlink(path);
	fd = creat(path, 0600);
	door_close(&d);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

/* As systemd does it: descriptor 3 and two variables. */
static void test_activation(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct door d = DOOR_CLOSED;
	char pid[16];
	int status, fd;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		strcpy(a.sun_path, path);
		if (bind(fd, (void *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0 || dup2(fd, 3) != 3)
			_exit(1);
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		if (door_open("/nowhere/else", &d, err) < 0 || d.fd != 3 || d.path || getenv("LISTEN_FDS"))
			_exit(2);
		door_close(&d);
		_exit(access(path, F_OK) == 0 ? 0 : 3); /* systemd's to take away */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink(path);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_open),	    T(test_live),  T(test_locked),   T(test_stale),	 T(test_race),
		T(test_in_the_way), T(test_links), T(test_replaced), T(test_activation),
		T(test_no_dir),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run("door", tests, NULL);
}
