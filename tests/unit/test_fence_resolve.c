// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_resolve.c - a fence of a session is for its scope, where logind has it, and for no other cgroup of that name. */
// LINK: -Wl,--wrap=people_read
#include "cgroups.h"
#include "daemon/fence_resolve.h"
#include "daemon/people.h"

#define UID 77124

static char id[32], user[PATH_MAX], scope[PATH_MAX];
static bool made_slice;

int __wrap_people_read(struct live *l, struct selection *ret);

int __wrap_people_read(struct live *l, struct selection *ret)
{
	struct session one = { .uid = UID, .audit = 5 };

	(void)l;
	strcpy(one.id, id);
	ret->sessions.v = calloc(1, sizeof(one));
	if (!ret->sessions.v)
		return -ENOMEM;
	ret->sessions.v[ret->sessions.n++] = one;
	return 0;
}

static void check(size_t n, uint64_t first)
{
	struct selector s = { .kind = SEL_SESSION, .text = id, .session.form = SESSION_LOGIND };
	const struct request req = { .selectors = &s, .n_selectors = 1 };
	struct fence_target t = { 0 };
	const char *missing = NULL;
	struct live *live = (void *)&t; /* which nobody looks at */
	char err[ERR_LEN] = "";

	if (fence_resolve(live, &req, &t, &missing, err) < 0)
		fail_msg("%s", err);
	assert_int_equal(t.subjects.sessions.n, 1);
	assert_int_equal(t.subjects.cgroups.n, n);
	if (n)
		assert_int_equal(t.subjects.cgroups.v[0], first);
	fence_target_clear(&t);
}

static void test_scope(void **state)
{
	struct stat st;

	(void)state;
	make_group(BOB, "bob");
	make_group(BOB, "bob/session-%s.scope", id);
	make_group(0, "session-%s.scope", id);
	check(0, 0);
	if (mkdir(scope, 0755) < 0 || stat(scope, &st) < 0)
		group_failed("make", scope);
	check(1, st.st_ino);
}

/* Where logind would have them. */
static int setup(void **state)
{
	_free_ char *mount = NULL;

	if (setup_groups(state) < 0 || cgroup_mount(&mount) < 0)
		return -1;
	snprintf(id, sizeof(id), "t%d", getpid());
	snprintf(scope, sizeof(scope), "%s/user.slice", mount);
	made_slice = mkdir(scope, 0755) == 0;
	snprintf(user, sizeof(user), "%s/user.slice/user-%d.slice", mount, UID);
	if ((size_t)snprintf(scope, sizeof(scope), "%s/user.slice/user-%d.slice/session-%s.scope", mount, UID, id) >= sizeof(scope))
		return -1;
	return mkdir(user, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

static int teardown(void **state)
{
	rmdir(scope);
	rmdir(user);
	*strrchr(user, '/') = '\0';
	if (made_slice)
		rmdir(user);
	return teardown_groups(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_scope, setup, teardown) };

	return geteuid() || !have_groups() ? skip_all(geteuid() ? "needs root" : "no cgroup v2 here") :
					     unit_run("fence_resolve", tests, NULL);
}
