// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_lossy.c - a kernel whose listings are interrupted, whose answers are lost, cut short or mixed with others: what is not
 * seen whole is not called verified.
 * LINK: -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom
 */
#include "scene.h"
#include "wire.h"
#include "unit.h"

#include <limits.h>

static unsigned int nth, times; /* receives that are spoilt: `times` of them from number nth on */
static bool only_listeners, listing; /* spoil the listing of listeners alone */

static bool due(void)
{
	return wire.receives >= nth && wire.receives - nth < times && (!only_listeners || listing);
}

static int set_up(void **state)
{
	(void)state;
	wire_reset();
	nth = 1;
	times = UINT_MAX;
	only_listeners = listing = false;
	return 0;
}

static ssize_t interrupted(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	struct nlmsghdr *h = buf;

	(void)nl;
	(void)max;
	for (ssize_t left = n; due() && left > 0 && NLMSG_OK(h, (size_t)left); h = NLMSG_NEXT(h, left))
		h->nlmsg_flags |= NLM_F_DUMP_INTR;
	return n;
}

/* A few interruptions are nobody's business: the listing is asked for again. */
static void test_interrupted_twice(void **state)
{
	unsigned int dumps;

	(void)state;
	scene_open(30);
	kill_all(STATUS_OK, 30);
	scene_close(NULL);
	set_up(NULL);
	wire.received = interrupted;
	wire.before_send = NULL;
	for (nth = 1; nth < 20; nth += unit_stride(10)) {
		times = 2;
		wire.receives = wire.dumps = 0;
		scene_open(30);
		kill_all(STATUS_OK, 30);
		dumps = wire.dumps;
		assert_string_equal(answer.notes, "");
		scene_close(NULL);
	}
	assert_true(dumps > 10);
}

static void test_interrupted_always(void **state)
{
	struct request list_it = scene_request(VERB_LIST);

	(void)state;
	wire.received = interrupted;
	scene_open(30);
	ask(&list_it);
	assert_int_equal(answer.n, 30);
	assert_non_null(strstr(answer.notes, "kept interrupting"));
	kill_all(STATUS_PARTIAL, 30);
	assert_non_null(strstr(answer.notes, "kept interrupting"));
	assert_int_equal(answer.s.dead, 30);
	assert_true(answer.s.stage != STAGE_VERIFIED);
	assert_non_null(strstr(answer.err, "not verified"));
}

static int see_listing(unsigned int n, const struct nlmsghdr *h)
{
	const struct inet_diag_req *old = NLMSG_DATA(h);

	(void)n;
	if (h->nlmsg_flags & NLM_F_DUMP)
		listing = h->nlmsg_type == TCPDIAG_GETSOCK && old->idiag_states == 1 << 10;
	return 0;
}

/* Which way a connection was opened is told by the listeners. If they cannot be listed whole, a client's connection may be
 * taken for one of ours and be missed. */
static void test_listeners_in_doubt(void **state)
{
	(void)state;
	wire.received = interrupted;
	wire.before_send = see_listing;
	only_listeners = true;
	scene_open(30);
	kill_all(STATUS_PARTIAL, 30);
	assert_non_null(strstr(answer.notes, "kept interrupting"));
}

static ssize_t lose(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	(void)nl;
	(void)buf;
	(void)max;
	if (!due() || n < 0)
		return n;
	errno = ENOBUFS;
	return -1;
}

static ssize_t signalled(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	static unsigned int odd;

	(void)buf;
	(void)max;
	(void)nl;
	if (n >= 0 || ++odd % 2)
		return n;
	errno = EINTR; /* of the -1 that says nothing is there yet */
	return -1;
}

static void test_signals(void **state)
{
	(void)state;
	wire.received = signalled;
	scene_open(30);
	kill_all(STATUS_OK, 30);
}

/* One datagram lost, at each place in turn. To lose the end of a listing is to wait for it in vain, which nl.c gives up after
 * ten seconds; so here the answers of destroys and look-ups are lost, and the listing's begin. */
