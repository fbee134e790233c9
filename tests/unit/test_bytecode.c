// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_bytecode.c - code for the kernel's socket filter, run here by an interpreter with the kernel's rules, and by the kernel
 * itself over real sockets. It must never leave out a socket that the filter matches. */
#include "kernel/bytecode.h"
#include "kernel/sockets.h"
#include "own_net.h"
#include "random.h"
#include "unit.h"


#define ROUNDS 3000
#define FLOWS 40

struct code {
	_Alignas(8) uint8_t buf[DIAG_CODE_MAX];
	size_t len;
};

static const struct inet_diag_bc_op *op_at(const struct code *c, size_t at)
{
	return (const void *)(c->buf + at);
}

static size_t op_len(const struct inet_diag_bc_op *op)
{
	const struct inet_diag_hostcond *cond = (const void *)(op + 1);

	switch (op->code) {
	case INET_DIAG_BC_JMP:
		return sizeof(*op);
	case INET_DIAG_BC_D_COND:
		return sizeof(*op) + sizeof(*cond) + (cond->family == AF_INET ? 4 : 16);
	default:
		return 2 * sizeof(*op);
	}
}

/* net/ipv4/inet_diag.c:inet_diag_bc_audit(): forward only, and only to where the chain of `yes` jumps comes by. */
static bool audited(const struct code *c)
{
	bool start[DIAG_CODE_MAX + 8] = { 0 };
	size_t at = 0;

	for (at = 0; at < c->len; at += op_at(c, at)->yes) {
		start[at] = true;
		if (op_at(c, at)->yes < op_len(op_at(c, at)) || op_at(c, at)->yes % 4)
			return false;
	}
	start[at] = true;
	for (size_t i = 0; i < c->len && at == c->len; i += op_at(c, i)->yes) {
		size_t to = i + op_at(c, i)->no;

		if (op_at(c, i)->no < op_len(op_at(c, i)) || (to != c->len + 4 && (to > c->len || !start[to])))
			return false;
	}
	return at == c->len;
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* As the kernel sees it: a v4-mapped socket has AF_INET6 addresses, and an AF_INET condition matches their tail. */
static bool remote_in(const struct inet_diag_bc_op *op, const struct flow *f)
{
	const struct inet_diag_hostcond *cond = (const void *)(op + 1);
	bool mapped = f->family == AF_INET6 && f->remote.family == AF_INET;
	uint8_t whole[16] = { [10] = 0xff, [11] = 0xff };

	if (cond->port != -1)
		return false;
	if (cond->family == f->remote.family)
		return prefix_equal(f->remote.b, (const void *)cond->addr, cond->prefix_len);
	memcpy(whole + 12, f->remote.b, 4);
	return mapped && prefix_equal(whole, (const void *)cond->addr, cond->prefix_len);
}

static bool holds(const struct inet_diag_bc_op *op, const struct flow *f)
{
	switch (op->code) {
	case INET_DIAG_BC_D_COND:
		return remote_in(op, f);
	case INET_DIAG_BC_S_GE:
		return f->local_port >= op[1].no;
	case INET_DIAG_BC_S_LE:
		return f->local_port <= op[1].no;
	case INET_DIAG_BC_D_GE:
		return f->remote_port >= op[1].no;
	case INET_DIAG_BC_D_LE:
		return f->remote_port <= op[1].no;
	default:
		return false;
	}
}

static bool passes(const struct code *c, const struct flow *f)
{
	size_t at = 0;

	while (at < c->len)
		at += holds(op_at(c, at), f) ? op_at(c, at)->yes : op_at(c, at)->no;
	return at == c->len;
}

static void make(struct code *c, const struct filter *f)
{
	memset(c->buf, 0xa5, sizeof(c->buf));
	c->len = bytecode_make(f, c->buf, sizeof(c->buf));
}

/* By zones that are right for every scope, so that a zone never refuses what the code cannot know of. */
static bool matches(const struct filter *f, struct flow *w)
{
	uint32_t zones[6];

	w->state = STATE_ESTABLISHED;
	w->direction = DIR_UNKNOWN;
	for (size_t i = 0; i < array_size(zones); i++)
		zones[i] = w->remote.scope;
	return filter_match_socket(f, zones, w) == MATCH_YES;
}

/* An IPv6 prefix short enough to span the v4-mapped addresses is the one case in which the code lets more pass. */
static bool spans_mapped(const struct prefixes *p)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	bool spans = false;

	for (size_t i = 0; i < p->n; i++)
		spans |= p->v[i].addr.family == AF_INET6 && prefix_equal(p->v[i].addr.b, mapped, p->v[i].len);
	return spans;
}

static void compare(const struct filter *f, const struct code *c, unsigned int *passed, unsigned int *refused)
{
	struct flow w = any_flow();
	bool match = matches(f, &w), pass = passes(c, &w);

	if (match && !pass)
		fail_msg("the code leaves out a flow that matches");
	if (pass && !match && !spans_mapped(&f->clients) && !spans_mapped(&f->peers))
		fail_msg("the code lets a flow pass that does not match");
	*passed += pass;
	*refused += !pass;
}

