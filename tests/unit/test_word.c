// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_word.c - numbers are digits and nothing else, and a word shown to people cannot draw on
 * their screen. */
#include "model/word.h"
#include "unit.h"

#include <string.h>

static void test_number(void **state)
{
	static const struct {
		const char *text;
		unsigned int base;
		uint64_t max, want;
		int r;
	} cases[] = {
		{ "0", 10, 0, 0, 0 },
		{ "42", 10, 42, 42, 0 },
		{ "43", 10, 42, 0, -EINVAL },
		{ "1", 10, 0, 0, -EINVAL },
		{ "18446744073709551615", 10, UINT64_MAX, UINT64_MAX, 0 },
		{ "18446744073709551616", 10, UINT64_MAX, 0, -EINVAL },
		{ "99999999999999999999", 10, UINT64_MAX, 0, -EINVAL },
		{ "ffffffffffffffff", 16, UINT64_MAX, UINT64_MAX, 0 },
		{ "10000000000000000", 16, UINT64_MAX, 0, -EINVAL },
		{ "00dEaDbEeF", 16, UINT64_MAX, 0xdeadbeef, 0 },
		{ "", 10, 9, 0, -EINVAL },
		{ "+1", 10, 9, 0, -EINVAL },
		{ "-1", 10, 9, 0, -EINVAL },
		{ " 1", 10, 9, 0, -EINVAL },
		{ "1 ", 10, 9, 0, -EINVAL },
		{ "a", 10, 99, 0, -EINVAL },
		{ "g", 16, 99, 0, -EINVAL },
		{ "0x1", 16, 99, 0, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		uint64_t n = 7;
		int r = word_number(cases[i].text, strlen(cases[i].text), cases[i].base, cases[i].max, &n);

		if (r != cases[i].r || n != (r ? 7 : cases[i].want))
			fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long)n);
	}
}

static void test_number_stops_at_len(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(word_number("22-25", 2, 10, 65535, &n), 0);
	assert_int_equal(n, 22);
}

static void test_show(void **state)
{
	char buf[WORD_SHOWN], longest[WORD_SHOWN], too_long[WORD_SHOWN + 1];

	(void)state;
	assert_string_equal(word_show("", buf), "");
	assert_string_equal(word_show("CORP\\alice ~", buf), "CORP\\alice ~");
	assert_string_equal(word_show("a\033[2Jb\n\r\t\x7f", buf), "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
	assert_string_equal(word_show("\xc2\x9b\xff", buf), "\\xc2\\x9b\\xff");
	memset(longest, 'a', sizeof(longest));
	longest[WORD_SHOWN - 4] = '\0';
	assert_string_equal(word_show(longest, buf), longest);
	memset(too_long, 'a', sizeof(too_long));
	too_long[WORD_SHOWN] = '\0';
	assert_int_equal(strlen(word_show(too_long, buf)), WORD_SHOWN - 1);
	assert_string_equal(buf + WORD_SHOWN - 5, "a...");
	memset(too_long, '\n', sizeof(too_long) - 1);
	assert_true(strlen(word_show(too_long, buf)) < WORD_SHOWN);
	assert_non_null(strstr(buf, "\\x0a..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_number_stops_at_len),
		cmocka_unit_test(test_show),
	};

	return unit_run("word", tests, NULL);
}
