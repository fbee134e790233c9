// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_clients.c - host names to addresses through the host's own NSS, over a hosts file of our own
 * in a mount namespace of our own. What only a resolver on the network can answer is put in by
 * hand. */
// LINK: -Wl,--wrap=getaddrinfo
#include "names/clients.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

static int answer; /* of the resolver, 0: ask the real one */

int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	assert_int_equal(hints->ai_flags & AI_ADDRCONFIG, 0);
	errno = ECONNREFUSED;
	return answer ? answer : __real_getaddrinfo(node, service, hints, ret);
}

static int put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	return !f || fputs(text, f) < 0 || fclose(f) < 0 ? -errno : 0;
}

static const char *set_up(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return "needs root for a mount namespace of its own";
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", "/etc", "tmpfs", 0, NULL) < 0)
		return "cannot mount in a namespace of its own";
	if (put("/etc/nsswitch.conf", "hosts: files\n") < 0 || put("/etc/host.conf", "multi on\n") < 0 ||
	    put("/etc/hosts", "192.0.2.1 hosta\n"
			      "192.0.2.2 hosta other\n"
			      "192.0.2.1 hosta\n"
			      "2001:db8::1 hosta\n"
			      "::ffff:192.0.2.9 mapped\n"
			      "0.0.0.0 blocked\n"
			      ":: blocked\n") < 0)
		return "cannot write a hosts file of its own";
	if (access("/run/nscd", F_OK) == 0 && mount("none", "/run/nscd", "tmpfs", 0, NULL) < 0)
		return "cannot hide nscd";
	return NULL;
}

static bool has(const struct prefix *v, size_t n, const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p, NULL), 0);
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&v[i].addr, &p.addr) && v[i].len == p.len && !strcmp(v[i].zone, p.zone))
			return true;
	return false;
}

static void test_all_addresses(void **state)
{
	_free_ struct prefix *v = NULL;
	char err[ERR_LEN] = "";
	size_t n = 0;

	(void)state;
	if (client_resolve("HostA", &v, &n, err) != 0)
		fail_msg("%s", err);
	assert_int_equal(n, 3);
	assert_true(has(v, n, "192.0.2.1") && has(v, n, "192.0.2.2") && has(v, n, "2001:db8::1"));
}

static void test_mapped(void **state)
{
	_free_ struct prefix *v = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(client_resolve("mapped", &v, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_true(has(v, n, "192.0.2.9"));
}

static void refuses(const char *host, int want, const char *why)
{
	struct prefix *v = (void *)&v;
	char err[ERR_LEN] = "";
	size_t n = 7;
	int r = client_resolve(host, &v, &n, err);

	if (r != want || !strstr(err, why))
		fail_msg("%s: %d \"%s\", not %d \"%s\"", host, r, err, want, why);
	assert_ptr_equal(v, &v);
	assert_int_equal(n, 7);
}

static void test_unknown(void **state)
{
	(void)state;
	refuses("hostb", -ESRCH, "no such host: hostb");
	refuses("blocked", -ESRCH, "no address leads to host blocked");
}

/* getaddrinfo(3) reads these as addresses. */
static void test_abbreviated(void **state)
{
	(void)state;
	refuses("127.1", -ESRCH, "not the name of a host: ");
	refuses("0x7f000001", -ESRCH, "not the name of a host: ");
	refuses("2130706433", -ESRCH, "not the name of a host: ");
}

static void test_resolver(void **state)
{
	static const struct {
		int answer, want;
		const char *why;
	} cases[] = {
		{ EAI_NONAME, -ESRCH, "no such host" },
		{ EAI_NODATA, -ESRCH, "no such host" },
		{ EAI_AGAIN, -EAGAIN, "cannot look up host hosta: " },
		{ EAI_FAIL, -EAGAIN, "cannot look up host hosta: " },
		{ EAI_SYSTEM, -EAGAIN, "Connection refused" },
		{ EAI_MEMORY, -ENOMEM, "" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		answer = cases[i].answer;
		refuses("hosta", cases[i].want, cases[i].why);
	}
	answer = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_addresses), cmocka_unit_test(test_mapped),   cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_abbreviated),   cmocka_unit_test(test_resolver),
	};

	const char *why_not = set_up();

	if (why_not)
		return skip_all(why_not);
	return unit_run("clients", tests, NULL);
}
