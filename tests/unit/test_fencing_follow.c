// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fencing_follow.c - fences of units: which cgroups they are for, as units come and go and users make what they like. */
#include "fencing_scene.h"

#include "cgroups.h"

static const char *unit(const char *more)
{
	static char text[128];

	snprintf(text, sizeof(text), "--unit %s%s", own_name(), more);
	return text;
}

/* The fence is for these cgroups, n kernel fences each. */
static void check(size_t at, size_t n, size_t n_ids, const uint64_t *ids)
{
	const struct standing *s = fencing->all.v[at];

	assert_int_equal(s->parts.n, n * n_ids);
	for (size_t i = 0; i < n_ids; i++) {
		size_t found = 0;

		for (size_t k = 0; k < s->parts.n; k++)
			found += s->parts.v[k].subject == ids[i];
		assert_int_equal(found, n);
	}
	assert_int_equal(!!(s->notes & FENCE_NOTE_LAPSED), !n_ids);
}
#define FOR(at, n, ...)                                    \
	do {                                               \
		const uint64_t ids_[] = { __VA_ARGS__ };   \
		check(at, n, array_size(ids_), ids_);      \
	} while (0)

static bool says(const char *what)
{
	_cleanup_(json_decrefp) json_t *shown = listed();
	const json_t *notes = json_object_get(json_array_get(shown, 0), "notes");
	bool found = false;

	for (size_t i = 0; i < json_array_size(notes); i++)
		found |= strstr(json_string_value(json_array_get(notes, i)), what) != NULL;
	return found;
}

static void test_beside(void **state)
{
	uint64_t one = make_group(0, "%s.service", own_name()), other;

	(void)state;
	must_add(unit(""), 60000);
	FOR(0, 1, one);
	make_group(0, "x.slice");
	other = make_group(0, "x.slice/%s.service", own_name());
	make_group(0, "x.slice/%s.service/below", own_name());
	fencing_follow(fencing);
	FOR(0, 1, one, other);
	drop_group("%s.service", own_name());
	fencing_follow(fencing);
	FOR(0, 1, other);
	again();
	FOR(0, 1, other);
	drop_group("x.slice/%s.service/below", own_name());
	drop_group("x.slice/%s.service", own_name());
	fencing_follow(fencing);
	check(0, 1, 0, NULL);
	other = make_group(0, "%s.service", own_name());
	again();
	fencing_follow(fencing);
	FOR(0, 1, other);
}

/* What a user has made is no unit of the system, whatever its name. */
static void test_squatted(void **state)
{
	uint64_t id = make_group(0, "%s.service", own_name());
	struct refusal why;

	(void)state;
	make_group(BOB, "bob");
	for (int i = 0; i < 70; i++) {
		make_group(BOB, "bob/%d", i);
		make_group(BOB, "bob/%d/%s.service", i, own_name());
	}
	must_add(unit(" --remote-port 1-64"), 60000);
	FOR(0, 64, id);
	drop_group("%s.service", own_name());
	fencing_follow(fencing);
	check(0, 64, 0, NULL);
	assert_int_equal(refused(unit(""), &why), -ESRCH);
	assert_string_equal(why.missing, "unit");
	id = make_group(0, "%s.service", own_name());
	fencing_follow(fencing);
	FOR(0, 64, id);
}

/* More than one fence can be of the kernel's: it stays as it was, and says so. */
static void test_too_many(void **state)
{
	uint64_t id = make_group(0, "%s.service", own_name());

	(void)state;
	must_add(unit(" --remote-port 1-64"), 60000);
	for (int i = 0; i < FENCE_LIST_MAX / 64; i++) {
		make_group(0, "%d", i);
		make_group(0, "%d/%s.service", i, own_name());
	}
	for (unsigned int i = 0; i < FENCING_TURNS; i++) {
		assert_int_equal(says("could not be followed"), i > 0);
		fencing_follow(fencing);
		FOR(0, 64, id);
	}
	drop_group("0/%s.service", own_name());
	fencing_follow(fencing);
	assert_false(says("could not be followed"));
	assert_int_equal(fencing->all.v[0]->parts.n, FENCE_LIST_MAX);
	assert_int_equal(fencing->all.v[0]->turn, 1); /* no id was one that stands */
}

/* However many units are gone, one look at the tree is enough, and none at what users have made. */
static void test_one_walk(void **state)
{
	uint64_t ids[4];
	char name[32];
	int watch;

	(void)state;
	make_group(BOB, "bob");
	make_group(BOB, "bob/1");
	for (int i = 0; i < 4; i++) {
		make_group(0, "%s-%d.service", own_name(), i);
		snprintf(name, sizeof(name), "-%d", i);
		must_add(unit(name), 60000);
	}
	for (int i = 0; i < 4; i++)
		drop_group("%s-%d.service", own_name(), i);
	fencing_follow(fencing);
	watch = watch_group("bob");
	watch_more(watch, "bob/1");
	fencing_follow(fencing);
	assert_int_equal(count_looks(watch), 0);
	watch_more(watch, ".");
	fencing_follow(fencing);
	assert_int_equal(count_looks(watch), 1);
	close(watch);
	for (int i = 0; i < 4; i++)
		ids[i] = make_group(0, "%s-%d.service", own_name(), i);
	fencing_follow(fencing);
	for (int i = 0; i < 4; i++)
		FOR(i, 1, ids[i]);
}

/* What is written down can be read again, however many cgroups a user has made below it. */
static void test_crowded(void **state)
{
	struct standing *s, *back = NULL;

	(void)state;
	make_group(0, "%s.service", own_name());
	must_add(unit(""), 60000);
	s = fencing->all.v[0];
	for (uint64_t id = 1000000; id < 1000000 + 70000; id++)
		assert_int_equal(ids_add(&s->target.filter.units, id), 0);
	free(s->line);
	assert_int_equal(standing_write(s), 0);
	assert_int_equal(standing_read(s->line, s->line_len - 1, true, now(), &back), 0);
	assert_int_equal(back->target.filter.units.n, s->target.filter.units.n);
	standing_free(back);
}

static int setup_both(void **state)
{
	return setup_groups(state) < 0 ? -1 : setup(state);
}

static int teardown_both(void **state)
{
	teardown(state);
	return teardown_groups(state);
}

#define follow_test(name) cmocka_unit_test_setup_teardown(name, setup_both, teardown_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		follow_test(test_beside),
		follow_test(test_squatted),
		follow_test(test_too_many),
		follow_test(test_one_walk),
		follow_test(test_crowded),
	};

	if (!have_groups())
		return skip_all("no cgroup v2 here");
	return fence_run("fencing_follow", tests, setup_all, teardown_all);
}
