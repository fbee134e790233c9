// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_nl.c - the netlink loop against the kernel, and against answers the kernel would not give.
 * LINK: -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom
 */
#include "kernel/nl.h"
#include "kernel/diag.h"
#include "own_net.h"
#include "wire.h"
#include "unit.h"


static struct nl *nl;
static unsigned int shown;

static int count(const struct nlmsghdr *h, void *arg)
{
	const int *stop_with = arg;

	assert_true(h->nlmsg_type != NLMSG_DONE && h->nlmsg_type != NLMSG_NOOP);
	shown++;
	return stop_with ? *stop_with : 0;
}

static int dump(int *stop_with)
{
	_Alignas(struct nlmsghdr) char req[DIAG_DUMP_MAX];
	const struct diag_dump d = { .proto = PROTO_TCP, .states = 1u << STATE_LISTEN };

	shown = 0;
	diag_dump_request(req, &d);
	return nl_dump(nl, (void *)req, count, stop_with);
}

/* Look-ups of sockets that do not exist: each brings an error. */
static int look(size_t n, bool answers)
{
	_Alignas(struct nlmsghdr) char buf[16 * DIAG_FLOW_LEN];
	struct flow f = { .cookie = 1, .family = AF_INET, .proto = PROTO_TCP, .remote_port = 9 };
	uint32_t seq;

	shown = 0;
	for (size_t i = 0; i < n; i++)
		diag_flow_request(buf + i * DIAG_FLOW_LEN, answers ? SOCK_DIAG_BY_FAMILY : SOCK_DESTROY, &f);
	return nl_batch(nl, buf, n * DIAG_FLOW_LEN, n, answers, &seq, count, NULL);
}

static int set_up(void **state)
{
	(void)state;
	wire_reset();
	return nl_open(&nl);
}

static int tear_down(void **state)
{
	(void)state;
	nl_close(nl);
	return 0;
}

static void test_plain(void **state)
{
	(void)state;
	assert_int_equal(dump(NULL), 0);
	assert_int_equal(shown, 3);
	assert_int_equal(look(16, true), 0);
	assert_int_equal(shown, 16);
	assert_int_equal(look(16, false), 0);
	assert_int_equal(shown, 16);
}

/* A reader that stops in the middle leaves messages behind: the next talk passes them over. */
static void test_abandoned(void **state)
{
	int stop = -ECANCELED;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(dump(&stop), -ECANCELED);
		assert_int_equal(shown, 1);
		assert_int_equal(look(3, true), 0);
		assert_int_equal(shown, 3);
		assert_int_equal(dump(NULL), 0);
		assert_int_equal(shown, 3);
	}
}

/* Nobody but the kernel is heard: a process with rights in the same namespace could answer for it. */
static void test_strangers(void **state)
{
	struct sockaddr_nl us = { 0 }, kernel = { .nl_family = AF_NETLINK };
	_close_ int stranger = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "socket");
	struct nlmsghdr done = { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = NLMSG_DONE };
	socklen_t len = sizeof(us);

	(void)state;
	must(getsockname(nl_fd(nl), (struct sockaddr *)&us, &len), "getsockname");
	assert_int_equal(sendto(stranger, &done, sizeof(done), 0, (struct sockaddr *)&us, sizeof(us)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(sendto(stranger, &done, sizeof(done), 0, (struct sockaddr *)&kernel, sizeof(kernel)), sizeof(done));
	assert_int_equal(dump(NULL), 0);
	assert_int_equal(shown, 3);
}

static struct {
	int err;	       /* instead of the nth datagram, 0 none */
	unsigned int nth;
	int done_with;	       /* the error that the end of the dump carries */
	uint16_t type;	       /* that messages are turned into, 0 none */
	uint32_t len;	       /* that the first message claims, 0 its own */
} spoil;

static ssize_t spoilt(const struct mnl_socket *s, void *buf, ssize_t n, size_t max)
{
	struct nlmsghdr *h = buf;
	ssize_t left = n;

	(void)s;
	(void)max;
	if (spoil.err && wire.receives == spoil.nth) {
		errno = -spoil.err;
		return -1;
	}
	if (spoil.len && n > 0)
		h->nlmsg_len = spoil.len;
	for (; left > 0 && NLMSG_OK(h, (size_t)left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE && spoil.done_with)
			memcpy(NLMSG_DATA(h), &spoil.done_with, sizeof(int));
		else if (spoil.type && h->nlmsg_type != NLMSG_DONE)
			h->nlmsg_type = spoil.type;
	}
	return n;
}

static int set_up_spoilt(void **state)
{
	memset(&spoil, 0, sizeof(spoil));
	if (set_up(state) < 0)
		return -1;
	wire.received = spoilt;
	return 0;
}

static void test_errors(void **state)
{
	(void)state;
	spoil.nth = 1;
	spoil.err = -ENOSPC; /* longer than the buffer */
	assert_int_equal(dump(NULL), -ENOSPC);
	wire.receives = 0;
	spoil.err = -ENOBUFS;
	assert_int_equal(look(3, true), 1);
	wire.receives = 0;
	assert_int_equal(look(3, false), 1);
}

/* A signal is no end. The datagram itself is lost here, so of three refusals two come, and are not waited for in vain. */
static void test_signal(void **state)
{
	(void)state;
	spoil.nth = 1;
	spoil.err = -EINTR;
	assert_int_equal(look(3, false), 0);
	assert_int_equal(shown, 2);
}

/* A dump that could not be finished says so in its last message. */
static void test_failed_end(void **state)
{
	(void)state;
	spoil.done_with = -ENOMEM;
	assert_int_equal(dump(NULL), -ENOMEM);
	spoil.done_with = 0;
	assert_int_equal(dump(NULL), 0);
}

static void test_types(void **state)
{
	(void)state;
	spoil.type = NLMSG_NOOP;
	assert_int_equal(dump(NULL), 0);
	assert_int_equal(shown, 0);
}

/* A header that claims more than was received, or less than a header, is no message. */
static void test_lengths(void **state)
{
	static const uint32_t lengths[] = { 1, 15, 40000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < array_size(lengths); i++) {
		spoil.len = lengths[i];
		assert_int_equal(look(3, false), 0);
		assert_int_equal(shown, 0);
	}
}

static void test_error_codes(void **state)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} m = { .h = { .nlmsg_type = NLMSG_ERROR, .nlmsg_len = sizeof(m) }, .e = { .error = -EPERM } };

	(void)state;
	assert_int_equal(nl_error(&m.h), -EPERM);
	for (m.h.nlmsg_len = NLMSG_HDRLEN; m.h.nlmsg_len < NLMSG_LENGTH(sizeof(m.e)); m.h.nlmsg_len++)
		assert_int_equal(nl_error(&m.h), -EBADMSG);
}

static int begin(void **state)
{
	int r = own_net();

	(void)state;
	for (int i = 0; i < 3 && r == 0; i++)
		listener("127.0.0.1", 7000 + i, 1);
	return r;
}

#define PLAIN(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define SPOILT(f) cmocka_unit_test_setup_teardown(f, set_up_spoilt, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_plain),	 PLAIN(test_abandoned), PLAIN(test_strangers), PLAIN(test_error_codes), SPOILT(test_errors),
		SPOILT(test_signal),
		SPOILT(test_failed_end), SPOILT(test_types),	SPOILT(test_lengths),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run_as_root("nl", tests, begin);
}
