// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_blind.c - what is left where the program may not look: BPF refused, at once or in the middle; /proc hidden; both. The
 * answer may be less, it must not be wrong.
 * LINK: -Wl,--wrap=syscall -Wl,--wrap=bpf_iter_create -Wl,--wrap=bpf_map_update_elem -Wl,--wrap=bpf_map_delete_elem
 * LINK: -Wl,--wrap=read
 */
#include "scene.h"
#include "unit.h"

#include <bpf/bpf.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define NEVER UINT32_MAX

/* Calls into BPF, counted; number `failing` and, where `stays`, all after it fail. */
static unsigned int calls, failing;
static bool stays;
static int iter = -1; /* the last iterator opened */

long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);
int __real_bpf_iter_create(int link);
int __wrap_bpf_iter_create(int link);
int __real_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __real_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_delete_elem(int fd, const void *key);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);

static bool fails(void)
{
	bool yes = ++calls == failing || (stays && calls > failing);

	errno = yes ? EPERM : errno;
	return yes;
}

long __wrap_syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return nr == SYS_bpf && fails() ? -1 : __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __wrap_bpf_iter_create(int link)
{
	iter = fails() ? -EPERM : __real_bpf_iter_create(link);
	return iter;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	return fails() ? -EPERM : __real_bpf_map_update_elem(fd, key, value, flags);
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	return fails() ? -EPERM : __real_bpf_map_delete_elem(fd, key);
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	return fd >= 0 && fd == iter && fails() ? -1 : __real_read(fd, buf, len);
}

static int set_up(void **state)
{
	(void)state;
	calls = 0;
	failing = NEVER;
	stays = true;
	iter = -1;
	return 0;
}

/* An empty /proc, for this process alone. */
static void hide_proc(void)
{
	must(mount("nothing", "/proc", "tmpfs", 0, NULL), "mount");
}

static void show_proc(void)
{
	must(umount("/proc"), "umount");
}

static bool held_by_holder(const struct flow *f)
{
	return f->proc >= 0 && f->user_known && f->via != VIA_UNKNOWN;
}

static void test_bpf(void **state)
{
	(void)state;
	scene_open(10);
	kill_all(STATUS_OK, 10);
	assert_string_equal(answer.owners, "bpf");
	for (size_t i = 0; i < answer.n; i++)
		assert_true(held_by_holder(&answer.v[i]));
}

static void test_no_bpf(void **state)
{
	struct flow by_bpf;
	struct request dry = scene_request(VERB_KILL);

	(void)state;
	dry.dry_run = true;
	scene_open(10);
	ask(&dry);
	by_bpf = *flow_of(3);
	failing = 1;
	calls = 0;
	kill_all(STATUS_OK, 10);
	assert_string_equal(answer.owners, "proc");
	assert_true(held_by_holder(flow_of(3)));
	assert_int_equal(flow_of(3)->user, by_bpf.user);
	assert_int_equal(flow_of(3)->via, by_bpf.via);
	assert_int_equal(flow_of(3)->transport, by_bpf.transport);
}

/* A dry run that says who holds what, at each place where BPF may be refused, for good or this once. */
static void refused_everywhere(bool hidden, bool for_good)
{
	struct request dry = scene_request(VERB_KILL);
	unsigned int n;

	dry.dry_run = true;
	stays = for_good;
	for (n = 1;; n++) {
		calls = 0;
		failing = n;
		iter = -1;
		ask(&dry);
		if (calls < n)
			break;
		assert_int_equal(answer.n, scene.n);
		for (size_t i = 0; i < answer.n; i++) {
			const struct flow *f = &answer.v[i];

			assert_true(f->outcome == (answer.status == STATUS_OK ? OUT_PLANNED : OUT_SPARED));
			assert_true(held_by_holder(f) || hidden);
			/* Who is not seen to hold nothing of it may be the caller. */
			assert_true(answer.status == STATUS_GUARD || held_by_holder(f));
		}
		assert_int_equal(answer.status == STATUS_GUARD, !strcmp(answer.owners, "none"));
		assert_true(hidden || answer.status == STATUS_OK);
	}
	assert_true(n > 10);
	assert_int_equal(answer.status, STATUS_OK);
	assert_string_equal(answer.owners, "bpf");
}

