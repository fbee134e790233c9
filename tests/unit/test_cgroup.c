// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_cgroup.c - whose cgroups are those of units of the system, and that those of users are not even looked into. */
#include "cgroups.h"

static struct ids found;

static void check(int r, size_t n, const uint64_t *ids)
{
	assert_int_equal(r, 0);
	ids_sort(&found);
	assert_int_equal(found.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(ids_has(&found, ids[i]));
	found.n = 0;
}

static void test_units(void **state)
{
	uint64_t slice = make_group(0, ".q.slice"), unit = make_group(0, ".q.slice/%s.service", own_name()),
		 inner = make_group(0, ".q.slice/%s.service/inner", own_name()),
		 nested = make_group(0, ".q.slice/%s.service/%s-in.service", own_name(), own_name()),
		 bobs = make_group(BOB, "bob"), squat = make_group(BOB, "bob/%s.service", own_name()),
		 given = make_group(BOB, "%s-given.service", own_name()), below = make_group(BOB, "%s-given.service/x", own_name());
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "%s.service", own_name());
	check(cgroup_unit(name, &found), 3, (uint64_t[]){ unit, inner, nested });
	check(cgroup_unit(own_name(), &found), 3, (uint64_t[]){ unit, inner, nested });
	snprintf(name, sizeof(name), "%s-in.service", own_name());
	assert_int_equal(cgroup_unit(name, &found), -ENOENT);
	snprintf(name, sizeof(name), "%s-given.service", own_name());
	check(cgroup_unit(name, &found), 2, (uint64_t[]){ given, below });
	snprintf(name, sizeof(name), "%s.servic", own_name());
	assert_int_equal(cgroup_unit(name, &found), -ENOENT);
	/* By path all are found. */
	check(cgroup_subtree(group_path("bob"), &found), 2, (uint64_t[]){ bobs, squat });
	check(cgroup_subtree(group_path("."), &found), 9,
	      (uint64_t[]){ groups_top, slice, unit, inner, nested, bobs, squat, given, below });
	assert_int_equal(cgroup_subtree(group_path("none"), &found), -ENOENT);
}

static void test_not_looked_into(void **state)
{
	int watch;

	(void)state;
	make_group(BOB, "bob");
	make_group(0, "bob/roots");
	make_group(0, "%s.service", own_name());
	make_group(0, "%s.service/below", own_name());
	make_group(0, "x.scope");
	watch = watch_group("bob");
	watch_more(watch, "bob/roots");
	watch_more(watch, "x.scope");
	assert_int_equal(cgroup_unit("no-such-unit", &found), -ENOENT);
	assert_int_equal(count_looks(watch), 0);
	watch_more(watch, ".");
	assert_int_equal(cgroup_unit("no-such-unit", &found), -ENOENT);
	assert_int_equal(count_looks(watch), 1);
	assert_int_equal(cgroup_unit(own_name(), &found), 0);
	assert_int_equal(count_looks(watch), 1);
	close(watch);
	found.n = 0;
}

/* As deep as anybody may make it, and more than a path can have. */
static void test_deep(void **state)
{
	char name[201];
	int at = open(group_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC), depth;

	(void)state;
	memset(name, 'x', 200);
	name[200] = '\0';
	for (depth = 0; depth < 30 && mkdirat(at, name, 0755) == 0; depth++)
		at = move(at, openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(depth, 30);
	assert_int_equal(cgroup_subtree(group_path("."), &found), 0);
	assert_true(found.n > 15);
	found.n = 0;
	assert_int_equal(cgroup_unit("no-such-unit", &found), -ENOENT);
	for (; depth > 0; depth--) {
		at = move(at, openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		assert_int_equal(unlinkat(at, name, AT_REMOVEDIR), 0);
	}
	close(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = { groups_test(test_units), groups_test(test_not_looked_into), groups_test(test_deep) };

	return geteuid() || !have_groups() ? skip_all(geteuid() ? "needs root" : "no cgroup v2 here") :
					     unit_run("cgroup", tests, NULL);
}
