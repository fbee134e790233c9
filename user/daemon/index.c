// SPDX-License-Identifier: LGPL-2.1-or-later
/* index.c - one array of entries, and for each key a table of buckets whose entries are linked through their positions. */
#include "daemon/index.h"
#include "kernel/track.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct entry) <= 160, "an entry and its share of the buckets: at most 200 bytes a flow");

uint64_t index_hash_number(uint64_t number)
{
	number = (number ^ number >> 32) * 0x9e3779b97f4a7c15ull;
	return number ^ number >> 29;
}

static uint64_t hash_bytes(uint8_t family, const uint8_t b[16])
{
	uint64_t half[2];

	memcpy(half, b, family == AF_INET ? 4 : 16);
	if (family == AF_INET)
		return index_hash_number((uint32_t)half[0]);
	return index_hash_number(half[0] ^ index_hash_number(half[1]));
}

uint64_t index_hash_addr(const struct addr *a)
{
	return hash_bytes(a->family, a->b);
}

static uint64_t hash_of(const struct entry *e, enum index_key k)
{
	switch (k) {
	case KEY_COOKIE:
		return index_hash_number(e->cookie);
	case KEY_REMOTE:
		return hash_bytes(e->addr_family, e->remote);
	case KEY_PORT:
		return index_hash_number(e->local_port);
	case KEY_UID:
		return index_hash_number(e->unsure ? ID_UNSET : e->uid);
	default:
		return index_hash_number(e->cgroup);
	}
}

static uint32_t *head_of(const struct index *x, enum index_key k, uint64_t hash)
{
	return &x->heads[k][hash & (x->n_heads - 1)];
}

static void link_in(struct index *x, struct entry *e, enum index_key k)
{
	uint32_t *head = head_of(x, k, hash_of(e, k)), at = e - x->v + 1;

	e->link[k].prev = 0;
	e->link[k].next = *head;
	if (*head)
		x->v[*head - 1].link[k].prev = at;
	*head = at;
}

static void link_out(struct index *x, struct entry *e, enum index_key k)
{
	uint32_t next = e->link[k].next, prev = e->link[k].prev;

	if (prev)
		x->v[prev - 1].link[k].next = next;
	else
		*head_of(x, k, hash_of(e, k)) = next;
	if (next)
		x->v[next - 1].link[k].prev = prev;
}

static int more_heads(struct index *x)
{
	size_t n = x->n_heads ? x->n_heads * 2 : 1024;
	uint32_t *v = calloc(n * KEY_MAX, sizeof(*v));

	if (!v)
		return -ENOMEM;
	free(x->heads[0]);
	for (int k = 0; k < KEY_MAX; k++)
		x->heads[k] = v + k * n;
	x->n_heads = n;
	for (size_t i = 0; i < x->used; i++)
		for (int k = 0; x->v[i].cookie && k < KEY_MAX; k++)
			link_in(x, &x->v[i], k);
	return 0;
}

static struct entry *new_entry(struct index *x)
{
	struct entry *e;

	if (x->n >= x->n_heads && more_heads(x) < 0)
		return NULL;
	if (x->free) {
		e = &x->v[x->free - 1];
		x->free = e->link[0].next;
	} else {
		if (x->used >= UINT32_MAX - 1 || grow(&x->v, &x->cap, x->used + 1, sizeof(*x->v)) < 0)
			return NULL;
		e = &x->v[x->used++];
	}
	x->n++;
	*e = (struct entry){ .owner = ID_UNSET };
	return e;
}

static void fill(struct entry *e, uint64_t cookie, const struct sever_flow *f)
{
	e->cookie = cookie;
	e->birth = f->birth;
	e->cgroup = f->cgroup;
	e->start = f->start;
	memcpy(e->local, f->local, sizeof(e->local));
	memcpy(e->remote, f->remote, sizeof(e->remote));
	e->netns = f->netns;
	e->ifindex = f->ifindex;
	e->uid = f->uid;
	e->pid = f->pid;
	e->login_uid = f->login_uid;
	e->audit_session = f->audit_session;
	e->local_port = f->local_port;
	e->remote_port = f->remote_port;
	e->family = f->family;
	e->addr_family = f->addr_family;
	e->protocol = f->protocol;
	e->direction = f->direction;
	e->flags = f->flags;
	e->state = f->state;
	e->missing = false;
	/* The kernel gives the socket to who calls accept(), of which the tags see nothing. */
	e->unsure = f->protocol == IPPROTO_TCP && f->direction == SEVER_DIR_IN && !(f->flags & SEVER_FLOW_ADOPTED);
}

