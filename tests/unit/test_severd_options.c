// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_severd_options.c - what severd is told on its command line, and what it does not take. */
#include "daemon/options.h"
#include "model/request.h"

#include "unit.h"

#include <getopt.h>
#include <string.h>

#define WORDS 6

/* What it would exit with, -1: it goes on. What it says is in *said. */
static int try(const char *const words[WORDS], struct daemon_options *ret, char said[1024])
{
	char *argv[WORDS + 2] = { "severd" };
	FILE *f = fmemopen(said, 1024, "w"), *before = stderr;
	int argc = 1, r;

	while (argc <= WORDS && words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	assert_non_null(f);
	optind = 0;
	*said = '\0';
	stderr = f;
	r = daemon_options(argc, argv, ret);
	stderr = before;
	fclose(f);
	return r;
}

static void test_taken(void **state)
{
	struct daemon_options o;
	char said[1024];

	(void)state;
	assert_int_equal(try((const char *[WORDS]){ NULL }, &o, said), -1);
	assert_string_equal(o.socket, "/run/sever/io.sever");
	assert_string_equal(o.state_dir, "/var/lib/sever");
	assert_string_equal(o.pin_dir, "/sys/fs/bpf/sever");
	assert_true(!o.config && !o.detach_all);
	assert_int_equal(try((const char *[WORDS]){ "--socket=/s", "--no-pins", "--state-dir", "d", "--config=c" }, &o, said), -1);
	assert_string_equal(o.socket, "/s");
	assert_string_equal(o.state_dir, "d");
	assert_string_equal(o.config, "c");
	assert_null(o.pin_dir);
	assert_int_equal(try((const char *[WORDS]){ "--detach-all", "--pin-dir", "/p" }, &o, said), -1);
	assert_true(o.detach_all && !strcmp(o.pin_dir, "/p"));
	assert_string_equal(said, "");
}

#define LONG_PATH                                                     \
	"/23456789012345678901234567890123456789012345678901234567890" \
	"123456789012345678901234567890123456789012345678"

/* Each with one line that names what is wrong. */
static void test_refused(void **state)
{
	static const struct {
		const char *words[WORDS], *named;
	} cases[] = {
		{ { "--socket", "" }, "--socket" },
		{ { "--socket", "run/io.sever" }, "--socket" },
		{ { "--socket", LONG_PATH }, "--socket" },
		{ { "--pin-dir", "" }, "--pin-dir" },
		{ { "--pin-dir", "bpf/sever" }, "--pin-dir" },
		{ { "--state-dir", "" }, "--state-dir" },
		{ { "--config", "" }, "--config" },
		{ { "--no-pins", "--pin-dir", "/p" }, "--no-pins and --pin-dir" },
		{ { "--pin-dir", "/p", "--no-pins" }, "--no-pins and --pin-dir" },
		{ { "--socket", "/a", "--socket", "/b" }, "--socket is given twice" },
		{ { "--detach-all", "--detach-all" }, "--detach-all is given twice" },
		{ { "--detach-all", "--socket", "/a" }, "--detach-all and --socket" },
		{ { "--detach-all", "--state-dir", "/a" }, "--detach-all and --state-dir" },
		{ { "--config", "/a", "--detach-all" }, "--detach-all and --config" },
		{ { "--detach-all", "--no-pins" }, "--detach-all and --no-pins" },
		{ { "word" }, "word" },
	};
	struct daemon_options o;
	char said[1024];

	(void)state;
	assert_int_equal(strlen(LONG_PATH), 108);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int r = try(cases[i].words, &o, said);

		if (r != STATUS_USAGE || !strstr(said, cases[i].named) || strchr(said, '\n') != said + strlen(said) - 1)
			fail_msg("%s: %d, \"%s\"", cases[i].named, r, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken), cmocka_unit_test(test_refused) };

	return unit_run("severd_options", tests, NULL);
}
