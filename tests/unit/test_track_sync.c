// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track_sync.c - flows that are older than the programs, and what got lost. */
#include "tracked.h"

#include <bpf/bpf.h>

static int told_gone(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	(void)f;
	*(uint64_t *)arg = cookie;
	return 0;
}

/* A flow that is over, and whose end was lost. */
static void haunt(struct track *own, uint64_t ghost, struct sever_flow f)
{
	f.seen = 0;
	must(bpf_map_update_elem(own->part[PART_FLOWS], &ghost, &f, BPF_ANY), "ghost");
}

/* What is older is put in; what is not there any more, for whatever reason, taken out; what lives, left alone. */
static void test_adopted(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0), later;
	const struct track_options o = { 0 };
	uint64_t ghost = 1ull << 62, gone = 0;
	struct track *own = opened(&o);
	struct netns ns = here();
	struct sever_flow f;

	(void)state;
	later = connected(l, "127.0.0.3", 0);
	assert_int_equal(track_read(own, cookie_of(p.in), &f), -ENOENT);
	assert_int_equal(track_adopt(own, &ns), 0);
	assert_int_equal(flow_of(own, p.in).flags, SEVER_FLOW_ADOPTED);
	assert_int_equal(flow_of(own, p.out).direction, SEVER_DIR_UNKNOWN);
	assert_int_equal(flow_of(own, p.out).local_port, flow_of(own, p.in).remote_port);
	assert_int_equal(flow_of(own, later.out).flags, 0);
	assert_int_equal(flow_of(own, later.out).pid, getpid());
	assert_int_equal(flows_here(own), 4); /* the listener is none */
	haunt(own, ghost, flow_of(own, p.in));
	assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, ghost);
	assert_int_equal(flows_here(own), 4);
	reset_on_close(p.out);
	gone = cookie_of(p.out);
	close(p.out);
	assert_int_equal(ended(own, gone)->flow.flags, SEVER_FLOW_ADOPTED);
	ended(own, cookie_of(p.in));
	assert_int_equal(flows_here(own), 2);
	close(p.in);
	close(later.in);
	close(later.out);
	leave(&ns);
	track_close(own);
	close(l);
}

/* Each is asked for: who lives stays. */
static void test_audited(void **state)
{
	const struct track_options o = { 0 };
	int l = listener("127.0.0.1", 0, 5);
	struct track *own = opened(&o);
	struct pair p = connected(l, "127.0.0.2", 0);
	_cleanup_(leave) struct netns ns = here();
	uint64_t gone = 0;

	(void)state;
	assert_int_equal(track_audit(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, 0);
	haunt(own, 1ull << 62, flow_of(own, p.in));
	assert_int_equal(track_audit(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, 1ull << 62);
	assert_int_equal(flows_here(own), 2);
	close_pair(&p);
	track_close(own);
	close(l);
}

/* Its socket is in no table until connect() has sent something: it is given time. */
static void test_connecting(void **state)
{
	const struct track_options o = { 0 };
	int l = listener("127.0.0.1", 0, 5);
	struct track *own = opened(&o);
	struct pair p = connected(l, "127.0.0.2", 0);
	_cleanup_(leave) struct netns ns = here();
	struct sever_flow f = flow_of(own, p.in);
	uint64_t gone = 0;

	(void)state;
	f.flags |= SEVER_FLOW_PENDING;
	f.birth = clock_ns(CLOCK_BOOTTIME);
	haunt(own, 1ull << 62, f);
	assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, 0);
	f.birth -= 2000000000;
	haunt(own, 1ull << 62, f);
	assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, 1ull << 62);
	close_pair(&p);
	track_close(own);
	close(l);
}

static int connect_the_next(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct sever_flow anew = *f;

	anew.birth++;
	haunt(arg, cookie + 1, anew);
	return 0;
}

/* The socket of a flow that is over was connected anew while others were taken out. */
static void test_connected_anew(void **state)
{
	const struct track_options o = { 0 };
	int l = listener("127.0.0.1", 0, 5);
	struct track *own = opened(&o);
	struct pair p = connected(l, "127.0.0.2", 0);
	_cleanup_(leave) struct netns ns = here();
	const struct sever_flow f = flow_of(own, p.in);
	struct sever_flow anew;
	uint64_t gone = 0;

	(void)state;
	haunt(own, 1ull << 62, f);
	haunt(own, (1ull << 62) + 1, f);
	assert_int_equal(track_sync(own, &ns, 1, connect_the_next, own), 0);
	assert_int_equal(track_read(own, (1ull << 62) + 1, &anew), 0);
	assert_int_equal(anew.birth, f.birth + 1);
	assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, (1ull << 62) + 1);
	assert_int_equal(flows_here(own), 2);
	close_pair(&p);
	track_close(own);
	close(l);
}

