// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_holders.c - which process holds which socket, compared with a plain matrix; and how few bytes it takes. */
#include "model/holders.h"
#include "unit.h"

#include <string.h>

#define KEYS 3000
#define PROCS 40
#define MANY 400000

static bool holds(const struct holders *h, uint64_t key, uint32_t proc)
{
	size_t times = 0;

	for (uint32_t s = holders_find(h, key); s; s = h->sets[s].parent)
		times += h->sets[s].proc == proc;
	assert_true(times <= 1);
	return times;
}

static size_t count(const struct holders *h, uint64_t key)
{
	size_t n = 0;

	for (uint32_t s = holders_find(h, key); s; s = h->sets[s].parent)
		n++;
	return n;
}

static void test_empty(void **state)
{
	struct holders h = { 0 };

	(void)state;
	assert_int_equal(holders_find(&h, 1), 0);
	assert_int_equal(holders_find(&h, 0), 0);
	holders_clear(&h);
}

/* Key 0 stands for "no inode": a socket without descriptor is held by nobody, whatever else is known. */
static void test_no_key(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };

	(void)state;
	assert_int_equal(holders_add(&h, 1ull << 63, 0), 0);
	assert_int_equal(holders_find(&h, 0), 0);
	assert_int_equal(count(&h, 1ull << 63), 1);
}

/* Two descriptors of one socket in one process are one holder. They are seen together. */
static void test_repeats(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(holders_add(&h, 77, i < 3 ? 4 : 0), 0);
		assert_int_equal(holders_add(&h, 78, i < 3 ? 4 : 0), 0);
	}
	assert_int_equal(count(&h, 77), 2);
	assert_true(holds(&h, 77, 4) && holds(&h, 77, 0) && !holds(&h, 77, 1));
	assert_int_equal(holders_find(&h, 77), holders_find(&h, 78));
	assert_int_equal(h.n, 2);
}

/* A set that is shared must not change for the others when one socket gets another holder. */
static void test_shared_sets_part(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };

	(void)state;
	for (uint64_t key = 1; key <= 3; key++)
		for (uint32_t proc = 0; proc < 2; proc++)
			assert_int_equal(holders_add(&h, key, proc), 0);
	assert_int_equal(holders_find(&h, 1), holders_find(&h, 3));
	assert_int_equal(holders_add(&h, 2, 9), 0);
	assert_int_equal(count(&h, 1), 2);
	assert_int_equal(count(&h, 2), 3);
	assert_int_equal(count(&h, 3), 2);
	assert_true(!holds(&h, 1, 9) && holds(&h, 2, 9) && holds(&h, 2, 0) && !holds(&h, 3, 9));
}

static uint64_t key_of(size_t i)
{
	return (i % 3) << 50 | (i + 1);
}

static void test_oracle(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };
	static bool matrix[KEYS][PROCS];
	unsigned int seed = 7;

	(void)state;
	/* Process by process; the later, the fewer. */
	for (int i = 0; i < 40000; i++) {
		size_t key = rand_r(&seed) % KEYS, proc = (uint64_t)i * i / 40000 * PROCS / 40000;

		matrix[key][proc] = true;
		assert_int_equal(holders_add(&h, key_of(key), proc), 0);
	}
	for (size_t key = 0; key < KEYS; key++)
		for (size_t proc = 0; proc < PROCS; proc++)
			assert_int_equal(holds(&h, key_of(key), proc), matrix[key][proc]);
	assert_int_equal(count(&h, key_of(KEYS)), 0);
}

/* A server and its workers: hundreds of thousands of sockets share a handful of sets. */
static void test_many_are_small(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++) {
		assert_int_equal(holders_add(&h, i, 0), 0);
		assert_int_equal(holders_add(&h, i, 1 + i % 3), 0);
	}
	assert_int_equal(h.n, MANY);
	assert_int_equal(h.n_sets, 5);
	assert_true(h.n_slots * sizeof(*h.slots) <= 3 * MANY * sizeof(*h.slots));
	for (uint64_t i = 1; i <= MANY; i++)
		assert_true(count(&h, i) == 2 && holds(&h, i, 1 + i % 3));
	assert_int_equal(count(&h, MANY + 1), 0);
}

/* A socket that everybody inherited: to add the last takes no longer than to add the first. */
static void test_many_holders(void **state)
{
	_cleanup_(holders_clear) struct holders h = { 0 };

	(void)state;
	for (uint32_t proc = 0; proc < MANY; proc++)
		assert_int_equal(holders_add(&h, 5, proc), 0);
	assert_int_equal(count(&h, 5), MANY);
	assert_true(holds(&h, 5, 0) && holds(&h, 5, MANY - 1));
	assert_int_equal(holders_add(&h, 6, MANY - 1), 0);
	assert_int_equal(count(&h, 6), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	      cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_repeats),	      cmocka_unit_test(test_shared_sets_part),
		cmocka_unit_test(test_oracle),	      cmocka_unit_test(test_many_are_small),
		cmocka_unit_test(test_many_holders),
	};

	return unit_run("holders", tests, NULL);
}
