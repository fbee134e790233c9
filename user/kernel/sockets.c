// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/sockets.h"
#include "kernel/bytecode.h"
#include "kernel/diag.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define ATTEMPTS 3

struct pass {
	struct netns *ns;
	const struct listeners *listeners; /* NULL: direction is not asked */
	enum proto proto;
	bool keep_subflows;
	flow_cb cb;
	void *arg;
};

static int show(const struct nlmsghdr *nlh, void *arg)
{
	struct pass *p = arg;
	struct flow f;
	int r = diag_parse(nlh, p->proto, &f);

	if (r < 0)
		return r;
	if (f.subflow && !p->keep_subflows)
		return 0;
	f.netns = p->ns->inode;
	if (p->listeners)
		f.direction = listeners_direction(p->listeners, p->ns, &f);
	return p->cb(&f, p->arg);
}

/* One protocol of one namespace. -ENOENT, -EINVAL: this kernel has no diag handler for it. */
static int dump(struct pass *p, struct diag_dump *d)
{
	_Alignas(struct nlmsghdr) char req[DIAG_DUMP_MAX];
	int r = 1;

	d->proto = p->proto;
	for (int i = 0; i < ATTEMPTS && r == 1; i++) {
		diag_dump_request(req, d);
		r = nl_dump(p->ns->nl, (void *)req, show, p);
	}
	return r;
}

static int dump_families(struct pass *p, struct diag_dump *d)
{
	int r4, r6;

	d->family = AF_INET;
	r4 = dump(p, d);
	if (r4 < 0)
		return r4;
	d->family = AF_INET6;
	r6 = dump(p, d);
	/* A kernel without IPv6 has no handler for it. */
	return r6 == -ENOENT ? r4 : r6 < 0 ? r6 : r4 | r6;
}

static bool no_handler(int r)
{
	return r == -ENOENT || r == -EINVAL || r == -EPROTONOSUPPORT || r == -EOPNOTSUPP;
}

int sockets_dump_raw(struct netns *ns, struct diag_dump *d, flow_cb cb, void *arg)
{
	struct pass p = { .ns = ns, .proto = d->proto, .keep_subflows = true, .cb = cb, .arg = arg };
	int r = d->proto == PROTO_TCP ? dump(&p, d) : dump_families(&p, d);

	return d->proto != PROTO_TCP && no_handler(r) ? 0 : r;
}

/* Notes that there is MPTCP here at all, before the caller sees the flow. */
struct mptcp_seen {
	flow_cb cb;
	void *arg;
	bool seen;
};

static int on_mptcp(const struct flow *f, void *arg)
{
	struct mptcp_seen *m = arg;

	m->seen = true;
	return m->cb(f, m->arg);
}

/* Whether programs can open MPTCP sockets although the kernel cannot list them: mptcp_diag is a module of its own. */
static bool mptcp_unlisted(void)
{
	_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	return fd >= 0;
}

/* Not filtered in the kernel, to learn whether there is any: only then must the TCP sockets tell what they carry, which
 * makes their dump several times as large. */
static int dump_mptcp(struct pass *p, struct diag_dump *d, uint32_t states)
{
	struct mptcp_seen m = { .cb = p->cb, .arg = p->arg };
	struct pass mptcp = *p;
	struct diag_dump all = { .states = ~(1u << STATE_CLOSE | 1u << STATE_LISTEN) | states };
	int r;

	mptcp.proto = PROTO_MPTCP;
	mptcp.cb = on_mptcp;
	mptcp.arg = &m;
	r = dump_families(&mptcp, &all);
	p->keep_subflows = no_handler(r) && mptcp_unlisted();
	d->tcp_info |= m.seen || p->keep_subflows;
	return no_handler(r) ? 0 : r;
}

static int dump_udp(struct pass *p, struct diag_dump *d)
{
	int r;

	p->proto = PROTO_UDP;
	d->states &= 1u << STATE_ESTABLISHED | 1u << STATE_CLOSE;
	r = d->states ? dump_families(p, d) : 0;
	return no_handler(r) ? 0 : r;
}

