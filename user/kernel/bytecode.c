// SPDX-License-Identifier: LGPL-2.1-or-later
/* bytecode.c - the kernel's rules (net/ipv4/inet_diag.c:inet_diag_bc_audit): an operation jumps forward only, `yes` jumps chain
 * up to the exact end of the code, and a socket is refused by a `no` jump to 4 bytes beyond the end.
 *
 * Each named kind of selector becomes a group; a group is a list of alternatives:
 *	alternative 1: conditions, each failing to alternative 2
 *	jump to the end of the group
 *	alternative 2: ...
 *	last alternative: its failure refuses the socket */
#include "kernel/bytecode.h"

#include <linux/inet_diag.h>
#include <string.h>
#include <sys/socket.h>

struct code {
	uint8_t *buf;
	size_t len, max;
	bool full;
};

static struct inet_diag_bc_op *op_at(struct code *c, size_t at)
{
	return (void *)(c->buf + at);
}

/* Appends an operation of `extra` bytes beyond its head; its `no` is set by whoever knows where to go. */
static size_t emit(struct code *c, uint8_t code, const void *extra, size_t extra_len)
{
	size_t at = c->len, size = sizeof(struct inet_diag_bc_op) + extra_len;

	if (c->full || c->len + size > c->max) {
		c->full = true;
		return 0;
	}
	*op_at(c, at) = (struct inet_diag_bc_op){ .code = code, .yes = size };
	if (extra_len)
		memcpy(c->buf + at + sizeof(struct inet_diag_bc_op), extra, extra_len);
	c->len += size;
	return at;
}

static size_t emit_addr(struct code *c, const struct prefix *p)
{
	size_t n = p->addr.family == AF_INET ? 4 : 16;
	_Alignas(struct inet_diag_hostcond) uint8_t extra[sizeof(struct inet_diag_hostcond) + 16] = { 0 };
	struct inet_diag_hostcond *cond = (void *)extra;

	cond->family = p->addr.family;
	cond->prefix_len = p->len;
	cond->port = -1;
	memcpy(cond->addr, p->addr.b, n);
	return emit(c, INET_DIAG_BC_D_COND, extra, sizeof(*cond) + n);
}

/* A port comparison carries its port in the `no` field of a second head. */
static size_t emit_port(struct code *c, uint8_t code, uint16_t port)
{
	const struct inet_diag_bc_op arg = { .no = port };

	return emit(c, code, &arg, sizeof(arg));
}

/* What an alternative still has to be told: where to go on failure, and after success. */
struct group {
	size_t fails[2], n_fails; /* conditions of the alternative under way */
	size_t *jumps, n_jumps;   /* the jumps that end each alternative but the last */
};

static void set_no(struct code *c, size_t at, size_t target)
{
	op_at(c, at)->no = target - at;
}

/* Closes an alternative: a jump to the group's end, unless it is the last. */
static void close_alternative(struct code *c, struct group *g, bool last)
{
	if (!last)
		g->jumps[g->n_jumps++] = emit(c, INET_DIAG_BC_JMP, NULL, 0);
	for (size_t i = 0; i < g->n_fails && !c->full && !last; i++)
		set_no(c, g->fails[i], c->len);
}

/* One refusal to patch once the code's whole length is known: at most two per group, four groups. */
struct refusals {
	size_t at[8], n;
};

static void close_group(struct code *c, struct group *g, struct refusals *r)
{
	for (size_t i = 0; i < g->n_jumps && !c->full; i++)
		set_no(c, g->jumps[i], c->len);
	for (size_t i = 0; i < g->n_fails; i++)
		r->at[r->n++] = g->fails[i];
}

static void add_prefixes(struct code *c, const struct prefixes *p, struct refusals *r)
{
	_free_ size_t *jumps = calloc(p->n, sizeof(*jumps));
	struct group g = { .jumps = jumps };

	c->full |= !jumps;
	for (size_t i = 0; i < p->n && !c->full; i++) {
		g.fails[0] = emit_addr(c, &p->v[i]);
		g.n_fails = 1;
		close_alternative(c, &g, i + 1 == p->n);
	}
	close_group(c, &g, r);
}

static void add_ranges(struct code *c, const struct ranges *p, uint8_t ge, uint8_t le, struct refusals *r)
{
	_free_ size_t *jumps = calloc(p->n, sizeof(*jumps));
	struct group g = { .jumps = jumps };

	c->full |= !jumps;
	for (size_t i = 0; i < p->n && !c->full; i++) {
		g.fails[0] = emit_port(c, ge, p->v[i].first);
		g.fails[1] = emit_port(c, le, p->v[i].last);
		g.n_fails = 2;
		close_alternative(c, &g, i + 1 == p->n);
	}
	close_group(c, &g, r);
}

size_t bytecode_make(const struct filter *f, void *buf, size_t max)
{
	struct code c = { .buf = buf, .max = max };
	struct refusals r = { 0 };

	if (filter_names(f, SEL_CLIENT))
		add_prefixes(&c, &f->clients, &r);
	if (filter_names(f, SEL_PEER))
		add_prefixes(&c, &f->peers, &r);
	if (filter_names(f, SEL_LOCAL_PORT))
		add_ranges(&c, &f->local_ports, INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE, &r);
	if (filter_names(f, SEL_REMOTE_PORT))
		add_ranges(&c, &f->remote_ports, INET_DIAG_BC_D_GE, INET_DIAG_BC_D_LE, &r);
	if (c.full)
		return 0;
	for (size_t i = 0; i < r.n; i++)
		set_no(&c, r.at[i], c.len + 4);
	return c.len;
}
