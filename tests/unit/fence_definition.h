/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_definition.h - which fence stands in whose way, as it is meant. */
#ifndef SEVER_TEST_FENCE_DEFINITION_H
#define SEVER_TEST_FENCE_DEFINITION_H

#include "fenced.h"

static uint32_t own_netns;

struct seen {
	uint16_t family, port;
	uint8_t protocol, kind;
	uint8_t addr[16];
	uint64_t subject;
};

static inline bool in_prefix(const struct prefix *p, const struct seen *s)
{
	if (!p->addr.family)
		return true;
	if (p->addr.family != s->family)
		return false;
	for (int i = 0; i < p->len; i++)
		if ((p->addr.b[i / 8] ^ s->addr[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static inline int shape(const struct fence *v)
{
	return (v->port ? 1 : 0) + (v->protocol ? 2 : 0) + (v->netns ? 4 : 0);
}

static inline bool concerns(const struct fence *v, const struct seen *s, int of_shape)
{
	return v->kind == s->kind && v->subject == s->subject && shape(v) == of_shape &&
	       (!v->port || v->port == s->port) && (!v->protocol || v->protocol == s->protocol) &&
	       (!v->netns || v->netns == own_netns) && in_prefix(&v->remote, s);
}

static inline bool better(const struct fence *a, const struct fence *b)
{
	return !b || a->until > b->until || (a->until == b->until && a->id < b->id);
}

/* The longest prefix first, then whichever stands longest. */
static inline uint64_t decide(const struct fence *v, size_t n, const struct seen *s, uint64_t at)
{
	for (int sh = 7; sh >= 0; sh--) {
		const struct fence *own = NULL, *other = NULL;
		int longest = -2;

		for (size_t i = 0; i < n; i++) {
			int len = v[i].remote.addr.family ? v[i].remote.len : -1;

			if (!concerns(&v[i], s, sh))
				continue;
			if (len > longest || (len == longest && better(&v[i], own)))
				own = &v[i];
			longest = len > longest ? len : longest;
			other = better(&v[i], other) ? &v[i] : other;
		}
		if (own && own->until > at)
			return own->id;
		if (other && other->until > at)
			return other->id;
	}
	return 0;
}

static inline void set_addr(struct seen *s, const char *text)
{
	s->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(s->addr, 0, sizeof(s->addr));
	inet_pton(s->family, text, s->addr);
}

#endif
