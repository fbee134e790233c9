/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* random.h - flows and filters drawn from so small a world that they meet often. The same each run. */
#ifndef SEVER_TEST_RANDOM_H
#define SEVER_TEST_RANDOM_H

#include "model/filter.h"

#include <string.h>
#include <sys/socket.h>

static unsigned int seed = 42;

static inline uint32_t any(uint32_t n)
{
	return rand_r(&seed) % n;
}

static const uint8_t v4_world[][4] = { { 127, 0, 0, 1 }, { 127, 0, 0, 2 }, { 127, 0, 1, 1 }, { 127, 128, 0, 1 } };
static const uint8_t v6_world[][16] = {
	{ [15] = 1 },
	{ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	{ 0x20, 0x01, 0x0d, 0xb8, [14] = 0x80, [15] = 1 },
	{ 0xfe, 0x80, [15] = 1 },
};
static const uint16_t port_world[] = { 22, 80, 443, 5000, 5001, 40000, 65535 };

static inline uint16_t any_port(void)
{
	return port_world[any(array_size(port_world))];
}

static inline struct addr any_addr(uint16_t family)
{
	struct addr a;

	if (family == AF_INET)
		return addr_from_bytes(AF_INET, v4_world[any(array_size(v4_world))]);
	a = addr_from_bytes(AF_INET6, v6_world[any(array_size(v6_world))]);
	a.scope = addr_is_linklocal(&a) ? 1 + any(2) : 0;
	return a;
}

static inline struct prefix any_prefix(void)
{
	struct prefix p = { .addr = any_addr(any(2) ? AF_INET : AF_INET6) };
	unsigned int bits = p.addr.family == AF_INET ? 32 : 128;

	p.addr.scope = 0;
	p.len = any(3) ? bits - any(3) * any(9) : any(2) ? any(bits + 1) : bits;
	for (unsigned int i = p.len; i < bits; i++)
		p.addr.b[i / 8] &= ~(0x80 >> i % 8);
	if (addr_is_linklocal(&p.addr) && any(2))
		strcpy(p.zone, any(2) ? "1" : "lo");
	return p;
}

#define APPEND(set, ...)                                                                           \
	do {                                                                                       \
		if (grow(&(set)->v, &(set)->cap, (set)->n + 1, sizeof(*(set)->v)) < 0)             \
			abort();                                                                   \
		(set)->v[(set)->n++] = __VA_ARGS__;                                                \
	} while (0)

/* Each kind is named once in `rarity` times. */
static inline bool name(struct filter *f, enum sel kind, uint32_t rarity)
{
	bool yes = !any(rarity);

	f->named |= (unsigned int)yes << kind;
	return yes;
}

static inline void any_prefixes(struct prefixes *ret)
{
	for (uint32_t i = 0, n = 1 + any(3); i < n; i++)
		APPEND(ret, any_prefix());
}

static inline void any_ranges(struct ranges *ret)
{
	for (uint32_t i = 0, n = 1 + any(3); i < n; i++) {
		uint16_t first = any_port(), last = any_port();

		APPEND(ret, (struct port_range){ first < last ? first : last, first < last ? last : first });
	}
}

/* What bytecode can say. */
static inline void any_ends(struct filter *f, uint32_t rarity)
{
	*f = (struct filter){ .protos = ~0u, .states = ~0u };
	if (name(f, SEL_CLIENT, rarity))
		any_prefixes(&f->clients);
	if (name(f, SEL_PEER, rarity))
		any_prefixes(&f->peers);
	if (name(f, SEL_LOCAL_PORT, rarity))
		any_ranges(&f->local_ports);
	if (name(f, SEL_REMOTE_PORT, rarity))
		any_ranges(&f->remote_ports);
}

static inline struct flow any_flow(void)
{
	struct flow f = {
		.cookie = 1 + any(20),
		.netns = 1 + any(3),
		.inode = any(5),
		.cgroup = any(5),
		.uid = any(4),
		.min_age_ms = any(3) * 1000,
		.since = any(2),
		.family = any(2) ? AF_INET : AF_INET6,
		.proto = any(PROTO_OTHER),
		.state = 1 + any(STATE_MAX - 1),
		.direction = any(DIR_MAX),
		.local_port = any_port(),
		.remote_port = any_port(),
	};
	uint16_t family = f.family == AF_INET6 && any(2) ? AF_INET6 : AF_INET;

	f.local = any_addr(family);
	f.remote = any_addr(family);
	return f;
}

#endif
