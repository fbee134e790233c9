// SPDX-License-Identifier: LGPL-2.1-or-later
/* listeners.c - which way a connection was opened, as far as that can be seen afterwards. */
#include "kernel/diag.h"
#include "kernel/sockets.h"

struct listener {
	struct addr addr;
	uint16_t port;
	uint8_t proto;
};

struct listeners {
	struct listener *v;
	size_t n, cap;
	uint8_t ports[65536]; /* bits 1 << proto: most flows are settled by one look */
};

static int add_listener(const struct flow *f, void *arg)
{
	struct listeners *l = arg;
	const struct listener one = { .addr = f->local, .port = f->local_port, .proto = f->proto };
	int r = grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v));

	if (r < 0)
		return r;
	l->v[l->n++] = one;
	l->ports[f->local_port] |= 1u << f->proto;
	return 0;
}

int listeners_read(struct netns *ns, struct listeners **ret)
{
	_cleanup_(listeners_freep) struct listeners *l = calloc(1, sizeof(*l));
	struct diag_dump tcp = { .proto = PROTO_TCP, .states = 1u << STATE_LISTEN };
	struct diag_dump udp = { .proto = PROTO_UDP, .states = 1u << STATE_CLOSE };
	int r, doubt;

	if (!l)
		return -ENOMEM;
	doubt = sockets_dump_raw(ns, &tcp, add_listener, l);
	if (doubt < 0)
		return doubt;
	r = sockets_dump_raw(ns, &udp, add_listener, l);
	if (r < 0)
		return r;
	*ret = take_ptr(&l);
	return r | doubt;
}

void listeners_free(struct listeners *l)
{
	if (l)
		free(l->v);
	free(l);
}

static bool listens(const struct listeners *l, const struct flow *f, const struct addr *addr, uint16_t port)
{
	enum proto proto = f->proto == PROTO_MPTCP ? PROTO_TCP : f->proto;

	if (!(l->ports[port] & 1u << proto))
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].port == port && l->v[i].proto == proto &&
		    (addr_is_unset(&l->v[i].addr) || addr_equal(&l->v[i].addr, addr)))
			return true;
	return false;
}

static bool ephemeral(const struct netns *ns, uint16_t port)
{
	return port >= ns->ephemeral_first && port <= ns->ephemeral_last;
}

enum direction listeners_direction(const struct listeners *l, const struct netns *ns, const struct flow *f)
{
	if (listens(l, f, &f->local, f->local_port))
		return DIR_IN;
	if (ephemeral(ns, f->local_port) &&
	    (!ephemeral(ns, f->remote_port) || listens(l, f, &f->remote, f->remote_port)))
		return DIR_OUT;
	return DIR_UNKNOWN;
}