static void storm(int l, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct pair p = connected(l, "127.0.0.4", 0);

		reset_on_close(p.out);
		close(p.out);
		close(p.in);
	}
}

/* Connections come and go while a pass goes on: none is left, and none of those that stay is lost. */
static void test_storm_while_adopted(void **state)
{
	const struct track_options o = { .ring_bytes = 1 << 16 };
	int l = listener("127.0.0.1", 0, 5), status;
	struct pair older = connected(l, "127.0.0.2", 0);
	struct track *own = opened(&o);
	struct netns ns = here();
	uint64_t gone = 0;
	pid_t child = must(fork(), "fork");

	(void)state;
	if (!child) {
		storm(l, many(10000));
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(status, 0);
	assert_int_equal(gone, 0);
	assert_int_equal(flows_here(own), 2);
	assert_int_equal(flow_of(own, older.in).flags, SEVER_FLOW_ADOPTED);
	close(older.in);
	close(older.out);
	leave(&ns);
	track_close(own);
	close(l);
}

/* The ring is never read: what it does not take is counted, it calls for its reader once it is half full, and the map
 * stays right. 20,000 connections leave nothing in it. */
static void test_storm(void **state)
{
	const struct track_options o = { .ring_bytes = 1 << 18 };
	struct pollfd reader = { .events = POLLIN };
	int l = listener("127.0.0.1", 0, 5);
	struct track *own = opened(&o);
	struct track_losses losses;
	struct pair p;

	(void)state;
	reader.fd = track_fd(own);
	storm(l, 1000);
	assert_int_equal(poll(&reader, 1, deadline_ms()), 1);
	assert_int_equal(track_losses(own, &losses), 0);
	assert_true(losses.events > 2000); /* of 4000 and what others did */
	assert_int_equal(losses.flows, 0);
	storm(l, many(20000) - 1000);
	p = connected(l, "127.0.0.2", 0);
	assert_int_equal(flows_here(own), 2);
	close(p.in);
	close(p.out);
	track_close(own);
	close(l);
}

/* The end was lost of one that left a TIME_WAIT behind, which is shown as fin-wait-2 until the peer closes as well. */
static void test_half_closed(void **state)
{
	const struct track_options o = { 0 };
	int l = listener("127.0.0.1", 0, 5);
	struct track *own = opened(&o);
	struct pair p = connected(l, "127.0.0.2", 0);
	_cleanup_(leave) struct netns ns = here();
	uint64_t cookie = cookie_of(p.out), gone = 0;
	struct sever_flow f = flow_of(own, p.out);

	(void)state;
	close(p.out);
	ended(own, cookie);
	haunt(own, cookie, f);
	assert_int_equal(track_sync(own, &ns, 1, told_gone, &gone), 0);
	assert_int_equal(gone, cookie);
	close(p.in);
	track_close(own);
	close(l);
}

/* A reader comes by its timer: nobody is woken for a few events. What happens on this host while the ring is opened, or a log-in,
 * may make it readable all the same, so once in many times will do. */
static void test_quiet(void **state)
{
	const struct track_options o = { .ring_bytes = 1 << 26 };
	int l = listener("127.0.0.1", 0, 5), woken = 1;
	struct pollfd reader = { .events = POLLIN };
	struct track *own = opened(&o);

	(void)state;
	reader.fd = track_fd(own);
	for (int i = 0; woken && i < 500; i++) {
		struct pair p;

		must(track_drain(own, 100000, on_told, NULL), "track_drain");
		poll(&reader, 1, 0);
		p = connected(l, "127.0.0.2", 0);
		woken = poll(&reader, 1, 0);
		born(own, cookie_of(p.in));
		close_pair(&p);
	}
	assert_int_equal(woken, 0);
	track_close(own);
	close(l);
}

static void test_full_map(void **state)
{
	const struct track_options o = { .max_flows = 4 };
	int l = listener("127.0.0.1", 0, 20);
	struct track *own = opened(&o);
	struct track_losses losses;
	struct pair p[6];

	(void)state;
	for (size_t i = 0; i < array_size(p); i++)
		p[i] = connected(l, "127.0.0.2", 0);
	assert_int_equal(track_losses(own, &losses), 0);
	assert_true(losses.flows >= 8);
	assert_true(flows_here(own) <= 4);
	for (size_t i = 0; i < array_size(p); i++) {
		reset_on_close(p[i].out);
		close(p[i].out);
		close(p[i].in);
	}
	track_close(own);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adopted),	 cmocka_unit_test(test_audited), cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_connected_anew), cmocka_unit_test(test_storm_while_adopted),
		cmocka_unit_test(test_storm),	 cmocka_unit_test(test_quiet), cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_full_map),
	};

	return track_run("track_sync", tests, no_namespace, track_teardown);
}
