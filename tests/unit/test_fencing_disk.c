// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fencing_disk.c - fences of people on a disk that takes its time, or takes nothing: who looks does not wait for it, and what is
 * not written down does not stand.
 * LINK: -Wl,--wrap=fdatasync -Wl,--wrap=renameat
 */
#include "daemon/thread.h"
#include "fencing_scene.h"
#include "pipeline/source.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut; /* who writes waits */
	unsigned int waiting;
	int error; /* what he is told then */
	bool full;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	pthread_mutex_lock(&disk.lock);
	disk.waiting++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.shut)
		pthread_cond_wait(&disk.changed, &disk.lock);
	disk.waiting--;
	errno = disk.error;
	pthread_mutex_unlock(&disk.lock);
	return errno ? -1 : 0;
}

int __real_renameat(int from, const char *name, int to, const char *as);
int __wrap_renameat(int from, const char *name, int to, const char *as);

int __wrap_renameat(int from, const char *name, int to, const char *as)
{
	errno = ENOSPC;
	return disk.full ? -1 : __real_renameat(from, name, to, as);
}

static void set_disk(bool shut, int error)
{
	pthread_mutex_lock(&disk.lock);
	disk.shut = shut;
	disk.error = error;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

/* Until somebody waits for the disk. */
static bool is_awaited(void)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + deadline_ms() * 1000000;
	bool yes;

	pthread_mutex_lock(&disk.lock);
	while (!disk.waiting && clock_ns(CLOCK_MONOTONIC) < end)
		thread_wait(&disk.changed, &disk.lock, end);
	yes = disk.waiting;
	pthread_mutex_unlock(&disk.lock);
	return yes;
}

static bool ends(pthread_t t)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += deadline_ms() / 1000;
	return pthread_timedjoin_np(t, NULL, &until) == 0;
}

/* Runs it while the disk is shut; whether it did not wait for that. */
static bool goes_on(void *(*what)(void *arg), void *arg)
{
	pthread_t t;
	bool yes;

	must(-pthread_create(&t, NULL, what, arg), "pthread_create");
	yes = ends(t);
	if (!yes) {
		set_disk(false, 0);
		pthread_join(t, NULL);
	}
	return yes;
}

static struct flow come_in(const char *from)
{
	return (struct flow){ .state = STATE_ESTABLISHED, .direction = DIR_IN, .local_port = 22, .netns = strtoul(here, NULL, 10),
			      .remote = prefix(from).addr };
}

static int on_caught(const struct flow *flow, const struct fence_match *by, void *arg)
{
	(void)flow;
	(void)by;
	*(bool *)arg = true;
	return 0;
}

static bool falls_under(const char *from, uint64_t birth)
{
	struct flow flow = come_in(from);
	const struct selection found = { .flows = { .v = &flow, .n = 1 }, .boot = 1 };
	bool caught = false;

	flow.since = 1 + birth / 1000;
	flow.proc = -1;
	must(fencing_judge_places(fencing, &found, on_caught, &caught), "judge");
	return caught;
}

/* What the event loop and the looks ask of fences. */
static void *look(void *arg)
{
	const struct prefixes none = { 0 };
	struct owners nobody = { 0 };
	struct ids all = { 0 };

	(void)arg;
	fencing_protect(fencing, &none);
	fencing_follow(fencing);
	fencing_attach(fencing, &nobody, &all);
	fencing->due = 1;
	fencing_tick(fencing);
	falls_under("127.0.0.9", now());
	fencing_next(fencing);
	return drained() ? arg : NULL;
}

static struct {
	pthread_t thread;
	bool runs;
	int r;
} change;

static void *put_up(void *arg)
{
	_cleanup_(json_decrefp) json_t *shown = NULL;
	struct refusal refusal;

	change.r = add("--client 127.0.0.2", 60000, false, &shown, &refusal);
	return arg;
}

static void *lift_second(void *arg)
{
	change.r = lift("f2");
	return arg;
}