static ssize_t lose_answers(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	const struct nlmsghdr *h = buf;

	for (ssize_t left = n; left > 0 && NLMSG_OK(h, (size_t)left); h = NLMSG_NEXT(h, left))
		if (h->nlmsg_type == NLMSG_DONE)
			return n;
	return lose(nl, buf, n, max);
}

static int refuse_some(unsigned int n)
{
	return n > 10 ? -EPERM : 0;
}

static void test_lost(void **state)
{
	(void)state;
	for (nth = 1; nth < 40; nth += unit_stride(10)) {
		wire_reset();
		wire.received = lose_answers;
		times = 1;
		scene_open(30);
		kill_all(STATUS_OK, 30);
		scene_close(NULL);
	}
}

/* The refusals themselves are lost. Then nobody knows why they are alive, but that they are. */
static ssize_t lose_errors(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	const struct nlmsghdr *h = buf;
	const struct nlmsgerr *e = NLMSG_DATA(h);

	(void)nl;
	(void)max;
	if (n <= 0 || h->nlmsg_type != NLMSG_ERROR || e->error != -EPERM)
		return n;
	errno = ENOBUFS;
	return -1;
}

static void test_lost_refusals(void **state)
{
	(void)state;
	wire.received = lose_errors;
	wire.destroy_err = refuse_some;
	scene_open(30);
	kill_all(STATUS_OK, 30); /* by the next engine */
	assert_int_equal(answer.s.dead, 30);
}

/* Messages of somebody else's talk in front of each answer: wrong number, wrong port, a whole foreign end of dump. */
static ssize_t mix_in(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	struct nlmsghdr strays[3] = { { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1u << 31,
					.nlmsg_pid = mnl_socket_get_portid(nl) },
				      { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = NLMSG_DONE, .nlmsg_pid = 1 },
				      { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1u << 31,
					.nlmsg_pid = mnl_socket_get_portid(nl) } };

	if (n <= 0 || n + sizeof(strays) > max)
		return n;
	strays[1].nlmsg_seq = ((struct nlmsghdr *)buf)->nlmsg_seq;
	memmove((char *)buf + sizeof(strays), buf, n);
	memcpy(buf, strays, sizeof(strays));
	return n + sizeof(strays);
}

static void test_strays(void **state)
{
	(void)state;
	wire.received = mix_in;
	scene_open(30);
	kill_all(STATUS_OK, 30);
}

/* A socket's message that ends before the socket does is refused as a whole: half a listing is none. */
static ssize_t cut(const struct mnl_socket *nl, void *buf, ssize_t n, size_t max)
{
	struct nlmsghdr *h = buf;

	(void)nl;
	(void)max;
	if (due() && n > 60 && h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
		h->nlmsg_len = n = 60;
	return n;
}

static void test_cut_short(void **state)
{
	const struct request req = scene_request(VERB_KILL);

	(void)state;
	for (nth = 1; nth < 30; nth += unit_stride(10)) {
		wire_reset();
		wire.received = cut;
		times = 1;
		scene_open(30);
		ask(&req);
		if (answer.n)
			check_truth(true);
		else
			assert_int_equal(scene_look(), 30);
		assert_true(answer.n || answer.status != STATUS_OK);
		scene_close(NULL);
	}
}

/* A datagram of no bytes is no answer: what it stands in for was not looked up, and is not dead for that. */
static int swallow_all(unsigned int n)
{
	(void)n;
	return 1;
}

static void test_empty_datagrams(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.wait = STAGE_DEAD; /* by the look-ups alone */
	req.timeout_ms = 1;
	wire.destroy_err = swallow_all;
	wire.blank = due;
	for (nth = 1; nth < 30; nth += unit_stride(10)) {
		wire.receives = 0;
		times = 1;
		scene_open(3);
		ask(&req);
		check_truth(false);
		scene_close(NULL);
	}
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_interrupted_twice), SCENE(test_interrupted_always), SCENE(test_listeners_in_doubt),
		SCENE(test_signals),	       SCENE(test_lost),	       SCENE(test_lost_refusals),
		SCENE(test_strays),	       SCENE(test_cut_short),	       SCENE(test_empty_datagrams),
	};

	return unit_run_as_root("lossy", tests, scene_begin);
}
