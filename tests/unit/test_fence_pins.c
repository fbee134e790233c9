// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_pins.c - fences that outlive who put them up, and end in time with nobody there. */
#include "fenced.h"

#include <bpf/bpf.h>
#include <sys/mount.h>

static char base[] = "/tmp/sever-fence-XXXXXX", dir[64];

static struct fence_options pinned(void)
{
	return (struct fence_options){ .pin_dir = dir, .max_fences = 256 };
}

/* Puts up fences and is killed. */
static void put_up_and_die(const struct fence *v, size_t n)
{
	const struct fence_options o = pinned();
	pid_t child = must(fork(), "fork");
	int status;

	if (!child) {
		f = opened(&o);
		attach_here(f);
		stand(v, n);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void taken_over(void)
{
	const struct fence_options o = pinned();

	f = opened(&o);
	assert_true(fence_taken_over(f));
}

static void detach(void)
{
	fence_close(f);
	f = NULL;
	assert_int_equal(fence_detach_all(dir, NULL), 0);
	assert_int_equal(access(dir, F_OK), -1);
}

/* Nobody is there; then the next one, who knows nothing but what he finds. */
static void test_outlives(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.2/31", 0),
			     outbound(3, SEVER_FENCE_OUT_UID, 3999) };
	int l = listener("127.0.0.1", 0, 5);
	struct stat here;

	(void)state;
	must(stat("/proc/self/ns/net", &here), "/proc/self/ns/net");
	put_up_and_die(v, 3);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.0.3", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_leaves(3999, 4567), -EPERM);
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
	assert_int_equal(udp_leaves(3999, 4567), 0);
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
			     outbound(3, SEVER_FENCE_OUT_UID, 3999) };
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	v[0].until = v[2].until = now() + SECOND / 2;
	v[1].until = now() + SECOND;
	put_up_and_die(v, 3);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(udp_leaves(3999, 4567), -EPERM);
	while (now() < v[0].until)
		poll(NULL, 0, 1);
	assert_int_equal(udp_leaves(3999, 4567), 0);
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
	const struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, 3999) };
	int l = listener("127.0.0.1", 0, 5), r = -ECONNREFUSED;

	(void)state;
	put_up_and_die(v, 2);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	taken_over();
	assert_int_equal(fence_detach_all(dir, NULL), -EBUSY);
	detach();
	/* The kernel takes its time to let go of a link. */
	for (long ms = 0; ms < deadline_ms() && (r || udp_leaves(3999, 4567)); ms++) {
		r = knock_at(l, "127.0.0.2", "127.0.0.1");
		poll(NULL, 0, 1);
	}
	assert_int_equal(r, 0);
	assert_int_equal(udp_leaves(3999, 4567), 0);
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

/* What another version left stands until ours do. */
static void test_outdated(void **state)
{
	const struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, 3999) };
	const struct fence_options o = pinned(), more = { .pin_dir = dir, .max_fences = 512 };
	struct sever_fence_control c;
	int l = listener("127.0.0.1", 0, 5);
	uint32_t zero = 0;

	(void)state;
	put_up_and_die(v, 2);
	taken_over();
	c = f->control;
	c.abi++;
	must(bpf_map_update_elem(f->part[FENCE_CONTROL], &zero, &c, BPF_ANY), "control");
	fence_close(f);
	for (int i = 0; i < 2; i++) {
		struct fence_stats s;

		f = opened(i ? &more : &o);
		assert_false(fence_taken_over(f));
		attach_here(f);
		assert_int_equal(fence_stats(f, 1, &s), -ENOENT);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(udp_leaves(3999, 4567), -EPERM);
		stand(v, 2);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(udp_leaves(3999, 4567), -EPERM);
		if (i)
			break;
		fence_close(f);
	}
	stand(NULL, 0);
	for (long ms = 0; ms < deadline_ms() && (knock_at(l, "127.0.0.2", "127.0.0.1") || udp_leaves(3999, 4567)); ms++)
		poll(NULL, 0, 1);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(udp_leaves(3999, 4567), 0);
	detach();
	close(l);
}

