// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_takeover.c - what somebody else left behind: another version, a namespace that is gone, a change half done. */
#include "fence_pinned.h"

#include <bpf/bpf.h>

/* What another version left stands until ours do. */
static void test_outdated(void **state)
{
	const struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, own_uid(0)) };
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
		assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
		stand(v, 2);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), -ECONNREFUSED);
		assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
		if (i)
			break;
		fence_close(f);
	}
	stand(NULL, 0);
	for (long ms = 0; ms < deadline_ms() && (knock_at(l, "127.0.0.2", "127.0.0.1") || udp_leaves(own_uid(0), 4567)); ms++)
		poll(NULL, 0, 1);
	assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
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
	struct fence v[] = { inbound(1, "127.0.0.2", 0), outbound(3, SEVER_FENCE_OUT_UID, own_uid(0)),
			     inbound(4, "127.0.0.4", 0), outbound(5, SEVER_FENCE_OUT_UID, own_uid(1)) };
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
		assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
		taken_over();
		assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
		stand(v + 1, 3);
		assert_int_equal(udp_leaves(own_uid(0), 4567), -EPERM);
		assert_int_equal(knock_at(l, "127.0.0.2", "127.0.0.1"), 0);
		assert_int_equal(knock_at(l, "127.0.0.4", "127.0.0.1"), -ECONNREFUSED);
		stand(v, 1);
		assert_int_equal(udp_leaves(own_uid(0), 4567), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outdated),
		cmocka_unit_test(test_gone_namespace),
		cmocka_unit_test(test_half_way),
		cmocka_unit_test(test_named_namespace),
	};

	return fence_run("fence_takeover", tests, pins_setup, pins_teardown);
}
