// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_vanish.c - a network namespace, all processes in it and all connections go away by themselves, at each moment of the work.
 * They are gone then: nothing is called alive, nothing fails for it.
 * LINK: -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom -Wl,--wrap=netns_discover -Wl,--wrap=owners_read_holders
 */
#include "kernel/netns.h"
#include "kernel/owners.h"
#include "scene.h"
#include "wire.h"
#include "unit.h"

static unsigned int vanish_at; /* this send */
static bool vanish_at_discovery, vanish_at_holders;

int __real_netns_discover(struct netns_table *t, const struct proctab *procs, const struct filter *f);
int __wrap_netns_discover(struct netns_table *t, const struct proctab *procs, const struct filter *f);
int __real_owners_read_holders(struct owners *o, const struct owner_scope *scope);
int __wrap_owners_read_holders(struct owners *o, const struct owner_scope *scope);

int __wrap_netns_discover(struct netns_table *t, const struct proctab *procs, const struct filter *f)
{
	if (vanish_at_discovery)
		scene_close(NULL);
	return __real_netns_discover(t, procs, f);
}

int __wrap_owners_read_holders(struct owners *o, const struct owner_scope *scope)
{
	if (vanish_at_holders)
		scene_close(NULL);
	return __real_owners_read_holders(o, scope);
}

static int before_send(unsigned int n, const struct nlmsghdr *h)
{
	(void)h;
	if (n == vanish_at)
		scene_close(NULL);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	wire_reset();
	wire.before_send = before_send;
	vanish_at = 0;
	vanish_at_discovery = vanish_at_holders = false;
	scene.apart = true;
	return 0;
}

static void kill_there(void)
{
	struct selector there[] = { { .kind = SEL_NETNS, .text = "0", .netns = { .form = NETNS_INODE } }, scene_selectors[1] };
	struct request req = scene_request(VERB_KILL);

	scene_open(20);
	there[0].netns.inode = scene.netns;
	req.selectors = there;
	req.n_selectors = array_size(there);
	wire.sends = 0;
	ask(&req);
}

static void test_stays(void **state)
{
	(void)state;
	kill_there();
	assert_int_not_equal(scene.netns, netns_here());
	assert_int_equal(answer.status, STATUS_OK);
	assert_int_equal(check_truth(false), 20);
}

/* The list of processes is a moment old: by now its door leads nowhere. */
static void test_before_discovery(void **state)
{
	(void)state;
	vanish_at_discovery = true;
	kill_there();
	assert_int_equal(answer.status, STATUS_NO_MATCH);
	assert_int_equal(answer.n, 0);
	assert_string_equal(answer.notes, "");
}

static void test_before_holders(void **state)
{
	(void)state;
	vanish_at_holders = true;
	kill_there();
	assert_int_equal(answer.status, STATUS_OK);
	assert_int_equal(answer.s.stale + answer.s.dead, 20);
}

static void test_at_each_send(void **state)
{
	unsigned int sends, none = 0, stale = 0, dead = 0;

	(void)state;
	kill_there();
	sends = wire.sends;
	scene_close(NULL);
	for (unsigned int n = 1; n <= sends; n += unit_stride(3)) {
		set_up(NULL);
		vanish_at = n;
		kill_there();
		assert_int_equal(scene.line, -1);
		if (answer.status != STATUS_OK && answer.status != STATUS_NO_MATCH)
			fail_msg("send %u: status %d: %s %s", n, answer.status, answer.err, answer.notes);
		assert_int_equal(answer.n, count_of(OUT_DEAD) + count_of(OUT_STALE));
		assert_int_equal(answer.status == STATUS_NO_MATCH, !answer.n);
		none += answer.status == STATUS_NO_MATCH;
		stale += answer.s.stale == 20;
		dead += answer.s.dead == 20;
	}
	assert_true(none && stale && dead);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_stays),
		SCENE(test_before_discovery),
		SCENE(test_before_holders),
		SCENE(test_at_each_send),
	};

	return unit_run_as_root("vanish", tests, scene_begin);
}
