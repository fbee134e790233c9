// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_shut_in.c - which processes were put where they can do nothing but talk: children of this one, in directories made for them. */
#include "names/shut_in.h"
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

struct room {
	const char *name;
	mode_t mode;
	uid_t owner;
	bool furnished, own_namespace;
	bool shut_in;
};

static const struct room rooms[] = {
	{ "empty", 0755, 0, .shut_in = true },
	{ "empty and closed", 0700, 0, .shut_in = true },
	{ "a hidden file", 0755, 0, .furnished = true },
	{ "the child's own", 0755, NOBODY },
	{ "another user's", 0755, 1 },
	{ "everyone's to write to", 0777, 0 },
	{ "a group's to write to", 0775, 0 },
	{ "a user namespace of its own", 0755, 0, .own_namespace = true },
};

/* In the child: takes its place, says so, and waits for the end. */
static void live(const char *dir, const struct room *room, int ready, int leash)
{
	char c = 1;

	/* Who is shut in can have no user namespace any more; who has one can go where he likes. */
	if ((room->own_namespace && unshare(CLONE_NEWUSER) < 0) || chroot(dir) < 0 || chdir("/") < 0 ||
	    (!room->own_namespace && setuid(NOBODY) < 0))
		_exit(1);
	if (write(ready, &c, 1) == 1)
		while (read(leash, &c, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static bool told(const char *dir, const struct room *room)
{
	int ready[2], leash[2];
	bool answer;
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(leash, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(leash[1]);
		close(ready[0]);
		live(dir, room, ready[1], leash[0]);
	}
	close(ready[1]);
	close(leash[0]);
	if (read(ready[0], &c, 1) != 1)
		fail_msg("%s: no such child can be made", room->name);
	answer = process_is_shut_in(pid, getpid());
	close(leash[1]);
	close(ready[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(process_is_shut_in(pid, getpid())); /* gone */
	return answer;
}

static void test_rooms(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(rooms); i++) {
		char dir[] = "/tmp/shut_in.XXXXXX", file[64];
		bool answer;

		assert_non_null(mkdtemp(dir));
		snprintf(file, sizeof(file), "%s/.x", dir);
		if (rooms[i].furnished)
			assert_int_equal(close(creat(file, 0600)), 0);
		assert_int_equal(chown(dir, rooms[i].owner, 0) | chmod(dir, rooms[i].mode), 0);
		answer = told(dir, &rooms[i]);
		unlink(file);
		assert_int_equal(rmdir(dir), 0);
		if (answer != rooms[i].shut_in)
			fail_msg("%s: %d", rooms[i].name, answer);
	}
}

static void test_ourselves(void **state)
{
	(void)state;
	assert_false(process_is_shut_in(getpid(), getppid()));
	assert_false(process_is_shut_in(UINT32_MAX, getpid()));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rooms), cmocka_unit_test(test_ourselves) };

	return unit_run_as_root("shut_in", tests, NULL);
}
