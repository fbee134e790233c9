// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_moment.c - a time is written one way, and what is written any other way is none. */
#include "model/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "unit.h"

static void test_there_and_back(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ 1763000000123456, "2025-11-13T02:13:20.123456Z" },
		{ 1709210096999999, "2024-02-29T12:34:56.999999Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
	};
	char text[MOMENT_LEN];
	uint64_t us;

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		us = ~cases[i].us;
		assert_string_equal(moment_format(cases[i].us, text), cases[i].text);
		assert_int_equal(moment_parse(cases[i].text, &us), 0);
		assert_true(us == cases[i].us);
	}
	assert_null(moment_format(253402300800000000, text));
	assert_null(moment_format(UINT64_MAX, text));
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"", "Z", "2025-11-13", "2025-11-13T02:13:20Z", "2025-11-13T02:13:20.123456", "2025-11-13T02:13:20.123456z",
		"2025-11-13 02:13:20.123456Z", "2025-11-13T02:13:20.12345Z", "2025-11-13T02:13:20.1234567Z",
		"2025-02-29T02:13:20.123456Z", "2025-13-13T02:13:20.123456Z", "2025-00-13T02:13:20.123456Z",
		"2025-11-31T02:13:20.123456Z", "2025-11-13T24:13:20.123456Z", "2025-11-13T02:60:20.123456Z",
		"2025-11-13T02:13:61.123456Z", "1969-12-31T23:59:59.999999Z", "-025-11-13T02:13:20.123456Z",
		"2025- 1-13T02:13:20.123456Z", "2025-11-13T02:13:20.-12345Z", "2025-11-13T02:13:20.123456Z ",
		"9999999999999999999999999999", "2025-11-13T02:13:20.12345\nZ",
	};
	uint64_t us = 42;

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		if (moment_parse(cases[i], &us) != -EINVAL)
			fail_msg("%s was read", cases[i]);
		assert_true(us == 42);
	}
}

/* Two who ask, one after the other, are told the same; on a machine that is very busy one may be told another millisecond. */
static void test_boot(void **state)
{
	uint64_t boot = moment_of_boot(), now = clock_ns(CLOCK_REALTIME) / 1000, up = clock_ns(CLOCK_BOOTTIME) / 1000;
	uint64_t least = boot, most = boot;

	(void)state;
	assert_int_equal(boot % 1000, 0);
	assert_in_range(boot + up, now - 100000, now + 100000);
	for (int i = 0; i < 1000; i++) {
		boot = moment_of_boot();
		least = boot < least ? boot : least;
		most = boot > most ? boot : most;
	}
	assert_true(most - least <= 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_boot),
	};

	return unit_run("moment", tests, NULL);
}
