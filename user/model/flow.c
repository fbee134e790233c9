// SPDX-License-Identifier: LGPL-2.1-or-later
/* flow.c - the names of a flow's properties, and sets of flows without repeats. */
#include "model/flow.h"

#include <string.h>
#include <sys/socket.h>

const char *const proto_name[] = { "tcp", "udp", "mptcp", NULL };
const char *const state_name[] = {
	NULL,         "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
	"unconnected", "close-wait", "last-ack", "listen",   "closing",    "syn-recv",   "bound",
};
const char *const direction_name[] = { NULL, "in", "out" };
const char *const via_name[] = { NULL, "transport", "session", "login", "uid", "label", "adopted" };
const char *const outcome_name[] = {
	NULL, "planned", "dead", "alive", "stale", "denied", "unsupported", "spared",
};
_Static_assert(array_size(proto_name) == PROTO_MAX, "name every protocol");
_Static_assert(array_size(state_name) == STATE_MAX, "name every state");
_Static_assert(array_size(direction_name) == DIR_MAX, "name every direction");
_Static_assert(array_size(via_name) == VIA_MAX, "name every via");
_Static_assert(array_size(outcome_name) == OUT_MAX, "name every outcome");

/* No cookie is that large: they count up from 1. */
uint64_t mptcp_key(uint32_t inode)
{
	return 1ull << 63 | inode;
}

/* In the backlog, or orphaned: no inode. FNV-1a over what tells such connections apart. */
static uint64_t tuple_key(const struct flow *f)
{
	struct {
		uint8_t local[16], remote[16];
		uint32_t netns, ports;
	} t = { .netns = f->netns, .ports = (uint32_t)f->local_port << 16 | f->remote_port };
	const uint8_t *p = (const uint8_t *)&t;
	uint64_t h = 0xcbf29ce484222325ull;

	memcpy(t.local, f->local.b, sizeof(t.local));
	memcpy(t.remote, f->remote.b, sizeof(t.remote));
	for (size_t i = 0; i < sizeof(t); i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h | 3ull << 62;
}

uint64_t flow_key(const struct flow *f)
{
	return f->proto != PROTO_MPTCP ? f->cookie : f->inode ? mptcp_key(f->inode) : tuple_key(f);
}

const char *flow_handle(const struct flow *f, char buf[FLOW_HANDLE_LEN])
{
	snprintf(buf, FLOW_HANDLE_LEN, "%llx@%u", (unsigned long long)flow_key(f), f->netns);
	return buf;
}

bool flow_has_handle(const struct flow *f, uint64_t cookie, uint32_t netns)
{
	if (f->netns != netns)
		return false;
	return flow_key(f) == cookie || (f->proto == PROTO_MPTCP && f->direction == DIR_OUT && f->cookie == cookie);
}

bool flow_is_same(const struct flow *victim, const struct flow *found)
{
	if (found->state == STATE_TIME_WAIT)
		return victim->state == STATE_TIME_WAIT;
	if (victim->proto == PROTO_UDP)
		return found->state == victim->state;
	return true;
}

/* Keys count up in batches per CPU: any odd multiplier spreads them. */
static size_t slot_of(const struct flowset *s, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ull >> 20) & (s->slots - 1);
}

static uint32_t *probe(const struct flowset *s, const struct flow *f)
{
	uint64_t key = flow_key(f);
	size_t i = slot_of(s, key);

	while (s->index[i] && flow_key(&s->v[s->index[i] - 1]) != key)
		i = (i + 1) & (s->slots - 1);
	return &s->index[i];
}

static int rehash(struct flowset *s)
{
	size_t slots = s->slots ? s->slots * 4 : 64;
	uint32_t *index = calloc(slots, sizeof(*index));

	if (!index)
		return -ENOMEM;
	free(s->index);
	s->index = index;
	s->slots = slots;
	for (size_t i = 0; i < s->n; i++)
		*probe(s, &s->v[i]) = i + 1;
	return 0;
}

int flowset_add(struct flowset *s, const struct flow *f)
{
	uint32_t *slot;
	int r;

	if (s->n * 4 >= s->slots * 3) {
		r = rehash(s);
		if (r < 0)
			return r;
	}
	slot = probe(s, f);
	if (*slot)
		return 0;
	r = grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v));
	if (r < 0)
		return r;
	s->v[s->n++] = *f;
	*slot = s->n;
	return 1;
}

struct flow *flowset_find(const struct flowset *s, const struct flow *f)
{
	uint32_t at = s->n ? *probe(s, f) : 0;

	return at ? &s->v[at - 1] : NULL;
}

void flowset_filter(struct flowset *s, bool (*keep)(const struct flow *f, void *arg), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!keep(&s->v[i], arg))
			continue;
		if (kept != i)
			s->v[kept] = s->v[i];
		kept++;
	}
	if (kept == s->n)
		return;
	s->n = kept;
	memset(s->index, 0, s->slots * sizeof(*s->index));
	for (size_t i = 0; i < s->n; i++)
		*probe(s, &s->v[i]) = i + 1;
}

void flowset_clear(struct flowset *s)
{
	free(s->v);
	free(s->index);
	memset(s, 0, sizeof(*s));
}

bool flow_is_tcp(const struct flow *f)
{
	return f->proto == PROTO_TCP || f->proto == PROTO_MPTCP;
}

bool flow_uid_known(const struct flow *f)
{
	return f->inode || f->tracked;
}

const char *flow_carrier(const struct flow *f)
{
	static const char *const v6[] = { [PROTO_TCP] = "tcp6", [PROTO_UDP] = "udp6", [PROTO_MPTCP] = "mptcp6" };

	_Static_assert(array_size(v6) == PROTO_OTHER, "a name for each protocol that has addresses");
	return f->remote.family == AF_INET6 && f->proto < PROTO_OTHER ? v6[f->proto] : proto_name[f->proto];
}