/* As far as the disk is waited for. */
static void begin(void *(*what)(void *arg))
{
	set_disk(true, 0);
	must(-pthread_create(&change.thread, NULL, what, NULL), "pthread_create");
	change.runs = true;
	assert_true(is_awaited());
}

static int end(int error)
{
	set_disk(false, error);
	assert_true(ends(change.thread));
	change.runs = false;
	return change.r;
}

static int teardown_disk(void **state)
{
	disk.full = false;
	set_disk(false, 0);
	if (change.runs)
		pthread_join(change.thread, NULL);
	change.runs = false;
	return teardown(state);
}

static void test_looks_go_on(void **state)
{
	uint64_t between;

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	begin(put_up);
	assert_true(goes_on(look, NULL));
	between = now();
	knock("127.0.0.2", 0);
	assert_false(falls_under("127.0.0.2", between)); /* it does not stand yet */
	assert_int_equal(count(), 1);
	assert_int_equal(end(0), 0);
	knock("127.0.0.2", -ECONNREFUSED);
	knock("127.0.0.4", 0);
	assert_true(falls_under("127.0.0.2", now()));
	assert_false(falls_under("127.0.0.2", between)); /* who came before it stood was there before */
	begin(lift_second);
	assert_true(goes_on(look, NULL));
	assert_int_equal(count(), 2); /* it stands until that is written down */
	knock("127.0.0.2", -ECONNREFUSED);
	assert_int_equal(end(0), 0);
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
}

static void test_refused_at_last(void **state)
{
	(void)state;
	must_add("--client 127.0.0.3", 60000);
	begin(put_up);
	assert_false(falls_under("127.0.0.2", now()));
	assert_int_equal(end(ENOSPC), -ENOSPC);
	assert_int_equal(count(), 1);
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
}

/* Who waits for the end of a write that nobody asked for, is only who has something to write himself. */
static void test_time_goes_by(void **state)
{
	(void)state;
	must_add("--client 127.0.0.3", 60000);
	set_disk(true, 0);
	assert_true(goes_on(look, NULL));
	assert_true(is_awaited());
	assert_true(goes_on(look, NULL));
	assert_int_equal(count(), 1);
}

static void await_complaint(const char *text)
{
	const char *said = NULL;

	for (long ms = 0; !said; ms++) {
		assert_true(ms < deadline_ms());
		poll(NULL, 0, 1);
		said = complaint();
	}
	if (strcmp(said, text))
		fail_msg("%s", said);
}

/* Nothing new can be written; what is there can be written over. */
static void test_full(void **state)
{
	(void)state;
	must_add("--client 127.0.0.3", 60000);
	disk.full = true;
	for (int i = 0; i < 3; i++)
		tick();
	await_complaint("the fences cannot be written down: No space left on device; that is tried again each second");
	assert_null(complaint()); /* once */
	disk.full = false;
	tick();
	await_complaint("the fences are written down again");
	must_add("--client 127.0.0.4", 60000); /* the file is whole */
	again();
	assert_null(complaint());
	assert_int_equal(count(), 2);
}

/* What was put up for a kill that is not to be does not wait for anything. */
static void test_taken_back(void **state)
{
	(void)state;
	must_add("--client 127.0.0.2", 60000);
	must_add("--client 127.0.0.3", 60000);
	disk.full = true;
	fencing_take_back(fencing, "f1", 0);
	fencing_take_back(fencing, "f7", 0);
	fencing_take_back(fencing, "", 0);
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
	assert_int_equal(count(), 1);
	tick();
	assert_int_equal(lift("f1"), -ENOENT);
	disk.full = false;
	again();
	assert_int_equal(count(), 1);
	knock("127.0.0.2", 0);
}

#define disk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(test_looks_go_on),
		disk_test(test_refused_at_last),
		disk_test(test_time_goes_by),
		disk_test(test_full),
		disk_test(test_taken_back),
	};

	thread_cond_init(&disk.changed);
	return fence_run("fencing_disk", tests, setup_all, teardown_all);
}