static bool is_subflow(const struct entry *e)
{
	return e->flags & SEVER_FLOW_SUBFLOW;
}

bool entry_is_unowned(const struct entry *e)
{
	return e->owner == ID_UNSET && e->direction != SEVER_DIR_OUT &&
	       !(e->flags & (SEVER_FLOW_SUBFLOW | SEVER_FLOW_KERNEL));
}

void index_own(struct index *x, struct entry *e, uint32_t owner, uint32_t session)
{
	x->n_unowned -= entry_is_unowned(e);
	e->owner = owner;
	e->session = session;
	x->n_unowned += entry_is_unowned(e);
}

void index_set_uid(struct index *x, struct entry *e, uint32_t uid)
{
	link_out(x, e, KEY_UID);
	e->uid = uid;
	e->unsure = false;
	link_in(x, e, KEY_UID);
}

struct entry *index_put(struct index *x, uint64_t cookie, const struct sever_flow *f)
{
	struct entry *e = index_find(x, cookie);

	if (e) {
		x->n_unowned -= entry_is_unowned(e);
		x->n_subflows -= is_subflow(e);
		for (int k = 0; k < KEY_MAX; k++)
			link_out(x, e, k);
	} else {
		e = new_entry(x);
		if (!e)
			return NULL;
	}
	fill(e, cookie, f);
	for (int k = 0; k < KEY_MAX; k++)
		link_in(x, e, k);
	x->n_unowned += entry_is_unowned(e);
	x->n_subflows += is_subflow(e);
	return e;
}

struct entry *index_first(const struct index *x, enum index_key k, uint64_t hash)
{
	uint32_t at = x->n_heads ? *head_of(x, k, hash) : 0;

	return at ? &x->v[at - 1] : NULL;
}

struct entry *index_next(const struct index *x, enum index_key k, const struct entry *e)
{
	return e->link[k].next ? &x->v[e->link[k].next - 1] : NULL;
}

struct entry *index_find(const struct index *x, uint64_t cookie)
{
	struct entry *e = index_first(x, KEY_COOKIE, index_hash_number(cookie));

	while (e && e->cookie != cookie)
		e = index_next(x, KEY_COOKIE, e);
	return e;
}

static bool is_end(const struct addr *a, uint16_t port, uint8_t family, const uint8_t b[16], uint16_t of)
{
	return port == of && a->family == family && !memcmp(a->b, b, family == AF_INET ? 4 : 16);
}

const struct entry *index_origin(const struct index *x, const struct flow *f)
{
	const struct entry *e;

	if (f->proto != PROTO_MPTCP)
		return index_find(x, f->cookie);
	for (e = index_first(x, KEY_REMOTE, index_hash_addr(&f->remote)); e; e = index_next(x, KEY_REMOTE, e))
		if (is_subflow(e) && e->netns == f->netns &&
		    is_end(&f->remote, f->remote_port, e->addr_family, e->remote, e->remote_port) &&
		    is_end(&f->local, f->local_port, e->addr_family, e->local, e->local_port))
			return e;
	return NULL;
}

struct entry *index_at(const struct index *x, size_t i)
{
	return x->v[i].cookie ? &x->v[i] : NULL;
}

void index_remove(struct index *x, struct entry *e)
{
	x->n_unowned -= entry_is_unowned(e);
	x->n_subflows -= is_subflow(e);
	for (int k = 0; k < KEY_MAX; k++)
		link_out(x, e, k);
	memset(e, 0, sizeof(*e));
	e->link[0].next = x->free;
	x->free = e - x->v + 1;
	x->n--;
}

void index_clear(struct index *x)
{
	free(x->v);
	free(x->heads[0]);
	memset(x, 0, sizeof(*x));
}

void entry_to_flow(const struct entry *e, struct flow *ret)
{
	struct sever_flow f = {
		.cgroup = e->cgroup,
		.netns = e->netns,
		.ifindex = e->ifindex,
		.uid = e->uid,
		.local_port = e->local_port,
		.remote_port = e->remote_port,
		.family = e->family,
		.addr_family = e->addr_family,
		.protocol = e->protocol,
		.state = e->state,
		.direction = e->direction,
		.flags = e->flags,
	};

	memcpy(f.local, e->local, sizeof(f.local));
	memcpy(f.remote, e->remote, sizeof(f.remote));
	track_to_flow(e->cookie, &f, ret);
	ret->tracked = true;
}
