// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_jobs.c - requests keep their names while they run, whoever asks for what meanwhile, and some time longer. */
#include "daemon/live.h"

#include "unit.h"

static struct live l = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < JOB_NAMES; i++)
		free(l.jobs[i].owed);
	l = (struct live){ .lock = PTHREAD_MUTEX_INITIALIZER };
	return 0;
}

static void run_others(int n)
{
	for (int i = 0; i < n; i++)
		live_end_job(&l, live_new_job(&l, "other", 0));
}

static void test_names(void **state)
{
	uint32_t a = live_new_job(&l, "a", 5), b = live_new_job(&l, "b", 0);

	(void)state;
	assert_true(a && b && a != b);
	assert_string_equal(live_job(&l, a)->id, "a");
	assert_int_equal(live_job(&l, a)->caller_session, 5);
	assert_string_equal(live_job(&l, b)->id, "b");
	assert_null(live_job(&l, 0));
	assert_null(live_job(&l, a + JOB_NAMES));
	live_end_job(&l, a);
	live_end_job(&l, 0);
	assert_string_equal(live_job(&l, a)->id, "a");
	run_others(JOB_NAMES / 2);
	assert_string_equal(live_job(&l, a)->id, "a");
	run_others(JOB_NAMES);
	assert_null(live_job(&l, a));
}

/* Many short requests do not make a long one nameless. */
static void test_long_one(void **state)
{
	struct entry victim = { .cookie = 9 };
	uint32_t a = live_new_job(&l, "long", 0);
	struct flow f = { .cookie = 9 }, *v = &f;

	(void)state;
	victim.job = a;
	live_note_owed(&l, &victim, 4711);
	for (int i = 0; i < 3; i++) {
		run_others(JOB_NAMES);
		assert_non_null(live_job(&l, a));
		assert_string_equal(live_job(&l, a)->id, "long");
	}
	live_owed(&l, a, &v, 1);
	assert_int_equal(f.wqueue, 4711);
	live_end_job(&l, a);
	run_others(JOB_NAMES);
	assert_null(live_job(&l, a));
}

/* 0 means none, so no request is called that. */
static void test_wrap(void **state)
{
	(void)state;
	l.last_job = UINT32_MAX - 1;
	assert_int_equal(live_new_job(&l, "last", 0), UINT32_MAX);
	assert_int_equal(live_new_job(&l, "first", 0), 1);
	assert_string_equal(live_job(&l, UINT32_MAX)->id, "last");
	assert_string_equal(live_job(&l, 1)->id, "first");
}

static void test_owed(void **state)
{
	uint32_t a = live_new_job(&l, "a", 0), b = live_new_job(&l, "b", 0);
	struct entry e = { 0 };
	struct flow f[3] = { { .cookie = 30, .wqueue = 1 }, { .cookie = 10 }, { .cookie = 20, .wqueue = 2 } };
	struct flow *v[] = { &f[0], &f[1], &f[2] };

	(void)state;
	live_owed(&l, a, v, 3);
	assert_true(f[0].wqueue == 1 && !f[1].wqueue && f[2].wqueue == 2);
	for (uint64_t c = 30; c; c -= 10) {
		e = (struct entry){ .cookie = c, .job = c == 20 ? b : a };
		live_note_owed(&l, &e, c * 100);
	}
	e = (struct entry){ .cookie = 20 };
	live_note_owed(&l, &e, 5);
	live_owed(&l, a, v, 3);
	assert_true(f[0].wqueue == 3000 && f[1].wqueue == 1000 && f[2].wqueue == 2);
	live_end_job(&l, a);
	f[0].wqueue = 0;
	live_note_owed(&l, &(struct entry){ .cookie = 30, .job = a + JOB_NAMES }, 5);
	live_owed(&l, a, v, 3);
	assert_true(f[0].wqueue == 0);
	live_owed(&l, b, v, 3);
	assert_true(f[2].wqueue == 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_names, teardown),
		cmocka_unit_test_teardown(test_long_one, teardown),
		cmocka_unit_test_teardown(test_wrap, teardown),
		cmocka_unit_test_teardown(test_owed, teardown),
	};

	alarm(60); /* where all places are kept, nobody finds one */
	return unit_run("jobs", tests, NULL);
}
