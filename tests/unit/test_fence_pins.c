// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_pins.c - fences that outlive who put them up, and end in time with nobody there. */
#include "fence_pinned.h"

/* Nobody is there; then the next one, who knows nothing but what he finds. */
static void test_outlives(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.2/31", 0),
			     outbound(3, SEVER_FENCE_OUT_UID, own_uid(0)) };
	int l = listener("127.0.0.1", 0, 5);
	struct stat here;

	(void)state;
	must(stat("/proc/self/ns/net", &here), "/proc/self/ns/net");
	put_up_and_die(v, 3);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
	taken_over();
	assert_true(fence_attached(f, here.st_ino));
	assert_int_equal(count_of(1), 1);
	assert_int_equal(count_of(2), 1);
	assert_int_equal(count_of(3), 1);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	attach_here(f); /* it is already */
	assert_int_equal(f->n_doors, 1);
	stand(v, 1); /* the others are found, and taken down */
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(count_of(1), 3);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), 0);
	assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
	fence_close(f);
	taken_over();
	stand(NULL, 0);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
	detach();
	close(l);
}

/* The longer prefix ends first and hides nothing. */
static void test_expires_alone(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.2/31", 0),
			     outbound(3, SEVER_FENCE_OUT_UID, own_uid(0)) };
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	v[0].until = v[2].until = now() + deadline_ms() * (SECOND / 5000);
	v[1].until = v[0].until + deadline_ms() * (SECOND / 10000);
	put_up_and_die(v, 3);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
	while (now() < v[0].until)
		poll(NULL, 0, 1);
	assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	while (now() < v[1].until)
		poll(NULL, 0, 1);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
	taken_over();
	assert_int_equal(count_of(1), 1);
	assert_int_equal(count_of(2), 1);
	detach();
	close(l);
}

static void test_detach_ends_all(void **state)
{
	const struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, own_uid(0)) };
	int l = listener("127.0.0.1", 0, 5), r = -ECONNREFUSED;

	(void)state;
	put_up_and_die(v, 2);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	taken_over();
	assert_int_equal(fence_detach_all(dir, NULL), -EBUSY);
	detach();
	/* The kernel takes its time to let go of a link. */
	for (long ms = 0; ms < deadline_ms() && (r || udp_leaves(own_uid(0), 4567)); ms++) {
		r = knock_at(l, "127.0.0.2", "127.0.0.1");
		poll(NULL, 0, 1);
	}
	assert_int_equal(r, 0);
	assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
	assert_int_equal(fence_detach_all(dir, NULL), 0);
	close(l);
}

static void test_one_at_a_time(void **state)
{
	const struct fence_options o = pinned();
	struct fences *other = NULL;
	char err[ERR_LEN] = "";

	(void)state;
	f = opened(&o);
	assert_false(fence_taken_over(f));
	assert_int_equal(fence_open(&other, &o, err), -EBUSY);
	assert_non_null(strstr(err, dir));
	assert_null(other);
	detach();
}

static void test_refused_places(void **state)
{
	struct fence_options o = { .pin_dir = "/tmp" };
	struct fences *own = NULL;
	char err[ERR_LEN] = "";

	(void)state;
	assert_int_equal(fence_open(&own, &o, err), -EMEDIUMTYPE);
	o.pin_dir = "/nowhere/at/all";
	assert_int_equal(fence_open(&own, &o, err), -ENOENT);
	must(mkdir(dir, 0755), dir);
	must(chmod(dir, 0755), dir);
	o.pin_dir = dir;
	assert_int_equal(fence_open(&own, &o, err), -EPERM);
	must(rmdir(dir), dir);
	assert_null(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outlives),	cmocka_unit_test(test_expires_alone),
		cmocka_unit_test(test_detach_ends_all), cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_refused_places),
	};

	return fence_run("fence_pins", tests, pins_setup, pins_teardown);
}
