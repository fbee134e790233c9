/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire.h - between the program and the kernel's sock_diag: what is sent can be answered in the kernel's stead, what is
 * received can be spoilt. For programs linked with --wrap=mnl_socket_sendto and --wrap=mnl_socket_recvfrom. */
#ifndef SEVER_TEST_WIRE_H
#define SEVER_TEST_WIRE_H

#include "model/base.h"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>

#define WIRE_PENDING 65536

static struct wire {
	/* The answer to the n-th destroy, from 1, in the kernel's stead; 0: the kernel's own; positive: none, and the
	 * kernel never hears of it. */
	int (*destroy_err)(unsigned int n);
	/* Called before the n-th send of all. Negative: the send fails so. */
	int (*before_send)(unsigned int n, const struct nlmsghdr *first);
	/* May change what was received, n bytes of at most max, or give an error. */
	ssize_t (*received)(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max);
	bool (*blank)(void); /* a datagram of no bytes comes first */
	unsigned int sends, destroys, lookups, dumps, receives;
	_Alignas(struct nlmsghdr) char pending[WIRE_PENDING];
	size_t n_pending;
} wire;

ssize_t __real_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __real_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t len);

/* An NLMSG_ERROR that answers request `to`. */
static inline void wire_answer(const struct mnl_socket *nl, const struct nlmsghdr *to, int err)
{
	struct nlmsghdr *h = (void *)(wire.pending + wire.n_pending);
	struct nlmsgerr *e = NLMSG_DATA(h);

	if (wire.n_pending + NLMSG_SPACE(sizeof(*e)) > WIRE_PENDING)
		abort();
	memset(h, 0, NLMSG_SPACE(sizeof(*e)));
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*e));
	h->nlmsg_type = NLMSG_ERROR;
	h->nlmsg_seq = to->nlmsg_seq;
	h->nlmsg_pid = mnl_socket_get_portid(nl);
	e->error = err;
	e->msg = *to;
	wire.n_pending += NLMSG_SPACE(sizeof(*e));
}

/* Sends what of a batch of destroys is left to the kernel. */
static inline ssize_t wire_destroys(const struct mnl_socket *nl, const void *buf, size_t len)
{
	static _Alignas(struct nlmsghdr) char rest[WIRE_PENDING];
	const struct nlmsghdr *h = buf;
	size_t n_rest = 0;

	for (int left = len; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		int err = wire.destroy_err ? wire.destroy_err(++wire.destroys) : 0;

		if (err < 0)
			wire_answer(nl, h, err);
		if (err)
			continue;
		memcpy(rest + n_rest, h, h->nlmsg_len);
		n_rest += NLMSG_ALIGN(h->nlmsg_len);
	}
	if (n_rest && __real_mnl_socket_sendto(nl, rest, n_rest) < 0)
		return -1;
	return len;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	const struct nlmsghdr *h = buf;
	int r = wire.before_send ? wire.before_send(++wire.sends, h) : 0;

	if (r < 0) {
		errno = -r;
		return -1;
	}
	if (h->nlmsg_type == SOCK_DESTROY)
		return wire_destroys(nl, buf, len);
	wire.dumps += !!(h->nlmsg_flags & NLM_F_DUMP);
	wire.lookups += !(h->nlmsg_flags & NLM_F_DUMP);
	return __real_mnl_socket_sendto(nl, buf, len);
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t len)
{
	ssize_t n;

	wire.receives++;
	if (wire.blank && wire.blank())
		return 0;
	if (wire.n_pending) {
		/* Whole messages only, as many as the reader has room for. */
		n = len / NLMSG_SPACE(sizeof(struct nlmsgerr)) * NLMSG_SPACE(sizeof(struct nlmsgerr));
		n = wire.n_pending < (size_t)n ? wire.n_pending : (size_t)n;
		memcpy(buf, wire.pending, n);
		wire.n_pending -= n;
		memmove(wire.pending, wire.pending + n, wire.n_pending);
	} else {
		n = __real_mnl_socket_recvfrom(nl, buf, len);
	}
	return wire.received ? wire.received(nl, buf, n, len) : n;
}

static inline void wire_reset(void)
{
	memset(&wire, 0, sizeof(wire));
}

#endif
