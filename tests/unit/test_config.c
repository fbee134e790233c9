// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_config.c - severd.conf: what is read, and that all else is refused with its file and line. */
#include "daemon/config.h"

#include <string.h>

#include "unit.h"

static char path[] = "/tmp/sever-config-XXXXXX", err[ERR_LEN];
static struct config c;

static int read_bytes(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_true(f && fwrite(text, 1, len, f) == len && fclose(f) == 0);
	*err = '\0';
	return config_read(path, &c, err);
}

static int read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void refuses(const char *text, const char *where)
{
	size_t before = c.protect.n;

	assert_true(read_text(text) < 0);
	if (strncmp(err, path, strlen(path)) || !strstr(err, where))
		fail_msg("%s is not in: %s", where, err);
	assert_int_equal(c.protect.n, before);
}

static void test_read(void **state)
{
	char text[ADDR_STRLEN];

	(void)state;
	assert_int_equal(read_text(""), 0);
	assert_int_equal(c.protect.n, 0);
	assert_int_equal(read_text("# nothing\n\n \t\r\n  # --protect 10.0.0.0/8\n"), 0);
	assert_int_equal(c.protect.n, 0);
	assert_int_equal(read_text("--protect 192.0.2.0/24\n\t--protect\t fd00::1 \r\n--protect ::ffff:10.0.0.1"), 0);
	assert_int_equal(c.protect.n, 3);
	assert_string_equal(addr_format(&c.protect.v[0].addr, text), "192.0.2.0");
	assert_int_equal(c.protect.v[0].len, 24);
	assert_string_equal(addr_format(&c.protect.v[1].addr, text), "fd00::1");
	assert_int_equal(c.protect.v[1].len, 128);
	assert_string_equal(addr_format(&c.protect.v[2].addr, text), "10.0.0.1");
	assert_int_equal(read_text("--protect 192.0.2.1\n"), 0);
	assert_int_equal(c.protect.n, 1);
}

static void test_refused(void **state)
{
	(void)state;
	refuses("--portect 10.0.0.0/8\n", ":1: no such option: --portect");
	refuses("\n\nprotect 10.0.0.0/8\n", ":3: ");
	refuses("--protect\n", ":1: ");
	refuses("--protect 10.0.0.1/8\n", "10.0.0.0/8");
	refuses("--protect 10.0.0.0/8 10.1.0.0/16\n", ":1: ");
	refuses("--protect=10.0.0.0/8\n", ":1: ");
	refuses("--protect host.example\n", ":1: ");
	refuses("--protect fe80::1%eth0\n", "zone");
	refuses("--protect 10.0.0.0/8\n--protect 10.0.0.0/99\n", ":2: ");
}

static void test_hostile(void **state)
{
	_free_ char *big = malloc(1 << 16);

	(void)state;
	memset(big, ' ', 1 << 16);
	assert_true(read_bytes(big, 1 << 16) < 0);
	memset(big, '\n', 1 << 16);
	assert_int_equal(read_bytes(big, 1 << 16), 0);
	assert_true(read_bytes("--protect 10.0.0.0/8\0 --nonsense\n--x\n", 38) < 0);
	assert_true(read_bytes("#\0\n--nonsense\n", 14) < 0);
	assert_true(config_read("/", &c, err) < 0);
	assert_true(config_read("/dev/null", &c, err) < 0);
	assert_int_equal(config_read("/tmp/no-such-directory/at/all", &c, err), -ENOENT);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	closep(&fd);
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	config_clear(&c);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
	};

	return unit_run_with("config", tests, setup, teardown);
}
