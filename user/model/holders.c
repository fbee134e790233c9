// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/holders.h"

#include <string.h>

static size_t mix(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15ull >> 20;
}

static struct holder_slot *slot_of(const struct holders *h, uint64_t key)
{
	size_t i = mix(key) & (h->n_slots - 1);

	while (h->slots[i].key && h->slots[i].key != key)
		i = (i + 1) & (h->n_slots - 1);
	return &h->slots[i];
}

static int grow_slots(struct holders *h)
{
	struct holders bigger = *h;

	bigger.n_slots = h->n_slots ? h->n_slots * 2 : 256;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_slots; i++)
		if (h->slots[i].key)
			*slot_of(&bigger, h->slots[i].key) = h->slots[i];
	free(h->slots);
	*h = bigger;
	return 0;
}

static uint32_t *interned_slot(const struct holders *h, uint32_t parent, uint32_t proc)
{
	size_t i = mix((uint64_t)parent << 32 | proc) & (h->n_interned - 1);
	const struct holder_set *s;

	for (; h->interned[i]; i = (i + 1) & (h->n_interned - 1)) {
		s = &h->sets[h->interned[i]];
		if (s->parent == parent && s->proc == proc)
			break;
	}
	return &h->interned[i];
}

static int grow_interned(struct holders *h)
{
	size_t n = h->n_interned ? h->n_interned * 2 : 64;
	uint32_t *v = calloc(n, sizeof(*v));

	if (!v)
		return -ENOMEM;
	free(h->interned);
	h->interned = v;
	h->n_interned = n;
	for (uint32_t i = 1; i < h->n_sets; i++)
		*interned_slot(h, h->sets[i].parent, h->sets[i].proc) = i;
	return 0;
}

/* The set `parent` plus one process, made if it is not there yet. */
static int intern(struct holders *h, uint32_t parent, uint32_t proc, uint32_t *ret)
{
	uint32_t *at;
	int r;

	if (!h->n_sets)
		h->n_sets = 1;
	if (h->n_sets * 4 >= h->n_interned * 3) {
		r = grow_interned(h);
		if (r < 0)
			return r;
	}
	at = interned_slot(h, parent, proc);
	if (!*at) {
		r = grow(&h->sets, &h->cap_sets, h->n_sets + 1, sizeof(*h->sets));
		if (r < 0)
			return r;
		h->sets[h->n_sets] = (struct holder_set){ .parent = parent, .proc = proc };
		*at = h->n_sets++;
	}
	*ret = *at;
	return 0;
}

int holders_add_at(struct holders *h, uint64_t key, uint32_t proc, uint32_t fd)
{
	struct holder_slot *slot;
	uint32_t set;
	int r;

	if (h->n * 4 >= h->n_slots * 3) {
		r = grow_slots(h);
		if (r < 0)
			return r;
	}
	slot = slot_of(h, key);
	/* The descriptors of a process come together, so only the newest member can be a repeat. To look at all would let whoever
	 * passes sockets to thousands of children stall us. */
	set = slot->key ? slot->set : 0;
	if (set && h->sets[set].proc == proc)
		return 0;
	r = intern(h, slot->key ? slot->set : 0, proc, &set);
	if (r < 0)
		return r;
	h->n += !slot->key;
	*slot = (struct holder_slot){ .key = key, .set = set, .fd = slot->key ? slot->fd : fd };
	return 0;
}

int holders_add(struct holders *h, uint64_t key, uint32_t proc)
{
	return holders_add_at(h, key, proc, HOLDER_FD_UNKNOWN);
}

uint32_t holders_find(const struct holders *h, uint64_t key)
{
	const struct holder_slot *slot = h->n && key ? slot_of(h, key) : NULL;

	return slot && slot->key ? slot->set : 0;
}

void holders_clear(struct holders *h)
{
	free(h->sets);
	free(h->interned);
	free(h->slots);
	memset(h, 0, sizeof(*h));
}