static void test_against_the_filter(void **state)
{
	unsigned int passed = 0, refused = 0;
	static struct code c;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(filter_clear) struct filter f = { 0 };

		any_ends(&f, 2);
		make(&c, &f);
		assert_int_equal(c.len > 0, f.named != 0);
		assert_true(audited(&c));
		for (int k = 0; k < FLOWS; k++)
			compare(&f, &c, &passed, &refused);
	}
	assert_true(passed > ROUNDS && refused > ROUNDS);
}

/* What bytecode cannot say must not narrow it. */
static void test_other_kinds(void **state)
{
	struct filter f = { .named = 1u << SEL_USER | 1u << SEL_FLOW | 1u << SEL_OLDER_THAN, .states = 2 };
	static struct code c;

	(void)state;
	make(&c, &f);
	assert_int_equal(c.len, 0);
}

/* Code that does not fit is no code: half of it would leave out the rest. The byte behind the buffer stays. */
static void test_overflow(void **state)
{
	_cleanup_(filter_clear) struct filter f = { 0 };
	static struct code c;
	size_t fits;

	(void)state;
	while (f.peers.n < 4)
		any_prefixes(&f.peers);
	any_ranges(&f.local_ports);
	f.named = 1u << SEL_PEER | 1u << SEL_LOCAL_PORT;
	make(&c, &f);
	fits = c.len;
	assert_true(fits > 0);
	for (size_t max = 0; max < fits; max++) {
		memset(c.buf, 0xa5, sizeof(c.buf));
		assert_int_equal(bytecode_make(&f, c.buf, max), 0);
		assert_int_equal(c.buf[max], 0xa5);
	}
	assert_int_equal(bytecode_make(&f, c.buf, fits), fits);
	while (f.peers.n < DIAG_CODE_MAX / 12)
		any_prefixes(&f.peers);
	make(&c, &f);
	assert_int_equal(c.len, 0);
}

/* As much as there is room for, which is where a jump is longest. */
static void test_longest(void **state)
{
	static const char *const texts[] = { "127.0.0.1", "127.0.0.2" };
	_cleanup_(filter_clear) struct filter f = { .named = 1u << SEL_PEER, .protos = ~0u, .states = ~0u };
	struct flow w = { .family = AF_INET, .state = STATE_ESTABLISHED, .remote = { .family = AF_INET, .b = { 127, 0, 0, 2 } } };
	static struct code c;
	struct prefix p;

	(void)state;
	assert_int_equal(prefix_parse(texts[0], &p, NULL), 0);
	while (f.peers.n < 800)
		APPEND(&f.peers, p);
	make(&c, &f);
	assert_true(c.len > DIAG_CODE_MAX / 2 && audited(&c));
	assert_false(passes(&c, &w));
	assert_int_equal(prefix_parse(texts[1], &f.peers.v[799], NULL), 0);
	make(&c, &f);
	assert_true(passes(&c, &w));
}

/* ---- by the kernel ---- */

struct seen {
	const struct code *code;
	unsigned int shown, passing;
};

static int count(const struct flow *f, void *arg)
{
	struct seen *s = arg;

	s->shown++;
	s->passing += passes(s->code, f);
	return 0;
}

static void open_connections(void)
{
	static const char *const to[] = { "127.0.0.1", "::1", "::" };
	static const char *const from[3][3] = {
		{ "127.0.0.1", "127.0.0.2", "127.128.0.1" },
		{ "::1", "::1", "::1" },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::ffff:127.0.1.1" },
	};
	static const uint16_t ports[] = { 22, 443, 5000 }, own[] = { 80, 5001, 40000 };

	for (size_t i = 0; i < array_size(to); i++) {
		int fd = listener(to[i], ports[i], 20);
		struct end at = end_of("::ffff:127.0.0.1", ports[i]);

		for (size_t k = 0; k < 3; k++) {
			struct end e = end_of(from[i][k], own[k]);
			int out = bound(&e, SOCK_STREAM);

			must(getsockname(fd, &e.sa, &e.len), "getsockname");
			must(i == 2 ? connect(out, &at.sa, at.len) : connect(out, &e.sa, e.len), "connect");
		}
	}
}

static void test_against_the_kernel(void **state)
{
	struct netns ns = { 0 };
	const struct filter none = { 0 };
	struct diag_dump d = { .proto = PROTO_TCP, .states = 1u << STATE_ESTABLISHED };
	unsigned int refused = 0, passed = 0;
	static struct code c;

	(void)state;
	if (own_net() < 0)
		skip_because("needs root");
	open_connections();
	assert_int_equal(netns_open_here(&ns, &none), 0);
	for (int i = 0; i < ROUNDS / 4; i++) {
		_cleanup_(filter_clear) struct filter f = { 0 };
		struct seen all = { .code = &c }, some = { .code = &c };

		any_ends(&f, 2);
		make(&c, &f);
		d.code = NULL;
		assert_int_equal(sockets_dump_raw(&ns, &d, count, &all), 0);
		d.code = c.len ? c.buf : NULL;
		d.code_len = c.len;
		assert_int_equal(sockets_dump_raw(&ns, &d, count, &some), 0);
		assert_int_equal(all.shown, 18);
		assert_int_equal(some.shown, all.passing);
		passed += some.shown;
		refused += all.shown - some.shown;
	}
	assert_true(passed > ROUNDS && refused > ROUNDS);
	nl_close(ns.nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_filter), cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_overflow),	   cmocka_unit_test(test_longest),
		cmocka_unit_test(test_against_the_kernel),
	};

	return unit_run("bytecode", tests, NULL);
}
