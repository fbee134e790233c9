// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_select.c - which of the flows that are found again are victims that still live. */
#include "pipeline/select.h"
#include "unit.h"

#include <sys/socket.h>

static struct flow flow_in(enum proto proto, enum state state)
{
	return (struct flow){ .cookie = 5, .netns = 1, .family = AF_INET, .proto = proto, .state = state };
}

/* Found again in another state: whether the victim is there, and whether it is taken for one that is new. */
static bool lives(const struct flow *victim, enum state state, bool *ret_new)
{
	const struct filter everything = { .protos = ~0u, .states = ~0u };
	const struct flow found = flow_in(victim->proto, state);
	struct selection sel = { 0 };
	struct flowset frozen = { 0 };
	struct select s = { .filter = &everything, .frozen = &frozen, .sel = &sel };
	bool present;

	assert_int_equal(flowset_add(&frozen, victim), 1);
	assert_int_equal(select_flow(&s, &found), 0);
	present = flowset_find(&frozen, victim)->present;
	*ret_new = sel.flows.n;
	selection_clear(&sel);
	flowset_clear(&frozen);
	return present;
}

static void test_tcp(void **state)
{
	const struct flow open = flow_in(PROTO_TCP, STATE_ESTABLISHED), remains = flow_in(PROTO_TCP, STATE_TIME_WAIT);
	bool new;

	(void)state;
	assert_true(lives(&open, STATE_ESTABLISHED, &new) && !new);
	assert_true(lives(&open, STATE_CLOSE_WAIT, &new) && !new);
	assert_true(!lives(&open, STATE_TIME_WAIT, &new) && !new); /* it has ended: what is left has its cookie */
	assert_true(lives(&remains, STATE_TIME_WAIT, &new) && !new);
}

/* Its socket is there all the same, without a peer; with one, once it was dead, its program has connected it again. */
static void test_udp(void **state)
{
	struct flow victim = flow_in(PROTO_UDP, STATE_ESTABLISHED);
	bool new;

	(void)state;
	assert_true(lives(&victim, STATE_ESTABLISHED, &new) && !new);
	assert_true(!lives(&victim, STATE_CLOSE, &new) && !new);
	victim.outcome = OUT_DEAD;
	assert_true(!lives(&victim, STATE_ESTABLISHED, &new) && new);
	assert_true(!lives(&victim, STATE_CLOSE, &new) && !new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp),
	};

	return unit_status(cmocka_run_group_tests(tests, NULL, NULL), array_size(tests));
}
