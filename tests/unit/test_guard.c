// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_guard.c - who is everyone: all addresses of a family, or all ports, in however many pieces. */
#include "pipeline/guard.h"
#include "random.h"
#include "unit.h"

static const struct request plain = { .verb = VERB_KILL };

#define SHUFFLE(set)                                       \
	for (size_t i = (set)->n; i > 1; i--) {            \
		size_t k = any(i);                         \
		const typeof(*(set)->v) was = (set)->v[k]; \
		(set)->v[k] = (set)->v[i - 1];             \
		(set)->v[i - 1] = was;                     \
	}

static struct prefix half_of(const struct prefix *p, bool second)
{
	struct prefix half = *p;

	if (second)
		half.addr.b[half.len / 8] |= 0x80 >> half.len % 8;
	half.len++;
	return half;
}

static bool is_single(const struct prefix *p)
{
	return p->len == (p->addr.family == AF_INET ? 32 : 128);
}

static void cut_some(struct prefixes *p)
{
	for (uint32_t i = any(200); i > 0; i--) {
		struct prefix *one = &p->v[any(p->n)], half;

		if (is_single(one))
			continue;
		half = half_of(one, true);
		*one = half_of(one, false);
		APPEND(p, half);
	}
}

static void add_what_is_there(struct prefixes *p)
{
	for (uint32_t i = any(5); i > 0; i--) {
		const struct prefix one = p->v[any(p->n)];

		if (!is_single(&one))
			APPEND(p, half_of(&one, false));
	}
}

static struct prefix *find(const struct prefixes *p, const struct prefix *one)
{
	size_t i = 0;

	while (p->v[i].len != one->len || !addr_equal(&p->v[i].addr, &one->addr))
		i++;
	return &p->v[i];
}

static void test_addresses(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < many(2000); round++) {
		struct filter f = { .named = 1u << (round % 2 ? SEL_CLIENT : SEL_PEER) | 1u << SEL_PROTO };
		struct prefixes *p = round % 2 ? &f.clients : &f.peers;
		struct prefix one, *at;

		APPEND(p, (struct prefix){ .addr = { .family = any(2) ? AF_INET : AF_INET6 } });
		cut_some(p);
		one = p->v[any(p->n)];
		add_what_is_there(p);
		APPEND(p, (struct prefix){ .addr = { .family = one.addr.family == AF_INET ? AF_INET6 : AF_INET }, .len = 1 });
		SHUFFLE(p);
		assert_true(guard_means_everyone(&f, &plain));
		f.named |= 1u << SEL_USER;
		assert_false(guard_means_everyone(&f, &plain));
		f.named &= ~(1u << SEL_USER);
		at = find(p, &one);
		strcpy(at->zone, "lo"); /* on one link alone */
		assert_false(guard_means_everyone(&f, &plain));
		*at = p->v[--p->n];
		assert_false(guard_means_everyone(&f, &plain));
		filter_clear(&f);
	}
}

static void test_ports(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < many(500); round++) {
		struct filter f = { .named = 1u << (round % 2 ? SEL_LOCAL_PORT : SEL_REMOTE_PORT) };
		struct ranges *r = round % 2 ? &f.local_ports : &f.remote_ports;
		struct port_range *hit;

		APPEND(r, (struct port_range){ any(2), UINT16_MAX });
		for (uint32_t i = any(50); i > 0; i--) {
			struct port_range *one = &r->v[any(r->n)], behind = *one;

			if (one->first == one->last)
				continue;
			one->last = one->first + any(one->last - one->first);
			behind.first = one->last + 1;
			APPEND(r, behind);
		}
		SHUFFLE(r);
		assert_true(guard_means_everyone(&f, &plain));
		hit = &r->v[any(r->n)];
		if (hit->last) {
			*hit = hit->first == hit->last ? r->v[--r->n] : (struct port_range){ hit->first, hit->last - 1 };
			assert_false(guard_means_everyone(&f, &plain));
		}
		filter_clear(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ports),
	};

	return unit_run("guard", tests, NULL);
}
