// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_escape.c - what may be called a name cannot draw on the screen of whoever looks at it. */
#include "report/escape.h"
#include "unit.h"

#include <string.h>

/* What escape_putn() makes of n bytes, and how many characters it says it wrote. */
static char *escaped(const char *s, size_t n, size_t *ret_characters)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	*ret_characters = escape_putn(f, s, n);
	fclose(f);
	return out;
}

static void test_decode(void **state)
{
	static const struct {
		const char *bytes;
		size_t n, want;
		uint32_t code;
	} cases[] = {
		{ "a", 1, 1, 'a' },
		{ "", 1, 1, 0 },
		{ "a", 0, 0, 0 },
		{ "\x7f", 1, 1, 0x7f },
		{ "\xc3\xa9", 2, 2, 0xe9 },
		{ "\xc3\xa9", 1, 0, 0 }, /* cut short by n */
		{ "\xc3", 2, 0, 0 },	 /* cut short by the NUL */
		{ "\xe2\x82\xac", 3, 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\xf4\x90\x80\x80", 4, 0, 0 }, /* beyond the last one */
		{ "\xf8\x88\x80\x80", 4, 0, 0 },
		{ "\xc0\xaf", 2, 0, 0 }, /* overlong "/" */
		{ "\xc1\xbf", 2, 0, 0 },
		{ "\xe0\x80\xaf", 3, 0, 0 },
		{ "\xe0\x9f\xbf", 3, 0, 0 },
		{ "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "\xf0\x80\x80\xaf", 4, 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 0 },
		{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "\xed\x9f\xbf", 3, 3, 0xd7ff },
		{ "\xed\xa0\x80", 3, 0, 0 }, /* surrogates */
		{ "\xed\xbf\xbf", 3, 0, 0 },
		{ "\x80", 1, 0, 0 },
		{ "\xff", 1, 0, 0 },
		{ "\xe2\x28\xa1", 3, 0, 0 },
		{ "\xe2\x82\x28", 3, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		uint32_t code = 0;

		assert_int_equal(utf8_decode(cases[i].bytes, cases[i].n, &code), cases[i].want);
		assert_int_equal(code, cases[i].code);
	}
}

static void test_escape(void **state)
{
	static const struct {
		const char *text, *want;
		size_t characters;
	} cases[] = {
		{ "", "", 0 },
		{ "sshd", "sshd", 4 },
		{ "CORP\\alice ~!\"'", "CORP\\alice ~!\"'", 15 },
		{ "Jos\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "Jos\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 8 },
		{ "a\033[2Jb", "a\\x1b[2Jb", 9 },
		{ "\r\n\t\b\a", "\\x0d\\x0a\\x09\\x08\\x07", 20 },
		{ "\x01\x1f\x7f", "\\x01\\x1f\\x7f", 12 },
		{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0", 25 },
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b", 12 }, /* U+200B zero width space */
		{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f", 12 }, /* U+200F right-to-left mark */
		{ "\xe2\x80\x90", "\xe2\x80\x90", 1 },	   /* U+2010 hyphen */
		{ "\xe2\x80\xaa", "\\xe2\\x80\\xaa", 12 }, /* U+202A */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae", 12 }, /* U+202E */
		{ "\xe2\x80\xaf", "\xe2\x80\xaf", 1 },	   /* U+202F */
		{ "\xe2\x81\xa0", "\\xe2\\x81\\xa0", 12 }, /* U+2060 */
		{ "\xe2\x81\xa9", "\\xe2\\x81\\xa9", 12 }, /* U+2069 */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf", 12 }, /* U+FEFF */
		{ "\xc0\xaf", "\\xc0\\xaf", 8 },
		{ "a\xff"
		  "b",
		  "a\\xffb", 6 },
		{ "\xe2\x82", "\\xe2\\x82", 8 },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80", 12 },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		size_t n;
		_free_ char *out = escaped(cases[i].text, SIZE_MAX, &n);

		assert_string_equal(out, cases[i].want);
		assert_int_equal(n, cases[i].characters);
	}
}

/* comm is 16 bytes and need not end in a NUL. */
static void test_bounded(void **state)
{
	const char comm[4] = { 'a', 'b', '\xc3', '\xa9' };
	size_t n;
	_free_ char *whole = escaped(comm, sizeof(comm), &n);
	_free_ char *cut = escaped(comm, 3, &n);
	_free_ char *nul = escaped("ab\0\033", 4, &n);

	(void)state;
	assert_string_equal(whole, "ab\xc3\xa9");
	assert_string_equal(cut, "ab\\xc3");
	assert_string_equal(nul, "ab");
	assert_int_equal(n, 2);
}

/* No byte a terminal obeys gets through, whatever stands before and after it. */
static void test_every_byte(void **state)
{
	(void)state;
	for (unsigned a = 1; a < 256; a++) {
		for (unsigned b = 1; b < 256; b++) {
			const char text[] = { a, b, '\0' };
			size_t n;
			_free_ char *out = escaped(text, SIZE_MAX, &n);

			for (const unsigned char *p = (unsigned char *)out; *p; p++) {
				assert_true(*p >= 0x20 && *p != 0x7f);
				if (*p >= 0x80)
					assert_true(a >= 0xc2 && a < 0xe0 && b >= 0x80 && b < 0xc0);
			}
		}
	}
}

static void test_clean(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "\xc3\xa9\033", "\xc3\xa9\033" },
		{ "a\xff", "a\xef\xbf\xbd" },
		{ "\xff\xff\xff", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz" },
	};
	_free_ char *bounded = utf8_clean("ab\xc3\xa9", 3);

	(void)state;
	assert_string_equal(bounded, "ab\xef\xbf\xbd");
	for (size_t i = 0; i < array_size(cases); i++) {
		_free_ char *out = utf8_clean(cases[i].text, SIZE_MAX);

		assert_string_equal(out, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),	   cmocka_unit_test(test_escape), cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_every_byte), cmocka_unit_test(test_clean),
	};

	return unit_run("escape", tests, NULL);
}
