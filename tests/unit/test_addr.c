// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_addr.c - what is an address, what is nearly one, and what a prefix covers. */
#include "model/addr.h"
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>

static struct addr addr(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p, NULL), 0);
	return p.addr;
}

static void reads(const char *text, const char *address, unsigned int len, const char *zone)
{
	char buf[ADDR_STRLEN], err[ERR_LEN] = "";
	struct prefix p;

	if (prefix_parse(text, &p, err) != 0)
		fail_msg("%s: %s", text, err);
	assert_string_equal(addr_format(&p.addr, buf), address);
	assert_int_equal(p.len, len);
	assert_string_equal(p.zone, zone);
	assert_int_equal(p.addr.scope, 0);
}

static void test_reads(void **state)
{
	(void)state;
	reads("192.0.2.1", "192.0.2.1", 32, "");
	reads("0.0.0.0", "0.0.0.0", 32, "");
	reads("0.0.0.0/0", "0.0.0.0", 0, "");
	reads("10.0.0.0/8", "10.0.0.0", 8, "");
	reads("10.1.2.2/31", "10.1.2.2", 31, "");
	reads("2001:DB8::1", "2001:db8::1", 128, "");
	reads("[2001:db8::1]", "2001:db8::1", 128, "");
	reads("[2001:db8::]/32", "2001:db8::", 32, "");
	reads("2001:db8::/33", "2001:db8::", 33, "");
	reads("::/0", "::", 0, "");
	reads("::ffff:127.0.0.2", "127.0.0.2", 32, "");
	reads("::FFFF:7f00:2", "127.0.0.2", 32, "");
	reads("[::ffff:127.0.0.2]", "127.0.0.2", 32, "");
	reads("::ffff:10.0.0.0/104", "10.0.0.0", 8, "");
	reads("::ffff:0.0.0.0/96", "0.0.0.0", 0, "");
	reads("::127.0.0.2", "::127.0.0.2", 128, "");
	reads("fe80::1%eth0", "fe80::1", 128, "eth0");
	reads("[fe80::1%eth0]", "fe80::1", 128, "eth0");
	reads("fe80::1%3", "fe80::1", 128, "3");
	reads("fe80::%eth0/64", "fe80::", 64, "eth0");
	reads("febf::1%a-15-byte-name1", "febf::1", 128, "a-15-byte-name1");
	reads("ff02::1%lo", "ff02::1", 128, "lo");
}

