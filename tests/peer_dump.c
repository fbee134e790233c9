// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_dump.c - what sock_diag says, read without any code of the program under test. One line a socket:
 *	PROTO FAMILY STATE COOKIE@NETNS LOCAL:PORT REMOTE:PORT UID INODE IFINDEX SENDQ */
#include "peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stddef.h>

struct cookies {
	uint64_t *v;
	size_t n, cap;
};

typedef void (*socket_fn)(int proto, const struct inet_diag_msg *m, void *arg);

static uint64_t cookie_of(const struct inet_diag_msg *m)
{
	return (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
}

static int ask_kernel(int fd, int proto, int family)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 r;
		struct rtattr attr;
		uint32_t proto;
	} req = {
		.nlh = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = family, .sdiag_protocol = proto, .idiag_states = ~0U },
		.attr = { .rta_len = RTA_LENGTH(4), .rta_type = INET_DIAG_REQ_PROTOCOL },
		.proto = proto,
	};

	if (proto != IPPROTO_MPTCP) /* the only one whose number needs more than a byte */
		req.nlh.nlmsg_len = offsetof(typeof(req), attr);
	return send(fd, &req, req.nlh.nlmsg_len, 0);
}

static void dump_one(int fd, int proto, int family, socket_fn fn, void *arg)
{
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *h;
	ssize_t left;

	check(ask_kernel(fd, proto, family), "sock_diag request");
	while ((left = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return; /* an error: this kernel has no such protocol */
			fn(proto, NLMSG_DATA(h), arg);
		}
	}
	die("sock_diag");
}

static void dump_all(socket_fn fn, void *arg)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_MPTCP, IPPROTO_UDP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	size_t i;

	check(fd, "netlink");
	for (i = 0; i < 3; i++) {
		dump_one(fd, protos[i], AF_INET, fn, arg);
		dump_one(fd, protos[i], AF_INET6, fn, arg);
	}
	close(fd);
}

static void print(int proto, const struct inet_diag_msg *m, void *arg)
{
	static const char *const states[16] = { "?",	      "established", "syn-sent",  "syn-recv",
						"fin-wait-1", "fin-wait-2",  "time-wait", "close",
						"close-wait", "last-ack",    "listen",	  "closing",
						"syn-recv",   "bound",	     "?",	  "?" };
	char local[64], remote[64];

	inet_ntop(m->idiag_family, m->id.idiag_src, local, sizeof(local));
	inet_ntop(m->idiag_family, m->id.idiag_dst, remote, sizeof(remote));
	printf("%s %s %s %llx@%lu %s:%u %s:%u %u %u %u %u\n",
	       proto == IPPROTO_TCP ? "tcp" :
	       proto == IPPROTO_UDP ? "udp" :
				      "mptcp",
	       m->idiag_family == AF_INET ? "inet" : "inet6", states[m->idiag_state & 15],
	       (unsigned long long)cookie_of(m), *(unsigned long *)arg, local, ntohs(m->id.idiag_sport), remote,
	       ntohs(m->id.idiag_dport), m->idiag_uid, m->idiag_inode, m->id.idiag_if, m->idiag_wqueue);
}

int dump(void)
{
	unsigned long netns = own_netns();

	setvbuf(stdout, NULL, _IOFBF, 65536);
	dump_all(print, &netns);
	return fflush(stdout);
}

static void collect(int proto, const struct inet_diag_msg *m, void *arg)
{
	struct cookies *c = arg;

	(void)proto;
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 1024;
		c->v = realloc(c->v, c->cap * sizeof(*c->v));
		if (!c->v)
			die("memory");
	}
	c->v[c->n++] = cookie_of(m);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int count_alive(const char *file)
{
	struct cookies all = { 0 };
	unsigned long long cookie;
	unsigned long alive = 0;
	FILE *f = fopen(file, "re");

	if (!f)
		die(file);
	dump_all(collect, &all);
	qsort(all.v, all.n, sizeof(*all.v), compare);
	while (fscanf(f, "%llx@%*u", &cookie) > 0) {
		uint64_t key = cookie;

		alive += bsearch(&key, all.v, all.n, sizeof(key), compare) != NULL;
	}
	return printf("%lu\n", alive) < 0;
}
