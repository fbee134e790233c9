// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_index.c - thousands of puts and removals against a plain list: each key finds what it should and nothing twice. */
#include "daemon/index.h"

#include "unit.h"

#include <netinet/in.h>
#include <string.h>

enum { COOKIES = 3000, ROUNDS = 60000 };

static struct sever_flow of[COOKIES + 1];
static bool there[COOKIES + 1];
static uint32_t owner[COOKIES + 1];

static unsigned int any(unsigned int n)
{
	return (unsigned int)random() % n;
}

static struct sever_flow any_flow(void)
{
	static const uint8_t flags[] = { 0, 0, 0, SEVER_FLOW_ADOPTED, SEVER_FLOW_SUBFLOW };
	struct sever_flow f = {
		.birth = any(1000),
		.cgroup = any(7),
		.uid = any(5),
		.netns = any(3),
		.local_port = any(9),
		.remote_port = any(60000),
		.family = AF_INET6,
		.addr_family = any(2) ? AF_INET : AF_INET6,
		.protocol = any(4) ? IPPROTO_TCP : IPPROTO_UDP,
		.state = STATE_ESTABLISHED,
		.direction = any(3),
		.flags = flags[any(array_size(flags))],
		.login_uid = SEVER_ID_UNSET,
	};

	f.remote[0] = any(11);
	f.remote[f.addr_family == AF_INET ? 3 : 15] = any(2);
	return f;
}

static bool unsure(const struct sever_flow *f)
{
	return f->protocol == IPPROTO_TCP && f->direction == SEVER_DIR_IN && !(f->flags & SEVER_FLOW_ADOPTED);
}

static bool has_key(const struct sever_flow *f, enum index_key k, const struct addr *a, uint64_t number)
{
	switch (k) {
	case KEY_REMOTE:
		return f->addr_family == a->family && !memcmp(f->remote, a->b, sizeof(a->b));
	case KEY_PORT:
		return f->local_port == number;
	case KEY_UID:
		return (unsure(f) ? ID_UNSET : f->uid) == number;
	default:
		return f->cgroup == number;
	}
}

/* Everything with the key is met once; what else is met is there. */
static void check_key(const struct index *x, enum index_key k, const struct addr *a, uint64_t number)
{
	static uint8_t met[COOKIES + 1];
	uint64_t hash = k == KEY_REMOTE ? index_hash_addr(a) : index_hash_number(number);

	memset(met, 0, sizeof(met));
	for (const struct entry *e = index_first(x, k, hash); e; e = index_next(x, k, e)) {
		assert_true(e->cookie && e->cookie <= COOKIES && there[e->cookie]);
		assert_int_equal(met[e->cookie]++, 0);
	}
	for (int c = 1; c <= COOKIES; c++)
		if (there[c] && has_key(&of[c], k, a, number))
			assert_int_equal(met[c], 1);
}

static void check(const struct index *x)
{
	struct addr a = { .family = AF_INET };
	size_t n = 0, unowned = 0, subflows = 0, walked = 0;

	for (int c = 1; c <= COOKIES; c++) {
		const struct entry *e = index_find(x, c);

		assert_int_equal(!!e, there[c]);
		n += there[c];
		subflows += there[c] && of[c].flags & SEVER_FLOW_SUBFLOW;
		unowned += there[c] && owner[c] == ID_UNSET && of[c].direction != SEVER_DIR_OUT &&
			   !(of[c].flags & SEVER_FLOW_SUBFLOW);
		if (e)
			assert_true(e->remote_port == of[c].remote_port && e->owner == owner[c]);
	}
	for (size_t i = 0; i < x->used; i++)
		walked += !!index_at(x, i);
	assert_true(x->n == n && walked == n && x->n_unowned == unowned && x->n_subflows == subflows);
	a.b[0] = any(11);
	a.b[3] = any(2);
	check_key(x, KEY_REMOTE, &a, 0);
	check_key(x, KEY_PORT, &a, any(9));
	check_key(x, KEY_UID, &a, any(6) ? any(5) : ID_UNSET);
	check_key(x, KEY_CGROUP, &a, any(7));
}

static void change(struct index *x, uint64_t c)
{
	struct entry *e;

	if (any(5) < 3) {
		of[c] = any_flow();
		e = index_put(x, c, &of[c]);
		assert_non_null(e);
		owner[c] = there[c] ? owner[c] : ID_UNSET;
		there[c] = true;
		if (any(3) == 0)
			index_own(x, e, owner[c] = any(4), 0);
	} else if (there[c]) {
		index_remove(x, index_find(x, c));
		there[c] = false;
	}
}

static void test_oracle(void **state)
{
	struct index x = { 0 };

	(void)state;
	srandom(11);
	for (int i = 0; i < ROUNDS; i++) {
		change(&x, 1 + any(COOKIES));
		if (i % 977 == 0)
			check(&x);
	}
	check(&x);
	index_clear(&x);
}

/* What is removed is used again: the memory is that of the crowd at its largest. */
static void test_flat(void **state)
{
	struct index x = { 0 };
	struct sever_flow f = any_flow();
	size_t used;

	(void)state;
	for (uint64_t c = 1; c <= 5000; c++)
		assert_non_null(index_put(&x, c, &f));
	used = x.used;
	for (uint64_t c = 1; c <= 200000; c++) {
		index_remove(&x, index_find(&x, c));
		assert_non_null(index_put(&x, c + 5000, &f));
	}
	assert_true(x.used == used && x.n == 5000);
	index_clear(&x);
}

/* An MPTCP connection has the addresses of its first subflow, and a key of its own. */
static void test_origin(void **state)
{
	struct sever_flow below = {
		.netns = 7, .local_port = 80, .remote_port = 4711, .family = AF_INET6, .addr_family = AF_INET, .protocol = IPPROTO_TCP,
		.local = { 127, 0, 0, 1 }, .remote = { 127, 0, 0, 2 }, .flags = SEVER_FLOW_SUBFLOW,
	};
	struct flow f = {
		.netns = 7, .local_port = 80, .remote_port = 4711, .proto = PROTO_MPTCP, .cookie = 2, .inode = 99,
		.local = { .family = AF_INET, .b = { 127, 0, 0, 1 } }, .remote = { .family = AF_INET, .b = { 127, 0, 0, 2 } },
	};
	struct index x = { 0 };

	(void)state;
	assert_null(index_origin(&x, &f));
	assert_non_null(index_put(&x, 3, &below));
	assert_int_equal(index_origin(&x, &f)->cookie, 3);
	f.netns++;
	assert_null(index_origin(&x, &f));
	f.netns--;
	f.local_port++;
	assert_null(index_origin(&x, &f));
	f.local_port--;
	f.remote.family = AF_INET6;
	assert_null(index_origin(&x, &f));
	below.flags = 0;
	f.remote.family = AF_INET;
	assert_non_null(index_put(&x, 3, &below)); /* plain TCP */
	assert_null(index_origin(&x, &f));
	f.proto = PROTO_TCP;
	f.cookie = 3;
	assert_int_equal(index_origin(&x, &f)->cookie, 3);
	index_clear(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_origin),
	};

	return unit_run("index", tests, NULL);
}
