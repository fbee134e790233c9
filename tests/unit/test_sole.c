// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_sole.c - whether a socket is one process's alone: every way in which another may have it makes that a no. */
#include "kernel/owners_sole.h"
#include "own_net.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct owners_sole *sole;
static int fd = -1;

static int ask(int at)
{
	return owners_sole_ask(sole, getpid(), at, cookie_of(fd));
}

/* What the kernel lets go of a little later is waited for. */
static int ask_until(int want)
{
	int r = ask(fd);

	for (int ms = 0; ms < 10000 && r != want; ms += 10) {
		poll(NULL, 0, 10);
		r = ask(fd);
	}
	return r;
}

static void test_mine(void **state)
{
	(void)state;
	assert_int_equal(ask_until(1), 1);
	assert_int_equal(owners_sole_ask(sole, getpid(), fd, cookie_of(fd) + 1), 0);
	assert_int_equal(owners_sole_ask(sole, getppid(), fd, cookie_of(fd)), 0);
	assert_int_equal(owners_sole_ask(sole, 1, fd, cookie_of(fd)), 0);
	assert_true(owners_sole_ask(sole, INT32_MAX, fd, cookie_of(fd)) <= 0);
}

/* Whatever else a descriptor may be. */
static void test_no_socket(void **state)
{
	int null = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"), ends[2];

	(void)state;
	must(pipe2(ends, O_CLOEXEC), "pipe2");
	assert_int_equal(ask(null), 0);
	assert_int_equal(ask(ends[0]), 0);
	assert_int_equal(ask(900), 0);
	assert_int_equal(ask(-1), 0);
	assert_int_equal(ask(INT32_MAX), 0);
	close(null);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(ask(null), 0);
}

static void test_duplicate(void **state)
{
	int other = must(dup(fd), "dup");

	(void)state;
	assert_int_equal(ask(fd), 0);
	assert_int_equal(ask(other), 0);
	close(other);
	assert_int_equal(ask_until(1), 1);
}

/* A child that has its descriptors from us, or shares them with us. */
static void inherited(int flags)
{
	pid_t child = must(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL), "clone");

	if (!child)
		for (;;)
			pause();
	assert_int_equal(ask(fd), 0);
	assert_int_equal(owners_sole_ask(sole, child, fd, cookie_of(fd)), 0);
	kill(child, SIGKILL);
	must(waitpid(child, NULL, 0), "waitpid");
	assert_int_equal(ask_until(1), 1);
}

static void test_inherited(void **state)
{
	(void)state;
	inherited(0);
}

static void test_shared(void **state)
{
	(void)state;
	inherited(CLONE_FILES);
}

/* On its way to whoever reads it. */
static void test_in_flight(void **state)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec one = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int way[2];

	(void)state;
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, way), "socketpair");
	memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
	must(sendmsg(way[0], &m, 0), "sendmsg");
	assert_int_equal(ask(fd), 0);
	close(way[0]);
	close(way[1]);
	assert_int_equal(ask_until(1), 1);
}

static int setup(void **state)
{
	(void)state;
	if (own_net() < 0)
		return -1;
	fd = listener("127.0.0.1", 0, 5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	owners_sole_close(sole);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mine),	  cmocka_unit_test(test_no_socket), cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_inherited), cmocka_unit_test(test_shared),    cmocka_unit_test(test_in_flight),
	};

	if (geteuid())
		return skip_all("needs root");
	if (owners_sole_open(&sole) < 0)
		return skip_all("this kernel does not show one process alone");
	return unit_run_with("sole", tests, setup, teardown);
}
