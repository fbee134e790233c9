// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_nss.c - names from a service that answers, is slow, hangs, or changes its mind. The service is ours: who asks libc gets what
 * is said here. */
#include "daemon/nss.h"

#include "unit.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <string.h>

enum { GID = 4711 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t goes_on;
	bool hangs, nobody, no_group;
	int asked;
} service = { .lock = PTHREAD_MUTEX_INITIALIZER, .goes_on = PTHREAD_COND_INITIALIZER };

static void serve(void)
{
	pthread_mutex_lock(&service.lock);
	service.asked++;
	while (service.hangs)
		pthread_cond_wait(&service.goes_on, &service.lock);
	pthread_mutex_unlock(&service.lock);
}

static void hang(bool on)
{
	pthread_mutex_lock(&service.lock);
	service.hangs = on;
	pthread_cond_broadcast(&service.goes_on);
	pthread_mutex_unlock(&service.lock);
}

static int asked(void)
{
	int n;

	pthread_mutex_lock(&service.lock);
	n = service.asked;
	pthread_mutex_unlock(&service.lock);
	return n;
}

int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **ret)
{
	serve();
	*ret = NULL;
	if (service.nobody)
		return 0;
	snprintf(buf, size, "user%u", uid);
	*pw = (struct passwd){ .pw_name = buf, .pw_uid = uid };
	*ret = pw;
	return 0;
}

int getgrnam_r(const char *name, struct group *g, char *buf, size_t size, struct group **ret)
{
	serve();
	*ret = NULL;
	(void)buf;
	if (strcmp(name, "sever") != 0)
		abort();
	if (size < 100000)
		return ERANGE; /* it has many members */
	if (service.no_group)
		return 0;
	*g = (struct group){ .gr_gid = GID };
	*ret = g;
	return 0;
}

static struct nss *n;

static int setup(void **state)
{
	(void)state;
	service.hangs = service.nobody = service.no_group = false;
	service.asked = 0;
	return nss_open(&n);
}

static int teardown(void **state)
{
	(void)state;
	nss_close(n);
	return 0;
}

static const char *name(uint32_t uid)
{
	static char text[NSS_NAME_LEN];

	return nss_user(n, uid, text);
}

/* Until it is known: another may have spent the time that there is for waiting. */
static const char *name_in_time(uint32_t uid)
{
	for (int i = 0; i < 20000 && !name(uid); i++)
		usleep(1000);
	return name(uid);
}

static uint64_t ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(name_in_time(3001), "user3001");
	assert_string_equal(name_in_time(3001), "user3001");
	assert_int_equal(asked(), 1);
	assert_string_equal(name_in_time(3002), "user3002");
	/* In the same place of a table of any size up to 65536. */
	assert_string_equal(name_in_time(3001 + 65536), "user68537");
	assert_string_equal(name_in_time(3001), "user3001");
	service.nobody = true;
	assert_string_equal(name_in_time(7), "uid:7");
}

/* All that asks while it hangs waits no longer than that, together, in a second. */
static void test_hangs(void **state)
{
	const struct peer member = { .uid = 5, .gid = GID };
	uint64_t begun;

	(void)state;
	hang(true);
	begun = ms();
	for (uint32_t uid = 100; uid < 1100; uid++)
		assert_null(name(uid));
	assert_false(nss_rights(n, &member));
	assert_true(ms() - begun < 1000 + 5 * NSS_PATIENCE_MS); /* it may have become a second */
	assert_int_equal(asked(), 1);
	hang(false);
	assert_string_equal(name_in_time(100), "user100");
	assert_string_equal(name_in_time(1099), "user1099");
}

static void test_closed_while_it_hangs(void **state)
{
	uint64_t begun = ms();

	hang(true);
	assert_null(name(100));
	nss_close(n);
	assert_true(ms() - begun < 10000);
	hang(false);
	setup(state);
}

static bool allowed(const struct peer *p, bool wanted)
{
	for (int i = 0; i < 20000 && nss_rights(n, p) != wanted; i++)
		usleep(1000);
	return nss_rights(n, p);
}

/* Always as it is now, but where nobody says how it is: then as it was. */
static void test_rights(void **state)
{
	gid_t groups[] = { 7, GID };
	const struct peer root = { 0 }, alice = { .uid = 5, .gid = 5 }, member = { .uid = 5, .gid = 5, .groups = groups, .n_groups = 2 };

	(void)state;
	assert_true(nss_rights(n, &root));
	assert_int_equal(asked(), 0);
	assert_true(allowed(&member, true));
	assert_false(allowed(&alice, false));
	hang(true);
	assert_true(nss_rights(n, &member));
	assert_false(nss_rights(n, &alice));
	service.no_group = true;
	hang(false);
	assert_false(allowed(&member, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_while_it_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
	};

	alarm(120);
	return unit_run("nss", tests, NULL);
}
