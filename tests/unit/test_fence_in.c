// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_in.c - who may not come in, by client, by port, by both; and everybody else may. */
#include "fenced.h"

static void test_families(void **state)
{
	int v4 = listener("127.0.0.1", 0, 5), v6 = listener("::1", 0, 5), dual = listener("::", 0, 5);

	(void)state;
	add_v6("2001:db8::2");
	add_v6("2001:db8:1::2");
	STAND(inbound(1, "127.0.0.2", 0), inbound(2, "2001:db8::/64", 0));
	assert_int_equal(knock_at(v4, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "::ffff:127.0.0.2", "::ffff:127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(v4, "::ffff:127.0.0.2", "::ffff:127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 4);
	assert_int_equal(knock_at(v6, "2001:db8::2", "::1"), -ECONNREFUSED);
	assert_int_equal(knock_at(dual, "2001:db8::2", "::1"), -ECONNREFUSED);
	assert_int_equal(count_of(2), 2);
	assert_int_equal(knock_at(v4, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "::ffff:127.0.0.3", "::ffff:127.0.0.1"), 0);
	assert_int_equal(knock_at(dual, "2001:db8:1::2", "::1"), 0);
	assert_int_equal(knock_at(v6, "::1", "::1"), 0);
	STAND();
	assert_int_equal(knock_at(v4, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(knock_at(v6, "2001:db8::2", "::1"), 0);
	close(v4);
	close(v6);
	close(dual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
	};

	return fence_run("fence_in", tests, fence_setup, fence_teardown);
}