static void test_bpf_refused_midway(void **state)
{
	(void)state;
	scene_open(5);
	refused_everywhere(false, true);
	refused_everywhere(false, false);
}

static void test_bpf_refused_midway_hidden(void **state)
{
	(void)state;
	scene_open(5);
	hide_proc();
	refused_everywhere(true, true);
	refused_everywhere(true, false);
	show_proc();
}

static void test_hidden(void **state)
{
	(void)state;
	scene_open(10);
	hide_proc();
	kill_all(STATUS_OK, 10);
	assert_string_equal(answer.owners, "bpf");
	assert_true(held_by_holder(&answer.v[0]));
	show_proc();
}

/* Without the processes the caller's own connection looks like any other. */
static void test_blind(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	scene_open(10);
	hide_proc();
	failing = 1;
	kill_all(STATUS_GUARD, 0);
	assert_string_equal(answer.owners, "none");
	assert_int_equal(answer.s.spared, 10);
	assert_non_null(strstr(answer.err, "--include-self"));
	req.include_self = true;
	ask(&req);
	show_proc();
	assert_int_equal(answer.status, STATUS_OK);
	assert_int_equal(check_truth(false), 10);
	assert_string_equal(answer.owners, "none");
	assert_non_null(strstr(answer.notes, "/proc shows no processes"));
	assert_int_equal(answer.v[0].proc, -1);
}

/* A user cannot be told from others by somebody blind: no answer may pass for a whole one. */
static void test_blind_by_user(void **state)
{
	struct selector root[] = { scene_selectors[0], { .kind = SEL_USER, .text = "uid:0", .user = { .form = USER_UID } },
				   scene_selectors[1] };
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.selectors = root;
	req.n_selectors = array_size(root);
	req.include_self = true;
	scene_open(10);
	hide_proc();
	failing = 1;
	ask(&req);
	show_proc();
	assert_int_equal(answer.status, STATUS_PARTIAL);
	check_truth(false);
	assert_false(answer.s.staged && answer.s.stage == STAGE_VERIFIED);
}

static void test_list(void **state)
{
	struct request req = scene_request(VERB_LIST);

	(void)state;
	scene_open(10);
	hide_proc();
	failing = 1;
	ask(&req);
	show_proc();
	assert_int_equal(answer.status, STATUS_OK);
	assert_int_equal(answer.n, 10);
	assert_string_equal(answer.owners, "none");
	assert_non_null(strstr(answer.notes, "/proc shows no processes"));
	assert_int_equal(scene_look(), 10);
}

/* A quiet request looks at its own processes only, which takes no pass over the host. That must not cost the guard its eyes. */
static void test_quiet_spares_self(void **state)
{
	const struct request req = scene_request(VERB_KILL);
	_fclose_ FILE *null = fopen("/dev/null", "w");
	struct report report = { .ops = &report_text, .out = null, .err = null, .quiet = true };
	_close_ int listening = listener("127.0.0.1", SCENE_PORT, 5);
	struct pair p = connected(listening, "127.0.0.2", 0);
	char err[ERR_LEN];

	(void)state;
	for (int hidden = 0; hidden < 2; hidden++) {
		enum status status;

		if (hidden)
			hide_proc();
		status = terminate(&req, &access_direct, &report, err);
		if (hidden)
			show_proc();
		assert_int_equal(status, STATUS_GUARD);
		assert_true(established(p.in));
	}
	close(p.out);
	close(p.in);
}

static int begin(void **state)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return scene_begin(state);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_bpf),    SCENE(test_no_bpf), SCENE(test_bpf_refused_midway), SCENE(test_bpf_refused_midway_hidden),
		SCENE(test_hidden), SCENE(test_blind),	SCENE(test_blind_by_user),	SCENE(test_list),
		SCENE(test_quiet_spares_self),
	};

	return unit_run_as_root("blind", tests, begin);
}