static void refuses(const char *text, int want, const char *why)
{
	struct prefix p, before;
	char err[ERR_LEN] = "";
	int r;

	memset(&p, 0x5a, sizeof(p));
	before = p;
	r = prefix_parse(text, &p, err);
	if (r != want)
		fail_msg("%s: %d (%s), not %d", text, r, err, want);
	if (!strstr(err, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err, why);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void test_not_an_address(void **state)
{
	static const char *const words[] = {
		"",
		"hosta",
		"127.1",
		"2130706433",
		"0x7f.0.0.1",
		"127.0.0.01",
		"0177.0.0.1",
		"1.2.3.4.5",
		"256.0.0.1",
		" 127.0.0.1",
		"127.0.0.1 ",
		"127.0.0.1:22",
		"[127.0.0.1]",
		"[::1",
		"::1]",
		"[::1]x",
		"[]",
		"[::1]:22",
		"::1::",
		"12345::",
		"::ffff:1.2.3",
		"hosta/24",
		"hosta%eth0",
		"127.1/8",
		"%eth0",
		"/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"[[::1]]",
		"11111111111111111111111111111111111111111111111111111111111111111",
	};

	(void)state;
	for (size_t i = 0; i < array_size(words); i++)
		refuses(words[i], -EINVAL, "not an address");
}

static void test_wrong_length(void **state)
{
	static const char *const v4[] = { "10.0.0.0/",		"10.0.0.0/33",
					  "10.0.0.0/-1",	"10.0.0.0/ 8",
					  "10.0.0.0/8x",	"10.0.0.0/8/8",
					  "10.0.0.0/255.0.0.0", "10.0.0.0/4294967304",
					  "10.0.0.0/+8",	"10.0.0.0/18446744073709551624" };

	(void)state;
	for (size_t i = 0; i < array_size(v4); i++)
		refuses(v4[i], -ERANGE, "not a prefix length (0 to 32)");
	refuses("2001:db8::/129", -ERANGE, "not a prefix length (0 to 128)");
	refuses("fe80::/64%eth0", -ERANGE, "not a prefix length (0 to 128)");
	refuses("[fe80::/64]", -EINVAL, "");
}

static void test_host_bits(void **state)
{
	(void)state;
	refuses("10.1.2.3/8", -ERANGE, " 10.0.0.0/8");
	refuses("192.0.2.1/31", -ERANGE, " 192.0.2.0/31");
	refuses("127.0.0.1/0", -ERANGE, " 0.0.0.0/0");
	refuses("2001:db8::1/32", -ERANGE, " 2001:db8::/32");
	refuses("::ffff:10.1.2.3/104", -ERANGE, " 10.0.0.0/8");
	refuses("::ffff:10.0.0.0/95", -ERANGE, " ::fffe:0:0/95");
	refuses("::ffff:0:0/64", -ERANGE, " ::/64");
}

static void test_zones(void **state)
{
	(void)state;
	refuses("2001:db8::1%eth0", -ERANGE, "link-local");
	refuses("192.0.2.1%eth0", -ERANGE, "link-local");
	refuses("::ffff:169.254.0.1%eth0", -ERANGE, "link-local");
	refuses("fec0::1%eth0", -ERANGE, "link-local");
	refuses("fe80::1%", -ERANGE, "zone");
	refuses("fe80::1%0", -ERANGE, "device number");
	refuses("fe80::1%4294967299", -ERANGE, "device number");
	refuses("fe80::1%a-16-byte-name12", -ERANGE, "zone");
	refuses("fe80::1%a b", -ERANGE, "byte");
	refuses("fe80::1%a\nb", -ERANGE, "byte");
	refuses("[fe80::1%a/b]", -ERANGE, "byte");
	refuses("fe80::1%a%:", -ERANGE, "byte");
}

static void test_from_bytes(void **state)
{
	const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 };
	const uint8_t zero[16] = {};
	struct addr a = addr_from_bytes(AF_INET6, mapped), b = addr_from_bytes(AF_INET, mapped + 12);

	(void)state;
	assert_int_equal(a.family, AF_INET);
	assert_true(addr_equal(&a, &b));
	assert_false(addr_is_unset(&a));
	assert_int_equal(addr_from_bytes(AF_UNIX, mapped).family, 0);
	a = addr_from_bytes(AF_INET6, zero);
	b = addr_from_bytes(AF_INET, zero);
	assert_true(addr_is_unset(&a) && addr_is_unset(&b));
	assert_false(addr_equal(&a, &b));
	assert_true(addr_is_unset(&(struct addr){}));
}

static void test_format(void **state)
{
	struct addr a = addr("fe80::1"), b = a;
	char buf[ADDR_STRLEN];

	(void)state;
	a.scope = UINT32_MAX;
	assert_string_equal(addr_format(&a, buf), "fe80::1%4294967295");
	assert_false(addr_equal(&a, &b));
	assert_string_equal(addr_format(&(struct addr){}, buf), "*");
	a = addr("1111:2222:3333:4444:5555:6666:7777:8888");
	a.scope = UINT32_MAX;
	assert_string_equal(addr_format(&a, buf), "1111:2222:3333:4444:5555:6666:7777:8888%4294967295");
}

static void test_linklocal(void **state)
{
	static const char *const yes[] = { "fe80::1", "febf:ffff::", "ff02::1", "ff12::1" };
	static const char *const no[] = { "fe7f::1", "fec0::1", "169.254.0.1", "::", "ff05::1", "ff01::1" };
	struct addr a;

	(void)state;
	for (size_t i = 0; i < array_size(yes); i++) {
		a = addr(yes[i]);
		assert_true(addr_is_linklocal(&a));
	}
	for (size_t i = 0; i < array_size(no); i++) {
		a = addr(no[i]);
		assert_false(addr_is_linklocal(&a));
	}
}

static bool covers(const char *prefix, uint32_t zone_index, const char *address, uint32_t scope)
{
	struct addr a = addr(address);
	struct prefix p;

	assert_int_equal(prefix_parse(prefix, &p, NULL), 0);
	a.scope = scope;
	return prefix_match(&p, zone_index, &a);
}

static void test_match(void **state)
{
	const struct addr none = {};
	struct prefix p;

	(void)state;
	assert_true(covers("10.0.0.0/8", 0, "10.255.255.255", 0));
	assert_false(covers("10.0.0.0/8", 0, "11.0.0.0", 0));
	assert_true(covers("10.0.0.0/9", 0, "10.127.0.1", 0));
	assert_false(covers("10.0.0.0/9", 0, "10.128.0.1", 0));
	assert_true(covers("0.0.0.0/0", 0, "203.0.113.9", 0));
	assert_false(covers("0.0.0.0/0", 0, "::1", 0));
	assert_false(covers("::/0", 0, "::ffff:10.0.0.1", 0));
	assert_true(covers("::/0", 0, "2001:db8::1", 0));
	assert_true(covers("::ffff:10.0.0.0/104", 0, "10.9.9.9", 0));
	assert_true(covers("2001:db8::1", 0, "2001:db8::1", 0));
	assert_false(covers("2001:db8::1", 0, "2001:db8::2", 0));
	assert_int_equal(prefix_parse("0.0.0.0/0", &p, NULL), 0);
	assert_false(prefix_match(&p, 0, &none));
}

/* Without a zone any device will do; with one, only the device that has that name where the flow
 * is. */
static void test_match_zone(void **state)
{
	(void)state;
	assert_true(covers("fe80::1", 0, "fe80::1", 7));
	assert_true(covers("fe80::/10", 0, "fe80::1", 7));
	assert_true(covers("fe80::1%eth0", 7, "fe80::1", 7));
	assert_false(covers("fe80::1%eth0", 7, "fe80::1", 8));
	assert_false(covers("fe80::1%eth0", 0, "fe80::1", 0));
	assert_false(covers("fe80::1%eth0", 0, "fe80::1", 7));
	assert_false(covers("fe80::1%eth0", 7, "fe80::2", 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	     cmocka_unit_test(test_not_an_address),
		cmocka_unit_test(test_wrong_length), cmocka_unit_test(test_host_bits),
		cmocka_unit_test(test_zones),	     cmocka_unit_test(test_from_bytes),
		cmocka_unit_test(test_format),	     cmocka_unit_test(test_linklocal),
		cmocka_unit_test(test_match),	     cmocka_unit_test(test_match_zone),
	};

	return unit_run("addr", tests, NULL);
}
