// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_users.c - names to uids and back through the host's own NSS, over a passwd file of our own
 * in a mount namespace of our own. Only answers that no file can give (a broken database) are put
 * in by hand. */
// LINK: -Wl,--wrap=getpwnam_r
#include "names/users.h"
#include "unit.h"

#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#define PASSWD "/etc/passwd" /* in a mount namespace of our own */

static int broken_with[2]; /* errors of the next calls, 0: ask the real one */

int __real_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **ret);
int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **ret);

int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **ret)
{
	int r = broken_with[0];

	if (!r)
		return __real_getpwnam_r(name, pw, buf, size, ret);
	broken_with[0] = broken_with[1];
	broken_with[1] = 0;
	*ret = NULL;
	return r;
}

static void put_user(FILE *f, const char *name, const char *uid, size_t comment)
{
	fprintf(f, "%s:x:%s:100:", name, uid);
	while (comment--)
		fputc('x', f);
	fputs(":/:/bin/sh\n", f);
}

static int write_passwd(bool with_huge)
{
	_fclose_ FILE *f = fopen(PASSWD, "w");

	if (!f)
		return -errno;
	put_user(f, "alice", "1001", 0);
	put_user(f, "CORP\\alice", "1001", 0);
	put_user(f, "bob@CORP", "1002", 0);
	put_user(f, "CORP\\eve", "1003", 0);
	put_user(f, "eve@CORP", "1004", 0);
	put_user(f, "CORP\\dave", "1005", 0);
	put_user(f, "dave@CORP", "1005", 0);
	put_user(f, "2001", "1006", 0);
	put_user(f, "long", "1007", 100000);
	put_user(f, "nobody-at-all", "4294967295", 0);
	if (with_huge)
		put_user(f, "huge", "1008", 2 << 20);
	return 0;
}

static int write_nsswitch(void)
{
	_fclose_ FILE *f = fopen("/etc/nsswitch.conf", "w");

	return f && fputs("passwd: files\n", f) >= 0 ? 0 : -errno;
}

/* Nothing of this outlives the process. A caching daemon would answer from its own file, so it is
 * hidden. */
static const char *set_up(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return "needs root for a mount namespace of its own";
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", "/etc", "tmpfs", 0, NULL) < 0)
		return "cannot mount in a namespace of its own";
	if (write_passwd(false) < 0 || write_nsswitch() < 0)
		return "cannot write a passwd file of its own";
	if (access("/run/nscd", F_OK) == 0 && mount("none", "/run/nscd", "tmpfs", 0, NULL) < 0)
		return "cannot hide nscd";
	return NULL;
}

static void resolves(const char *name, uint32_t want)
{
	char err[ERR_LEN] = "";
	uint32_t uid = 7;

	if (user_resolve(name, &uid, err) != 0)
		fail_msg("%s: %s", name, err);
	assert_int_equal(uid, want);
}

static void refuses(const char *name, int want, const char *why)
{
	char err[ERR_LEN] = "";
	uint32_t uid = 7;
	int r = user_resolve(name, &uid, err);

	if (r != want || !strstr(err, why))
		fail_msg("%s: %d \"%s\", not %d \"%s\"", name, r, err, want, why);
	assert_int_equal(uid, 7);
}

static void test_names(void **state)
{
	(void)state;
	resolves("alice", 1001);
	refuses("Alice", -ESRCH, "no such user: Alice");
	refuses("root", -ESRCH, "no such user: root"); /* the host's own file is hidden */
	refuses("", -ESRCH, "no such user");
}

static void test_domains(void **state)
{
	(void)state;
	resolves("CORP\\alice", 1001);
	resolves("alice@CORP", 1001);
	resolves("bob@CORP", 1002);
	resolves("CORP\\bob", 1002);
	resolves("CORP\\dave", 1005);
	resolves("dave@CORP", 1005);
	refuses("bob", -ESRCH, "no such user");
	refuses("OTHER\\alice", -ESRCH, "no such user: OTHER\\alice");
}

static void test_ambiguous(void **state)
{
	(void)state;
	refuses("CORP\\eve", -EINVAL, "CORP\\eve is uid 1003, eve@CORP is uid 1004");
	refuses("eve@CORP", -EINVAL, "ambiguous user: eve@CORP is uid 1004, CORP\\eve is uid 1003");
}

/* A user called 2001 is not the user with that uid, and a uid is no name. */
static void test_digits(void **state)
{
	(void)state;
	resolves("2001", 1006);
	refuses("1001", -ESRCH, "no such user");
}

static void test_no_uid(void **state)
{
	(void)state;
	refuses("nobody-at-all", -ESRCH, "no such user");
}

static void test_large_records(void **state)
{
	_cleanup_(user_cache_freep) struct user_cache *cache = NULL;

	(void)state;
	resolves("long", 1007);
	assert_int_equal(write_passwd(true), 0);
	refuses("huge", -E2BIG, "cannot look up user huge: ");
	assert_string_equal(user_name(&cache, 1008), "uid:1008");
	assert_int_equal(write_passwd(false), 0);
}

static void test_broken_database(void **state)
{
	static const int not_found[] = { ENOENT, ESRCH, EBADF, EPERM };
	static const int failed[] = { EIO, EMFILE, ENOMEM, EAGAIN };

	(void)state;
	for (size_t i = 0; i < array_size(not_found); i++) {
		broken_with[0] = not_found[i];
		refuses("no-such-user", -ESRCH, "no such user");
		assert_int_equal(broken_with[0], 0);
	}
	for (size_t i = 0; i < array_size(failed); i++) {
		broken_with[0] = failed[i];
		refuses("alice", -failed[i], strerror(failed[i]));
		broken_with[0] = ENOENT;
		broken_with[1] = failed[i];
		refuses("CORP\\alice", -failed[i], strerror(failed[i]));
	}
}

static void test_interrupted(void **state)
{
	(void)state;
	broken_with[0] = broken_with[1] = EINTR;
	resolves("alice", 1001);
}

/* The names are remembered: a user deleted meanwhile keeps his until the cache goes. */
static void test_cache(void **state)
{
	_cleanup_(user_cache_freep) struct user_cache *cache = NULL;
	const char *alice;

	(void)state;
	alice = user_name(&cache, 1001);
	assert_string_equal(alice, "alice");
	for (uint32_t uid = 100000; uid < 101000; uid++) {
		char want[32];

		snprintf(want, sizeof(want), "uid:%u", uid);
		assert_string_equal(user_name(&cache, uid), want);
	}
	assert_string_equal(user_name(&cache, 1002), "bob@CORP");
	assert_string_equal(user_name(&cache, UINT32_MAX), "uid:4294967295");
	assert_int_equal(truncate(PASSWD, 0), 0);
	assert_ptr_equal(user_name(&cache, 1001), alice);
	assert_string_equal(alice, "alice");
	assert_string_equal(user_name(&cache, 1003), "uid:1003");
	assert_int_equal(write_passwd(false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_ambiguous),	cmocka_unit_test(test_digits),
		cmocka_unit_test(test_no_uid),		cmocka_unit_test(test_large_records),
		cmocka_unit_test(test_broken_database), cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_cache),
	};

	const char *why_not = set_up();

	if (why_not)
		return skip_all(why_not);
	return unit_run("users", tests, NULL);
}
