// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_first.c - kill --fence: the fence is up before anybody dies, who comes in before that is cut, too, and where nobody is
 * to be cut after all it is taken back. The fence is ours to refuse; connections and their ends are the kernel's. */
#include "own_net.h"
#include "pipeline/pipeline.h"

#include "unit.h"

#define PORT 7000

static struct {
	int listening;
	struct pair first, second; /* the second comes in while the fence goes up */
	unsigned int asked, accepted, lifted;
	enum status refuse; /* what the fence says */
	bool full;	    /* the record cannot take the request */
	bool nobody;	    /* puts up fences here */
	FILE *null;
	char err[ERR_LEN];
} scene;

static enum status fence(void *arg, char *ret_id, struct refusal *ret_why, char *err)
{
	(void)arg;
	assert_int_equal(scene.asked++, 0);
	assert_true(established(scene.first.in));
	scene.second = connected(scene.listening, "127.0.0.2", 0);
	if (scene.refuse == STATUS_OK) {
		strcpy(ret_id, "f7");
		return STATUS_OK;
	}
	ret_why->guard = GUARD_PROTECT;
	strcpy(err, "protected");
	return scene.refuse;
}

static void lift(void *arg, const char *id)
{
	(void)arg;
	assert_string_equal(id, "f7");
	scene.lifted++;
}

static int accept_victims(void *arg, struct selection *victims, char *err)
{
	(void)arg;
	(void)victims;
	assert_int_equal(scene.asked, 1);
	assert_true(established(scene.first.in) && established(scene.second.in));
	scene.accepted++;
	strcpy(err, scene.full ? "no room" : "");
	return scene.full ? -ENOSPC : 0;
}

static enum status cut(uint64_t max)
{
	const struct selector selectors[] = {
		{ .kind = SEL_NETNS, .text = "self", .netns = { .form = NETNS_SELF } },
		{ .kind = SEL_LOCAL_PORT, .text = "7000", .ports = { PORT, PORT } },
	};
	const struct request req = {
		.id = "6d1c0e9a-0000-4000-8000-000000000001",
		.verb = VERB_KILL,
		.selectors = selectors,
		.n_selectors = array_size(selectors),
		.wait = STAGE_VERIFIED,
		.timeout_ms = 20000,
		.fence_ms = 60000,
		.include_self = true,
		.max = max,
	};
	const struct access access = {
		.open = access_direct.open, .accept = accept_victims, .fence = scene.nobody ? NULL : fence, .lift = lift
	};
	struct report report = { .ops = &report_json, .out = scene.null, .err = scene.null };

	return terminate(&req, &access, &report, scene.err);
}

static int begin(void **state)
{
	const struct end e = end_of("127.0.0.1", PORT);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	scene.null = fopen("/dev/null", "we");
	scene.listening = bound(&e, SOCK_STREAM);
	must(listen(scene.listening, 5), "listen");
	scene.first = connected(scene.listening, "127.0.0.2", 0);
	return scene.null ? 0 : -1;
}

static int end(void **state)
{
	const int fds[] = { scene.first.out, scene.first.in, scene.second.out, scene.second.in, scene.listening };

	(void)state;
	for (size_t i = 0; i < array_size(fds); i++) {
		if (fds[i])
			reset_on_close(fds[i]);
		if (fds[i])
			close(fds[i]);
	}
	return fclose(scene.null);
}

static void check(unsigned int lifted, bool alive)
{
	assert_int_equal(scene.asked, 1);
	assert_int_equal(scene.lifted, lifted);
	assert_int_equal(established(scene.first.in), alive);
	assert_int_equal(established(scene.second.in), alive);
}

static void test_between(void **state)
{
	(void)state;
	assert_int_equal(cut(0), STATUS_OK);
	assert_int_equal(scene.accepted, 1);
	check(0, false);
}

/* A kill without its fence would be no cut at all. */
static void test_nobody(void **state)
{
	(void)state;
	scene.nobody = true;
	assert_int_equal(cut(0), STATUS_KERNEL);
	assert_non_null(strstr(scene.err, "nothing was touched"));
	assert_true(established(scene.first.in) && !scene.accepted && !scene.asked);
}

static void test_guard_after(void **state)
{
	(void)state;
	assert_int_equal(cut(1), STATUS_GUARD);
	assert_int_equal(scene.accepted, 0);
	check(1, true);
}

static void test_not_recorded(void **state)
{
	(void)state;
	scene.full = true;
	assert_int_equal(cut(0), STATUS_NO_DAEMON);
	assert_string_equal(scene.err, "no room");
	check(1, true);
}

/* It cannot be put up now. */
static void test_fence_not_ready(void **state)
{
	(void)state;
	scene.refuse = STATUS_NO_DAEMON;
	assert_int_equal(cut(0), STATUS_NO_DAEMON);
	assert_string_equal(scene.err, "protected; nothing was touched");
	assert_int_equal(scene.accepted, 0);
	check(0, true);
}

static void test_fence_refused(void **state)
{
	(void)state;
	scene.refuse = STATUS_GUARD;
	assert_int_equal(cut(0), STATUS_GUARD);
	assert_int_equal(scene.accepted, 0);
	check(0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_between, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody, begin, end),
		cmocka_unit_test_setup_teardown(test_guard_after, begin, end),
		cmocka_unit_test_setup_teardown(test_not_recorded, begin, end),
		cmocka_unit_test_setup_teardown(test_fence_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_fence_not_ready, begin, end),
	};

	if (geteuid() || own_net() < 0)
		return skip_all("needs root");
	return unit_status(cmocka_run_group_tests_name("fence_first", tests, NULL, NULL), array_size(tests));
}
