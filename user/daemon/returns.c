// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/returns.h"

#include <stdlib.h>
#include <string.h>

#define CUTS 4096 /* a power of two */

int returns_open(struct returns *r)
{
	r->v = calloc(CUTS, sizeof(*r->v));
	return r->v ? 0 : -ENOMEM;
}

void returns_close(struct returns *r)
{
	free(r->v);
	r->v = NULL;
}

/* The port that stays the same when somebody comes back is the server's. */
static struct cut key_of(const struct entry *e)
{
	struct cut c = {
		.netns = e->netns,
		.port = e->direction == SEVER_DIR_OUT ? e->remote_port : e->local_port,
		.protocol = e->protocol,
		.direction = e->direction,
	};

	memcpy(c.remote, e->remote, sizeof(c.remote));
	return c;
}

static struct cut *slot_of(const struct returns *r, const struct cut *key)
{
	uint64_t h = (uint64_t)key->netns << 16 | key->port, part;

	for (size_t i = 0; i < sizeof(key->remote); i += sizeof(part)) {
		memcpy(&part, key->remote + i, sizeof(part));
		h = index_hash_number(h ^ part);
	}
	return &r->v[h % CUTS];
}

void returns_note(struct returns *r, const struct entry *e, uint64_t now)
{
	struct cut c = key_of(e);

	c.cookie = e->cookie;
	c.when = now;
	c.job = e->job;
	*slot_of(r, &c) = c;
}

const struct cut *returns_find(const struct returns *r, const struct entry *e, uint64_t now)
{
	const struct cut key = key_of(e), *c = slot_of(r, &key);
	bool same = c->cookie && !memcmp(c->remote, key.remote, sizeof(key.remote)) && c->netns == key.netns &&
		    c->port == key.port && c->protocol == key.protocol && c->direction == key.direction;

	return same && now - c->when < RETURN_NS ? c : NULL;
}
