// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_cover.c - what the trie has to hold so that one look-up answers for all prefixes that an address is in: each
 * entry also says which of the others stands longest. */
#include "kernel/fence_parts.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { KEY_BITS = SEVER_FENCE_ADDR_BITS + 128, MAPPED_BITS = 96 };

_Static_assert(offsetof(struct sever_fence_key, who) == sizeof(uint32_t), "bits are counted from there");
_Static_assert(sizeof(struct sever_fence_key) - sizeof(uint32_t) == KEY_BITS / 8, "and all of them are meant");

static const uint8_t *bits_of(const struct sever_fence_key *k)
{
	return (const uint8_t *)&k->who;
}

int fence_key_order(const struct sever_fence_key *a, const struct sever_fence_key *b)
{
	int r = memcmp(bits_of(a), bits_of(b), KEY_BITS / 8);

	return r ?: (a->prefix_len > b->prefix_len) - (a->prefix_len < b->prefix_len);
}

static bool covers(const struct sever_fence_key *a, const struct sever_fence_key *b)
{
	unsigned int whole = a->prefix_len / 8, rest = a->prefix_len % 8;
	const uint8_t *x = bits_of(a), *y = bits_of(b);

	return a->prefix_len <= b->prefix_len && !memcmp(x, y, whole) &&
	       (!rest || (x[whole] ^ y[whole]) >> (8 - rest) == 0);
}

/* -EINVAL: there are bits behind its length. */
static int set_remote(struct sever_fence_key *k, const struct prefix *p)
{
	struct addr a = addr_from_bytes(p->addr.family, p->addr.b);
	unsigned int max = a.family == AF_INET ? 32 : 128, len = p->len;

	k->prefix_len = SEVER_FENCE_HEAD_BITS;
	if (!p->addr.family)
		return len ? -EINVAL : 0;
	if (!a.family)
		return -EINVAL;
	if (a.family != p->addr.family) { /* v4-mapped */
		if (len < MAPPED_BITS)
			return -EINVAL;
		len -= MAPPED_BITS;
	}
	if (len > max)
		return -EINVAL;
	for (unsigned int i = len; i < max; i++)
		if (a.b[i / 8] & 0x80 >> i % 8)
			return -EINVAL;
	k->family = a.family;
	memcpy(k->remote, a.b, max / 8);
	k->prefix_len = SEVER_FENCE_ADDR_BITS + len;
	return 0;
}

static const char *wrong(const struct fence *f)
{
	if (!f->id || f->kind >= SEVER_FENCE_KINDS)
		return "no id, or no such kind";
	if (f->protocol && f->protocol != IPPROTO_TCP && f->protocol != IPPROTO_UDP)
		return "a protocol that is neither TCP nor UDP";
	if ((f->kind == SEVER_FENCE_IN || f->kind == SEVER_FENCE_OUT) && f->subject)
		return "a subject that means nothing";
	/* Of who never logged in; and ids that no process has. */
	if ((f->kind == SEVER_FENCE_OUT_LOGIN || f->kind == SEVER_FENCE_OUT_SESSION ||
	     f->kind == SEVER_FENCE_OUT_UID) &&
	    f->subject >= SEVER_ID_UNSET)
		return "an id that is none";
	if (f->kind == SEVER_FENCE_OUT_CGROUP && !f->subject)
		return "a cgroup without an id";
	return NULL;
}

int fence_name_of(const struct fence *f, struct fence_name *ret, char *err)
{
	struct fence_name n = { .id = f->id, .key = { .port = f->port, .protocol = f->protocol } };
	const char *why = wrong(f);

	if (!why && set_remote(&n.key, &f->remote) < 0)
		why = "a prefix with bits behind its length";
	if (why)
		return fail(-EINVAL, err, "fence %llu cannot be: %s", (unsigned long long)f->id, why);
	n.who = (struct sever_fence_who){ .subject = f->subject, .netns = f->netns, .kind = f->kind };
	*ret = n;
	return 0;
}

int fence_by_who(const void *a, const void *b)
{
	return memcmp(&((const struct fence_leaver *)a)->who, &((const struct fence_leaver *)b)->who,
		      sizeof(struct sever_fence_who));
}

int fence_by_key(const void *a, const void *b)
{
	return fence_key_order(&((const struct fence_slot *)a)->key, &((const struct fence_slot *)b)->key);
}

int fence_by_id(const void *a, const void *b)
{
	const struct fence_name *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Of two that stand equally long, the one with the smaller id: so the answer does not depend on their order. */
static void prefer(struct sever_fence_entry *e, uint64_t until, uint64_t id)
{
	if (!id || (e->cover_id && (e->cover_until > until || (e->cover_until == until && e->cover_id <= id))))
		return;
	e->cover_until = until;
	e->cover_id = id;
}

/* Of two with the same key the other one never counts. */
static bool outlasts(const struct sever_fence_entry *a, const struct sever_fence_entry *b)
{
	return a->until > b->until || (a->until == b->until && a->id < b->id);
}

static void add_cover(struct sever_fence_entry *e, const struct sever_fence_entry *shorter)
{
	prefer(e, shorter->until, shorter->id);
	prefer(e, shorter->cover_until, shorter->cover_id);
}

/* Those that cover the one at hand are on a stack, the longest on top, each knowing of all below it. */
static void set_covers(struct fence_slots *s)
{
	size_t stack[KEY_BITS - SEVER_FENCE_HEAD_BITS + 1], depth = 0;

	for (size_t i = 0; i < s->n; i++) {
		while (depth && !covers(&s->v[stack[depth - 1]].key, &s->v[i].key))
			depth--;
		if (depth)
			add_cover(&s->v[i].entry, &s->v[stack[depth - 1]].entry);
		stack[depth++] = i;
	}
}

int fence_slots_of(const struct fence *v, const struct fence_names *names, struct fence_slots *ret)
{
	struct fence_slot *slots = calloc(names->n + 1, sizeof(*slots));
	struct fence_slots s = { .v = slots };

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < names->n; i++)
		slots[i] =
			(struct fence_slot){ .key = names->v[i].key, .entry = { .until = v[i].until, .id = v[i].id } };
	qsort(slots, names->n, sizeof(*slots), fence_by_key);
	for (size_t i = 0; i < names->n; i++) {
		if (!s.n || fence_key_order(&slots[s.n - 1].key, &slots[i].key) != 0)
			slots[s.n++] = slots[i];
		else if (outlasts(&slots[i].entry, &slots[s.n - 1].entry))
			slots[s.n - 1] = slots[i];
	}
	set_covers(&s);
	*ret = s;
	return 0;
}
