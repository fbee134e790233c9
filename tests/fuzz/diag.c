// SPDX-License-Identifier: LGPL-2.1-or-later
/* diag.c - any bytes at all as the kernel's answer. The first byte says of which protocol, the second whether the length in
 * the header is to be true; it never exceeds what was received, which the netlink loop sees to. */
#include "kernel/diag.h"

#include <assert.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(const struct addr *a, const struct flow *f)
{
	char buf[ADDR_STRLEN];

	assert(a->family == AF_INET || (a->family == AF_INET6 && f->family == AF_INET6));
	assert(!a->scope || (addr_is_linklocal(a) && a->scope == f->ifindex));
	assert(strlen(addr_format(a, buf)) < ADDR_STRLEN && strcmp(buf, "*"));
}

/* What later layers rely on without looking again. */
static void check_flow(const struct flow *f, enum proto proto)
{
	assert(f->proto == proto && f->state < STATE_MAX);
	assert(f->proc == -1 && f->session == -1 && f->login_uid == ID_UNSET && f->shared_with == ID_UNSET);
	assert(!f->netns && !f->direction && !f->outcome && !f->err && !f->note && !f->engine);
	check_addr(&f->local, f);
	check_addr(&f->remote, f);
}

/* The request for what was read names what was read: parsed as an answer it is the same socket. */
static void check_round_trip(const struct flow *f)
{
	_Alignas(struct nlmsghdr) uint8_t req[DIAG_FLOW_LEN], msg[NLMSG_LENGTH(sizeof(struct inet_diag_msg))] = { 0 };
	const struct inet_diag_req_v2 *r = NLMSG_DATA((struct nlmsghdr *)req);
	struct nlmsghdr *h = (void *)msg;
	struct inet_diag_msg *m = NLMSG_DATA(h);
	struct flow again;

	diag_flow_request(req, SOCK_DESTROY, f);
	h->nlmsg_len = sizeof(msg);
	m->idiag_family = r->sdiag_family;
	m->idiag_state = f->state;
	m->id = r->id;
	if (diag_parse(h, f->proto, &again) != 0)
		abort();
	assert(again.cookie == f->cookie && again.family == f->family && again.ifindex == f->ifindex);
	assert(addr_equal(&again.local, &f->local) && addr_equal(&again.remote, &f->remote));
	assert(again.local_port == f->local_port && again.remote_port == f->remote_port);
}

static bool is_untouched(const struct flow *f)
{
	for (const uint8_t *b = (const void *)f, *end = b + sizeof(*f); b < end; b++)
		if (*b != 0x5a)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size - 2;
	struct nlmsghdr *h;
	enum proto proto;
	struct flow f;

	if (size < 2 + sizeof(*h))
		return 0;
	h = malloc(len);
	if (!h)
		abort();
	memcpy(h, data + 2, len);
	if (!data[1] || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
		h->nlmsg_len = len;
	proto = data[0] % PROTO_OTHER;
	memset(&f, 0x5a, sizeof(f));
	if (diag_parse(h, proto, &f) == 0) {
		check_flow(&f, proto);
		check_round_trip(&f);
	} else {
		assert(is_untouched(&f));
	}
	free(h);
	return 0;
}
