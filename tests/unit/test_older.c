// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_older.c - connections that are older than severd: which way they were opened is inferred when they are found, by who listens in
 * their namespace then, as one shot infers it; and stays. */
#include "daemon/live.h"
#include "tracked.h"

#include <bpf/bpf.h>
#include <sys/mount.h>

static char base[] = "/tmp/sever-older-XXXXXX", dir[64];
static struct live live;

static void begin(const char *pin_dir)
{
	char err[ERR_LEN] = "";

	if (live_open(&live, pin_dir, err) < 0)
		fail_msg("%s", err);
}

static enum direction direction_of(int fd)
{
	const struct entry *e = index_find(&live.index, cookie_of(fd));

	assert_non_null(e);
	return e->direction;
}

static void check_pair(const struct pair *p)
{
	assert_int_equal(direction_of(p->in), DIR_IN);
	assert_int_equal(direction_of(p->out), DIR_OUT);
}

/* The events of a socket since then. */
static size_t told_of(enum event what, uint64_t cookie, uint64_t since, enum direction direction)
{
	size_t n = 0;

	for (uint64_t seq = since; seq < live.log.next; seq++) {
		const struct logged *e = log_at(&live.log, seq);

		if (!e || e->event != what || e->flow.cookie != cookie)
			continue;
		assert_int_equal(e->flow.direction, direction);
		n++;
	}
	return n;
}

/* Others on this host may fill the ring: then it comes from the map. */
static void until(uint64_t cookie, bool there)
{
	for (long ms = 0; ms < deadline_ms() && !index_find(&live.index, cookie) == there; ms++) {
		must(live_drain(&live), "live_drain");
		must(live_resync(&live), "live_resync");
		poll(NULL, 0, 1);
	}
	assert_int_equal(!!index_find(&live.index, cookie), there);
}

/* What is there when it begins was not opened now. The end is told, and which way that one was. */
static void test_begin(void **state)
{
	int l = listener("127.0.0.1", 0, 5), passing = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0), lone = connected(passing, "127.0.0.2", 0), later;
	uint64_t out = cookie_of(p.out), in = cookie_of(p.in);

	(void)state;
	close(passing);
	begin(NULL);
	check_pair(&p);
	assert_int_equal(direction_of(lone.in), DIR_UNKNOWN); /* the listener is gone */
	later = connected(l, "127.0.0.3", 0);
	until(cookie_of(later.in), true);
	check_pair(&later);
	assert_int_equal(told_of(EVENT_FLOW_OPEN, cookie_of(later.out), live.log.began, DIR_OUT), 1);
	assert_int_equal(told_of(EVENT_FLOW_OPEN, out, live.log.began, DIR_OUT), 0);
	reset_on_close(p.out);
	close_pair(&p);
	until(in, false);
	until(out, false);
	assert_int_equal(told_of(EVENT_FLOW_CLOSE, out, live.log.began, DIR_OUT), 1);
	assert_int_equal(told_of(EVENT_FLOW_CLOSE, in, live.log.began, DIR_IN), 1);
	close_pair(&lone);
	close_pair(&later);
	close(l);
	live_close(&live);
}

/* An earlier one adopted them, and knew no more than that they are there. */
static void test_taken_over(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0);

	(void)state;
	begin(dir);
	assert_false(track_taken_over(live.track));
	check_pair(&p);
	live_close(&live);
	begin(dir);
	assert_true(track_taken_over(live.track));
	check_pair(&p);
	live_close(&live);
	must(track_detach_all(dir, NULL), "track_detach_all");
	close_pair(&p);
	close(l);
}

/* As if nobody had seen it being opened. */
static void forget(int fd)
{
	uint64_t cookie = cookie_of(fd);

	must(live_drain(&live), "live_drain");
	must(bpf_map_delete_elem(live.track->part[PART_FLOWS], &cookie), "forget");
	index_remove(&live.index, index_find(&live.index, cookie));
}

static void resync(void)
{
	live.astray = true;
	must(live_resync(&live), "live_resync");
}

/* One whose birth was lost is told of late, and once; that nobody listens any more when all is looked at again changes nothing. */
static void test_resync(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0);
	uint64_t since;

	(void)state;
	begin(NULL);
	forget(p.in);
	forget(p.out);
	since = live.log.next;
	resync();
	assert_int_equal(told_of(EVENT_FLOW_OPEN, cookie_of(p.in), since, DIR_IN), 1);
	assert_int_equal(told_of(EVENT_FLOW_OPEN, cookie_of(p.out), since, DIR_OUT), 1);
	close(l);
	resync();
	check_pair(&p);
	assert_int_equal(told_of(EVENT_FLOW_OPEN, cookie_of(p.out), since, DIR_OUT), 1);
	close_pair(&p);
	live_close(&live);
}

/* No process is in their namespace: only their sockets lead there. */
static void test_elsewhere(void **state)
{
	int back = must(open("/proc/self/ns/net", O_RDONLY), "netns"), l;
	struct pair p;

	(void)state;
	must(own_net(), "own_net");
	l = listener("127.0.0.1", 0, 5);
	p = connected(l, "127.0.0.2", 0);
	must(setns(back, 0), "setns");
	begin(NULL);
	check_pair(&p);
	live_close(&live);
	close_pair(&p);
	close(l);
	close(back);
}

static int setup(void **state)
{
	if (no_namespace(state) < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (!mkdtemp(base) || mount("bpf", base, "bpf", 0, NULL) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/pins", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return umount2(base, MNT_DETACH) < 0 || rmdir(base) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_resync),
		cmocka_unit_test(test_elsewhere),
	};

	return track_run("older", tests, setup, teardown);
}
