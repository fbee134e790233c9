// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_flow.c - sets of flows: each socket once, in the order found, however many there are. */
#include "model/flow.h"
#include "unit.h"

#include <string.h>

#define MANY 100000

static struct flow tcp(uint64_t cookie)
{
	return (struct flow){ .cookie = cookie, .inode = cookie * 3, .proto = PROTO_TCP, .uid = cookie * 7 };
}

/* The flows of CPU k count up from a start of their own, in steps that vary. */
static uint64_t nth_cookie(size_t i)
{
	return (i % 4 << 40) + 4096 * (i / 4) + 1;
}

static void fill(struct flowset *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct flow f = tcp(nth_cookie(i));

		assert_int_equal(flowset_add(s, &f), 1);
	}
}

static void test_empty(void **state)
{
	struct flowset s = { 0 };
	struct flow f = tcp(1);

	(void)state;
	assert_null(flowset_find(&s, &f));
	flowset_filter(&s, NULL, NULL);
	flowset_clear(&s);
}

static void test_repeats(void **state)
{
	_cleanup_(flowset_clear) struct flowset s = { 0 };
	struct flow f = tcp(5), again = tcp(5);

	(void)state;
	f.note = "first";
	assert_int_equal(flowset_add(&s, &f), 1);
	again.note = "second";
	again.state = STATE_CLOSE_WAIT;
	again.local_port = 99;
	assert_int_equal(flowset_add(&s, &again), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.v[0].note, "first");
	assert_ptr_equal(flowset_find(&s, &again), &s.v[0]);
}

/* The same addresses with another cookie are another connection. */
static void test_tuple_is_no_identity(void **state)
{
	_cleanup_(flowset_clear) struct flowset s = { 0 };
	struct flow old = tcp(5), new = tcp(6);

	(void)state;
	old.local_port = new.local_port = 22;
	old.inode = new.inode = 9;
	assert_int_equal(flowset_add(&s, &old), 1);
	assert_null(flowset_find(&s, &new));
	assert_int_equal(flowset_add(&s, &new), 1);
}

static void test_growth_keeps_all(void **state)
{
	_cleanup_(flowset_clear) struct flowset s = { 0 };

	(void)state;
	fill(&s, MANY);
	assert_int_equal(s.n, MANY);
	for (size_t i = 0; i < MANY; i++) {
		struct flow key = tcp(nth_cookie(i)), other = tcp(nth_cookie(i) + 1);

		assert_ptr_equal(flowset_find(&s, &key), &s.v[i]);
		assert_int_equal(s.v[i].uid, (uint32_t)(key.cookie * 7));
		assert_null(flowset_find(&s, &other));
	}
}

static bool keep_every(const struct flow *f, void *arg)
{
	const size_t *nth = arg;

	return f->uid / 7 % *nth == 0;
}

static void test_filter(void **state)
{
	_cleanup_(flowset_clear) struct flowset s = { 0 };
	size_t nth = 3;

	(void)state;
	for (uint64_t c = 1; c <= 999; c++) {
		struct flow f = tcp(c);

		assert_int_equal(flowset_add(&s, &f), 1);
	}
	flowset_filter(&s, keep_every, &nth);
	assert_int_equal(s.n, 333);
	for (uint64_t c = 1; c <= 999; c++) {
		struct flow f = tcp(c), *found = flowset_find(&s, &f);

		if (c % 3)
			assert_null(found);
		else
			assert_ptr_equal(found, &s.v[c / 3 - 1]);
	}
	/* What was dropped may come again, what was kept may not. */
	for (uint64_t c = 1; c <= 999; c++) {
		struct flow f = tcp(c);

		assert_int_equal(flowset_add(&s, &f), c % 3 ? 1 : 0);
	}
	nth = 5000;
	flowset_filter(&s, keep_every, &nth);
	assert_int_equal(s.n, 0);
	assert_null(flowset_find(&s, &(struct flow){ .cookie = 3 }));
}

/* Connections accepted from one MPTCP listener have its cookie; only the inode tells them apart. No other protocol's cookie
 * is ever taken for such an inode. */
static void test_mptcp(void **state)
{
	_cleanup_(flowset_clear) struct flowset s = { 0 };
	struct flow a = { .cookie = 7, .inode = 100, .proto = PROTO_MPTCP };
	struct flow b = { .cookie = 7, .inode = 101, .proto = PROTO_MPTCP };
	struct flow same = { .cookie = 7, .inode = 100, .proto = PROTO_MPTCP, .local_port = 1 };
	struct flow subflow = { .cookie = 7, .inode = 100, .proto = PROTO_TCP };
	struct flow number = { .cookie = 101, .inode = 5, .proto = PROTO_UDP };

	(void)state;
	assert_int_equal(flowset_add(&s, &a), 1);
	assert_int_equal(flowset_add(&s, &b), 1);
	assert_int_equal(flowset_add(&s, &same), 0);
	assert_int_equal(flowset_add(&s, &subflow), 1);
	assert_int_equal(flowset_add(&s, &number), 1);
	assert_ptr_equal(flowset_find(&s, &b), &s.v[1]);
	assert_ptr_equal(flowset_find(&s, &subflow), &s.v[2]);
	assert_true(flow_key(&b) == mptcp_key(101) && flow_key(&b) != flow_key(&number));
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < PROTO_OTHER; i++)
		assert_non_null(proto_name[i]);
	for (int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
		assert_non_null(state_name[i]);
	for (int i = DIR_IN; i < DIR_MAX; i++)
		assert_non_null(direction_name[i]);
	for (int i = VIA_TRANSPORT; i < VIA_MAX; i++)
		assert_non_null(via_name[i]);
	for (int i = OUT_PLANNED; i < OUT_MAX; i++)
		assert_non_null(outcome_name[i]);
	assert_string_equal(state_name[STATE_NEW_SYN_RECV], state_name[STATE_SYN_RECV]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_tuple_is_no_identity),
		cmocka_unit_test(test_growth_keeps_all),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_mptcp),
		cmocka_unit_test(test_names),
	};

	return unit_run("flow", tests, NULL);
}
