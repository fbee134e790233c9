// SPDX-License-Identifier: LGPL-2.1-or-later
/* destroy.c - what sever is measured against: the least that destroying a crowd can cost.
 *
 *	destroy REMOTE-ADDRESS	destroys every IPv4 TCP socket of this network namespace with that peer, and prints the milliseconds
 *
 * A bare loop: who they are was read before, the orders go out in batches without a word of acknowledgement, nothing is
 * proven. */
#include "../peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <time.h>

#define BATCH 512

struct order {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 r;
};

static struct order *orders;
static size_t n_orders, cap;

static void add_order(const struct inet_diag_msg *m)
{
	if (n_orders == cap) {
		cap = cap ? cap * 2 : 65536;
		orders = realloc(orders, cap * sizeof(*orders));
		if (!orders)
			die("memory");
	}
	orders[n_orders++] = (struct order){
		.nlh = { .nlmsg_len = sizeof(*orders), .nlmsg_type = SOCK_DESTROY, .nlmsg_flags = NLM_F_REQUEST },
		.r = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .id = m->id },
	};
}

static bool take(char *buf, ssize_t left, in_addr_t peer)
{
	for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		const struct inet_diag_msg *m = NLMSG_DATA(h);

		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return false;
		if (m->id.idiag_dst[0] == peer)
			add_order(m);
	}
	return true;
}

static void read_them(int fd, in_addr_t peer)
{
	static char buf[65536] __attribute__((aligned(8)));
	const struct order all = {
		.nlh = { .nlmsg_len = sizeof(all), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << 1 },
	};

	if (send(fd, &all, sizeof(all), 0) < 0)
		die("dump");
	while (take(buf, recv(fd, buf, sizeof(buf), 0), peer))
		;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG), size = 1 << 20;
	struct in_addr peer;
	struct timespec a, b;

	if (argc != 2 || inet_pton(AF_INET, argv[1], &peer) != 1)
		die("usage: destroy REMOTE-ADDRESS");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	read_them(fd, peer.s_addr);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < n_orders; i += BATCH) {
		size_t n = n_orders - i < BATCH ? n_orders - i : BATCH;

		if (send(fd, &orders[i], n * sizeof(*orders), 0) < 0)
			die("SOCK_DESTROY");
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.2f\n", (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6);
	fprintf(stderr, "%zu orders\n", n_orders);
	free(orders);
	return 0;
}
