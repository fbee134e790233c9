// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track_pins.c - programs that outlive their loader. */
#include "tracked.h"

#include <bpf/bpf.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static char base[] = "/tmp/sever-track-XXXXXX", dir[64];

static struct track_options pinned(void)
{
	/* Others on this host may open thousands before it is read. */
	return (struct track_options){ .pin_dir = dir, .max_flows = 4096, .ring_bytes = 1 << 26 };
}

/* What the kernel calls each part: programs, maps and links count for themselves. */
static void ids_of(const struct track *own, uint32_t ids[PART_MAX])
{
	for (int i = 0; i < PART_MAX; i++) {
		union {
			struct bpf_map_info map;
			struct bpf_prog_info prog;
			struct bpf_link_info link;
		} info = { 0 };
		__u32 len = i < PART_MAPS	? sizeof(info.map) :
			    i < PART_STATE_LINK ? sizeof(info.prog) :
						  sizeof(info.link);

		ids[i] = 0;
		if (own->part[i] >= 0)
			must(bpf_obj_get_info_by_fd(own->part[i], &info, &len), "info");
		ids[i] = i < PART_MAPS ? info.map.id : i < PART_STATE_LINK ? info.prog.id : info.link.id;
	}
}

static bool exists(int part, uint32_t id)
{
	int fd = !id			? -1 :
		 part < PART_MAPS	? bpf_map_get_fd_by_id(id) :
		 part < PART_STATE_LINK ? bpf_prog_get_fd_by_id(id) :
					  bpf_link_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The kernel takes its time to free them. */
static void must_vanish(const uint32_t ids[PART_MAX])
{
	for (long ms = 0; ms < deadline_ms(); ms++) {
		int left = 0;

		for (int i = 0; i < PART_MAX; i++)
			left += exists(i, ids[i]);
		if (!left)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("programs, maps or links are left");
}

/* Tracks until it is killed, and says once that it does. */
static pid_t tracker(void)
{
	const struct track_options o = pinned();
	struct track *own = NULL;
	int ready[2];
	char c = 0;
	pid_t child;

	must(pipe(ready), "pipe");
	child = must(fork(), "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (track_open(&own, &o, NULL) == 0 && write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return child;
}

static void kill_it(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* kill -9: tags go on being written, the next one finds them, and what happened meanwhile. Its end leaves nothing. */
static void test_taken_over(void **state)
{
	const struct track_options o = pinned();
	int l = listener("127.0.0.1", 0, 5);
	uint32_t before[PART_MAX], after[PART_MAX];
	struct pair kept, gone;
	uint64_t gone_cookie;
	struct track *own;

	(void)state;
	kill_it(tracker());
	own = opened(&o);
	assert_true(track_taken_over(own));
	ids_of(own, before);
	track_close(own);
	kept = connected(l, "127.0.0.2", 0);
	gone = connected(l, "127.0.0.3", 0);
	gone_cookie = cookie_of(gone.out);
	close(gone.out);
	close(gone.in);
	own = opened(&o);
	ids_of(own, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_true(track_taken_over(own));
	assert_int_equal(flow_of(own, kept.out).local_port, flow_of(own, kept.in).remote_port);
	ended(own, gone_cookie);
	assert_int_equal(born(own, gone_cookie)->flow.pid, getpid());
	assert_int_equal(born(own, cookie_of(kept.in))->flow.direction, SEVER_DIR_IN);
	track_close(own);
	assert_int_equal(track_detach_all(dir, NULL), 0);
	assert_int_equal(access(dir, F_OK), -1);
	must_vanish(after);
	assert_int_equal(track_detach_all(dir, NULL), 0);
	close(kept.in);
	close(kept.out);
	close(l);
}

static void test_one_at_a_time(void **state)
{
	const struct track_options o = pinned();
	pid_t child = tracker();
	char err[ERR_LEN] = "";
	struct track *own = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(track_open(&own, &o, err), -EBUSY);
	assert_non_null(strstr(err, dir));
	assert_int_equal(track_detach_all(dir, err), -EBUSY);
	must(stat(dir, &st), dir);
	assert_int_equal(st.st_mode & 0777, 0700);
	kill_it(child);
	assert_int_equal(track_open(&own, &o, err), 0);
	track_close(own);
	assert_int_equal(track_detach_all(dir, err), 0);
}

/* Another version's, and what somebody did not finish. */
static void test_replaced(void **state)
{
	const struct sever_control other = { .abi = SEVER_TRACK_ABI + 1 };
	const struct track_options o = pinned();
	uint32_t first[PART_MAX], zero = 0;
	struct track *own = opened(&o);
	char path[128];

	(void)state;
	ids_of(own, first);
	must(bpf_map_update_elem(own->part[PART_CONTROL], &zero, &other, BPF_ANY), "control");
	track_close(own);
	own = opened(&o);
	assert_false(track_taken_over(own));
	must_vanish(first);
	ids_of(own, first);
	track_close(own);
	snprintf(path, sizeof(path), "%s/control", dir);
	must(unlink(path), path);
	own = opened(&o);
	assert_false(track_taken_over(own));
	must_vanish(first);
	track_close(own);
	assert_int_equal(track_detach_all(dir, NULL), 0);
}

static void test_refused_places(void **state)
{
	struct track_options o = { .pin_dir = base };
	char err[ERR_LEN] = "";
	struct track *own = NULL;

	(void)state;
	must(mkdir(dir, 0755), dir);
	must(chmod(dir, 0755), dir);
	o.pin_dir = dir;
	assert_int_equal(track_open(&own, &o, err), -EPERM);
	must(rmdir(dir), dir);
	o.pin_dir = "/tmp";
	assert_int_equal(track_open(&own, &o, err), -EMEDIUMTYPE);
	o.pin_dir = "/nowhere/at/all";
	assert_int_equal(track_open(&own, &o, err), -ENOENT);
	assert_null(own);
}

static int setup(void **state)
{
	if (no_namespace(state) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (!mkdtemp(base) || mount("bpf", base, "bpf", 0, NULL) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/track", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(told.v);
	return umount2(base, MNT_DETACH) < 0 || rmdir(base) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_refused_places),
	};

	return track_run("track_pins", tests, setup, teardown);
}