int sockets_dump(struct netns *ns, const struct filter *f, flow_cb cb, void *arg)
{
	_free_ void *code = malloc(DIAG_CODE_MAX);
	_cleanup_(listeners_freep) struct listeners *listeners = NULL;
	struct pass p = { .ns = ns, .cb = cb, .arg = arg };
	struct diag_dump d = { .tcp_info = f->traffic || filter_names(f, SEL_OLDER_THAN), .code = code };
	int r, doubt;

	if (!code)
		return -ENOMEM;
	r = doubt = listeners_read(ns, &listeners);
	if (r < 0)
		return r;
	p.listeners = listeners;
	d.code_len = bytecode_make(f, code, DIAG_CODE_MAX);
	if (!d.code_len)
		d.code = NULL;
	if (f->protos & (1u << PROTO_MPTCP | 1u << PROTO_TCP)) {
		r = dump_mptcp(&p, &d, f->states & 1u << STATE_LISTEN);
		doubt |= r;
	}
	if (r >= 0 && f->protos & 1u << PROTO_TCP) {
		p.proto = PROTO_TCP;
		d.states = f->states & ~(1u << STATE_CLOSE);
		r = dump(&p, &d);
		doubt |= r;
	}
	if (r >= 0 && f->protos & 1u << PROTO_UDP) {
		d.states = f->states;
		r = dump_udp(&p, &d);
		doubt |= r;
	}
	return r < 0 ? r : doubt > 0;
}

/* 256 look-ups answer with at most 256 KiB, well inside the receive buffer. */
#define BATCH 256

struct batch {
	struct flow *const *v;
	uint32_t first; /* sequence number of v[0] */
	size_t n;
	enum proto proto;
	bool tcp_info;
	struct pass *pass;
};

static int lookup_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct batch *b = arg;
	int r;

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return show(nlh, b->pass);
	r = nl_error(nlh);
	return r == -ENOENT || r == -ESTALE ? 0 : r;
}

static size_t fill(char *buf, uint16_t type, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		diag_flow_request(buf + i * DIAG_FLOW_LEN, type, b->v[i]);
		if (b->tcp_info)
			diag_ask_info(buf + i * DIAG_FLOW_LEN);
	}
	return b->n * DIAG_FLOW_LEN;
}

/* How many of v, at most BATCH, are of v[0]'s protocol. */
static size_t same_proto(struct flow *const *v, size_t n)
{
	size_t i = 0;

	while (i < n && i < BATCH && v[i]->proto == v[0]->proto)
		i++;
	return i;
}

static int look_up(struct pass p, bool tcp_info, struct flow *const *v, size_t n)
{
	_Alignas(struct nlmsghdr) char buf[BATCH * DIAG_FLOW_LEN];
	struct batch b = { .tcp_info = tcp_info, .pass = &p };
	int r = 0;

	for (; n && r >= 0; v += b.n, n -= b.n) {
		b.v = v;
		b.n = same_proto(v, n);
		p.proto = v[0]->proto;
		for (int i = 0; i < ATTEMPTS; i++) {
			r = nl_batch(p.ns->nl, buf, fill(buf, SOCK_DIAG_BY_FAMILY, &b), b.n, true, &b.first,
				     lookup_cb, &b);
			if (r <= 0)
				break;
		}
		if (r > 0)
			return -ENOBUFS;
	}
	return r;
}

int sockets_lookup(struct netns *ns, struct flow *const *v, size_t n, flow_cb cb, void *arg)
{
	return look_up((struct pass){ .ns = ns, .keep_subflows = true, .cb = cb, .arg = arg }, false, v, n);
}

int sockets_measure(struct netns *ns, struct flow *const *v, size_t n, flow_cb cb, void *arg)
{
	return look_up((struct pass){ .ns = ns, .keep_subflows = true, .cb = cb, .arg = arg }, true, v, n);
}

static int destroy_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct batch *b = arg;
	uint32_t i = nlh->nlmsg_seq - b->first;

	if (nlh->nlmsg_type == NLMSG_ERROR && i < b->n)
		b->v[i]->err = nl_error(nlh);
	return 0;
}

int sockets_destroy(struct netns *ns, struct flow *const *v, size_t n)
{
	_Alignas(struct nlmsghdr) char buf[BATCH * DIAG_FLOW_LEN];
	struct batch b = { 0 };
	int r;

	for (; n; v += b.n, n -= b.n) {
		b.v = v;
		b.n = n < BATCH ? n : BATCH;
		for (size_t i = 0; i < b.n; i++)
			v[i]->err = 0;
		/* Lost errors (1) are no loss: whoever asked for the kill looks each flow up afterwards. */
		r = nl_batch(ns->nl, buf, fill(buf, SOCK_DESTROY, &b), b.n, false, &b.first, destroy_cb, &b);
		if (r < 0) {
			for (size_t i = 0; i < n; i++)
				v[i]->err = r;
			return r;
		}
	}
	return 0;
}
