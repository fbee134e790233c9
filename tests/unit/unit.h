/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unit.h - how the tests of a file end, whoever runs them: 0 passed, 1 failed, 4 all skipped, as those in e2e/. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { UNIT_PASSED, UNIT_FAILED, UNIT_SKIPPED = 4 };

static size_t unit_skips;

/* Ends the test that calls it. cmocka itself has no word for the reason. */
static inline void skip_because(const char *why)
{
	unit_skips++;
	print_message("# skipped: %s\n", why);
	skip();
}

static inline int skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return UNIT_SKIPPED;
}

static inline int unit_status(int failures, size_t n)
{
	return failures ? UNIT_FAILED : unit_skips == n ? UNIT_SKIPPED : UNIT_PASSED;
}

/* What fails at each of many places in turn: how far from one to the next. Not each on a machine that emulates its CPU, because
 * the logic that is tried is the same on every kernel. */
static inline unsigned int unit_stride(unsigned int coarse)
{
	const char *slow = getenv("SEVER_TEST_SLOW");

	return slow && atoi(slow) > 1 ? coarse : 1;
}

/* How long anything may take. */
static inline long deadline_ms(void)
{
	const char *slow = getenv("SEVER_TEST_SLOW");

	return 5000 * (slow && atoi(slow) > 1 ? atoi(slow) : 1);
}

/* So many, or fewer where the machine is slow. */
static inline unsigned int many(unsigned int n)
{
	return n / (deadline_ms() / 5000);
}

/* setup, teardown: around all of them, or NULL. */
#define unit_run_with(name, tests, setup, teardown) \
	(cmocka_set_message_output(CM_OUTPUT_TAP),  \
	 unit_status(cmocka_run_group_tests_name(name, tests, setup, teardown), sizeof(tests) / sizeof(*(tests))))

#define unit_run(name, tests, setup) unit_run_with(name, tests, setup, NULL)
#define unit_run_as_root(name, tests, setup) (geteuid() ? skip_all("needs root") : unit_run(name, tests, setup))

#endif
