// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_stop.c - the work ends early: by a signal at any moment, for want of time, because a look-up fails, because the right to
 * do it is lost. What was cut is called dead, what was not is called alive.
 * LINK: -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom -Wl,--wrap=clock_gettime
 */
#include "scene.h"
#include "wire.h"
#include "unit.h"

#include <time.h>

static volatile sig_atomic_t stop;
static unsigned int stop_at, fail_at;
static int failure;
static bool late; /* the clock runs ahead of every deadline */

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	static time_t ahead;
	int r = __real_clock_gettime(clock, t);

	ahead += late ? 3600 : 0;
	t->tv_sec += ahead;
	return r;
}

static int before_send(unsigned int n, const struct nlmsghdr *h)
{
	(void)h;
	if (stop_at && n >= stop_at)
		stop = 1;
	return fail_at && n >= fail_at ? failure : 0;
}

static int set_up(void **state)
{
	(void)state;
	wire_reset();
	wire.before_send = before_send;
	stop = 0;
	stop_at = fail_at = 0;
	late = false;
	return 0;
}

/* A whole kill of n connections; how many times it sends. */
static unsigned int sends_of(size_t n)
{
	set_up(NULL);
	scene_open(n);
	kill_all(STATUS_OK, n);
	scene_close(NULL);
	return wire.sends;
}

/* At each send in turn. 1100 connections are more than one round of the engine. */
static void test_stop(void **state)
{
	struct request req = scene_request(VERB_KILL);
	unsigned int sends = sends_of(1100), partial = 0, whole = 0;

	(void)state;
	req.stop = &stop;
	for (unsigned int n = 1; n <= sends; n += unit_stride(10)) {
		size_t dead;

		set_up(NULL);
		stop_at = n;
		scene_open(1100);
		ask(&req);
		dead = check_truth(false);
		assert_true(answer.s.interrupted);
		assert_int_equal(answer.status, dead == 1100 ? STATUS_OK : STATUS_PARTIAL);
		assert_true(dead == 0 || dead == 1024 || dead == 1100);
		partial += dead == 1024;
		whole += dead == 1100;
		for (size_t i = 0; i < answer.n; i++)
			if (answer.v[i].outcome == OUT_ALIVE)
				assert_string_equal(answer.v[i].note, "interrupted before its turn");
		scene_close(NULL);
	}
	assert_true(partial && whole);
}

/* While it waits for connections to drain: what owes nothing is cut at once, so all that is left is cut too. */
static void test_stop_in_drain(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.stop = &stop;
	req.drain_ms = 60000;
	for (stop_at = 1; stop_at < 12; stop_at++) {
		scene_open(20);
		ask(&req);
		check_truth(false);
		assert_true(answer.status == STATUS_OK || answer.status == STATUS_PARTIAL);
		scene_close(NULL);
		stop = 0;
		wire.sends = 0;
	}
}

static void test_no_time(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	late = true;
	scene_open(20);
	ask(&req);
	assert_int_equal(answer.status, STATUS_PARTIAL);
	assert_int_equal(check_truth(false), 0);
	assert_string_equal(answer.v[0].note, "time ran out before its turn");
}

/* The conversation breaks off at each place in turn and never recovers. What is dead may not be called dead without proof,
 * but the status may say neither that all went well nor, once something died, that nothing was touched. */
static void broken_at_each(int err)
{
	const struct request req = scene_request(VERB_KILL);
	unsigned int sends = sends_of(300), cut = 0;

	for (unsigned int n = 1; n <= sends; n += unit_stride(10)) {
		size_t dead;

		set_up(NULL);
		fail_at = n;
		failure = err;
		scene_open(300);
		ask(&req);
		assert_int_not_equal(answer.status, STATUS_OK);
		dead = answer.n ? check_truth(true) : 300 - scene_look();
		if (dead && answer.status != STATUS_PARTIAL)
			fail_msg("send %u: %zu are dead, and the status is %d: %s", n, dead, answer.status, answer.err);
		assert_true(dead == 0 || answer.n == 300);
		cut += dead > 0;
		scene_close(NULL);
	}
	assert_true(cut * unit_stride(10) > 2);
}

static void test_broken(void **state)
{
	(void)state;
	broken_at_each(-ECONNREFUSED);
}

static void test_broken_by_want_of_memory(void **state)
{
	(void)state;
	broken_at_each(-ENOMEM);
}

static void test_broken_by_lost_right(void **state)
{
	(void)state;
	broken_at_each(-EPERM);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_stop),   SCENE(test_stop_in_drain),		  SCENE(test_no_time),
		SCENE(test_broken), SCENE(test_broken_by_want_of_memory), SCENE(test_broken_by_lost_right),
	};

	return unit_run_as_root("stop", tests, scene_begin);
}