/* A pin of a namespace that has gone, by its number. */
static void test_gone_namespace(void **state)
{
	const struct fence v[] = { inbound(1, "127.0.0.2", 0) };
	_close_ int home = must(netns_own(), "netns_own");
	struct stat away;

	(void)state;
	must(own_net(), "own_net");
	must(stat("/proc/self/ns/net", &away), "/proc/self/ns/net");
	put_up_and_die(v, 1);
	taken_over();
	assert_true(fence_attached(f, away.st_ino));
	fence_close(f);
	must(setns(home, CLONE_NEWNET), "setns");
	for (long ms = 0; ms < deadline_ms(); ms++) {
		taken_over();
		if (!f->n_doors)
			break;
		fence_close(f);
		f = NULL;
		poll(NULL, 0, 1);
	}
	assert_non_null(f);
	assert_false(fence_attached(f, away.st_ino));
	detach();
}

/* It died in the middle of a change: what is left behind is all found, and goes. */
static void test_half_way(void **state)
{
	static const int parts[] = { FENCE_TRIE, FENCE_LEAVERS, FENCE_CONTROL };
	struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, 3999),
			     inbound(4, "127.0.0.4", 0), outbound(5, SEVER_FENCE_OUT_UID, 3998) };
	const struct fence_options o = pinned();
	int l = listener("127.0.0.1", 0, 5);

	(void)state;
	for (size_t i = 0; i < array_size(parts); i++) {
		f = opened(&o);
		attach_here(f);
		stand(v, 2);
		close(take_fd(&f->part[parts[i]]));
		assert_int_equal(fence_replace(f, v + 1, 3, NULL), parts[i] == FENCE_CONTROL ? 0 : -EBADF);
		fence_close(f);
		assert_int_equal(udp_leaves(3999, 4567), -EPERM);
		taken_over();
		assert_int_equal(udp_leaves(3999, 4567), -EPERM);
		stand(v + 1, 3);
		assert_int_equal(udp_leaves(3999, 4567), -EPERM);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
		assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		stand(v, 1);
		assert_int_equal(udp_leaves(3999, 4567), 0);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		stand(NULL, 0);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_TRIE], NULL, &(struct sever_fence_key){ 0 }),
				 -ENOENT);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_LEAVERS], NULL, &(struct sever_fence_who){ 0 }),
				 -ENOENT);
		assert_int_equal(bpf_map_get_next_key(f->part[FENCE_COUNTS], NULL, &(uint64_t){ 0 }), -ENOENT);
		detach();
	}
	close(l);
}

/* The program that knows its namespace goes on. */
static void test_named_namespace(void **state)
{
	struct fence v[] = { inbound(1, "127.0.0.2", 0), inbound(2, "127.0.0.4", 0) };
	int l = listener("127.0.0.1", 0, 5);
	struct stat here;

	(void)state;
	must(stat("/proc/self/ns/net", &here), "/proc/self/ns/net");
	v[0].netns = here.st_ino;
	v[1].netns = here.st_ino + 1;
	put_up_and_die(v, 2);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	taken_over();
	assert_true(f->n_doors == 1 && f->doors[0].own);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	stand(v, 2);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
	assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), 0);
	assert_int_equal(count_of(1), 3);
	stand(v + 1, 1);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
	detach();
	close(l);
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

static int setup(void **state)
{
	(void)state;
	if (own_net() < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (!mkdtemp(base) || mount("bpf", base, "bpf", 0, NULL) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/fences", base);
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
		cmocka_unit_test(test_outlives),	cmocka_unit_test(test_expires_alone),
		cmocka_unit_test(test_detach_ends_all), cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_outdated),	cmocka_unit_test(test_gone_namespace),
		cmocka_unit_test(test_half_way),	cmocka_unit_test(test_named_namespace),
		cmocka_unit_test(test_refused_places),
	};

	return fence_run("fence_pins", tests, setup, teardown);
}
