// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/nl.h"

#include <libmnl/libmnl.h>
#include <poll.h>
#include <sys/socket.h>

/* The kernel never builds a larger dump message for a reader with a buffer of this size. */
#define RECV_LEN 32768
/* Room for the errors of a whole batch: about 1 KiB of kernel memory each. */
#define RCVBUF (1 << 20)
#define PATIENCE_MS 10000
/* How often one dump may overrun the buffer before it is given up. */
#define LOSSES 64

struct nl {
	struct mnl_socket *sock;
	uint32_t portid, seq;
	char buf[RECV_LEN];
};

int nl_open(struct nl **ret)
{
	_cleanup_(nl_closep) struct nl *nl = calloc(1, sizeof(*nl));
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int one = 1, size = RCVBUF;

	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* From now on nobody else can send to it: the root of a container could otherwise answer for the kernel. */
	if (connect(nl_fd(nl), (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	/* Both only make lost answers rarer; a lost answer is noticed and asked again. */
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	if (setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(nl_fd(nl), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	nl->portid = mnl_socket_get_portid(nl->sock);
	*ret = take_ptr(&nl);
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl && nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

int nl_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	return nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG : e->error;
}

/* One datagram into nl->buf, waiting for it unless `now`. Its length; 0 nothing is there; negative errno. */
static ssize_t receive(struct nl *nl, bool now)
{
	struct pollfd p = { .fd = nl_fd(nl), .events = POLLIN };
	ssize_t n;

	for (;;) {
		n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (now)
			return 0;
		if (poll(&p, 1, PATIENCE_MS) == 0)
			return -ETIMEDOUT;
	}
}

struct answer {
	uint32_t first, n; /* the sequence numbers that are ours */
	size_t got;
	bool done, interrupted;
	int err; /* of the dump as a whole */
};

/* Feeds the messages of one datagram to cb. Strays of an earlier, abandoned talk are passed over. */
static int feed(struct nl *nl, size_t len, struct answer *a, nl_cb cb, void *arg)
{
	const struct nlmsghdr *h = (void *)nl->buf;
	int left = len, r;

	/* mnl_nlmsg_ok() takes a length of 2 GiB and more for a negative one. */
	for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left; h = mnl_nlmsg_next(h, &left)) {
		if (!mnl_nlmsg_portid_ok(h, nl->portid) || h->nlmsg_seq - a->first >= a->n)
			continue;
		a->interrupted |= h->nlmsg_flags & NLM_F_DUMP_INTR;
		a->got++;
		if (h->nlmsg_type == NLMSG_DONE) {
			a->done = true;
			/* Some dumps end in an error: DONE carries it. */
			if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(int)))
				a->err = *(const int *)mnl_nlmsg_get_payload(h);
			continue;
		}
		if (h->nlmsg_type == NLMSG_NOOP)
			continue;
		r = cb(h, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

struct dump {
	nl_cb cb;
	void *arg;
};

static int dump_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;

	return nlh->nlmsg_type == NLMSG_ERROR ? nl_error(nlh) : d->cb(nlh, d->arg);
}

int nl_dump(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg)
{
	struct dump d = { .cb = cb, .arg = arg };
	struct answer a = { .first = ++nl->seq, .n = 1 };
	unsigned int lost = 0;
	ssize_t n;
	int r;

	req->nlmsg_seq = a.first;
	req->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (mnl_socket_sendto(nl->sock, req, req->nlmsg_len) < 0)
		return -errno;
	while (!a.done) {
		n = receive(nl, false);
		if (n == -ENOBUFS && lost++ < LOSSES) {
			a.interrupted = true;
			continue;
		}
		if (n < 0)
			return n;
		r = feed(nl, n, &a, dump_cb, &d);
		if (r < 0)
			return r;
	}
	return a.err < 0 ? a.err : a.interrupted;
}

int nl_batch(struct nl *nl, void *buf, size_t len, size_t n, bool answers, uint32_t *ret_seq, nl_cb cb,
	     void *arg)
{
	struct answer a = { .first = nl->seq + 1, .n = n };
	int left = len, r;
	ssize_t got;

	for (struct nlmsghdr *h = buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		h->nlmsg_seq = ++nl->seq;
	*ret_seq = a.first;
	if (mnl_socket_sendto(nl->sock, buf, len) < 0)
		return -errno;
	while (!answers || a.got < n) {
		got = receive(nl, !answers);
		if (got == -ENOBUFS)
			return 1;
		if (got < 0 || (!got && !answers))
			return got;
		r = feed(nl, got, &a, cb, arg);
		if (r < 0)
			return r;
	}
	return 0;
}
