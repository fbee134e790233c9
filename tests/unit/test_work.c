// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_work.c - what a thread has to say is said by the loop, in its order, once, and as slowly as the listener likes. */
#include "daemon/work.h"

#include "unit.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

static struct live live = { .lock = PTHREAD_MUTEX_INITIALIZER };
static int wake = -1;

static struct {
	int lines, refused, done, dropped, asked;
	enum status status;
	char err[ERR_LEN], text[4096];
	int refuse; /* so many times, before a line is taken */
} said;

static int on_line(struct work *w, const char *text, size_t len, void *arg)
{
	(void)w;
	assert_ptr_equal(arg, &said);
	assert_false(said.done);
	if (said.refuse > 0) {
		said.refuse--;
		said.refused++;
		return -EAGAIN;
	}
	assert_true(len < sizeof(said.text));
	memcpy(said.text, text, len);
	said.text[len] = '\0';
	said.lines++;
	return 0;
}

static int on_accepted(struct work *w, size_t victims, void *arg)
{
	(void)w;
	(void)victims;
	(void)arg;
	said.asked++;
	return 0;
}

static void on_done(struct work *w, void *arg)
{
	assert_ptr_equal(arg, &said);
	said.done++;
	said.status = w->status;
	memcpy(said.err, w->err, sizeof(said.err));
}

static void on_drop(void *arg)
{
	assert_ptr_equal(arg, &said);
	said.dropped++;
}

static const struct work_hooks hooks = {
	.accepted = on_accepted, .line = on_line, .done = on_done, .drop = on_drop,
};

static int setup(void **state)
{
	(void)state;
	memset(&said, 0, sizeof(said));
	wake = eventfd(0, EFD_CLOEXEC);
	return wake < 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(wake);
}

/* Of somebody with this uid. */
static struct work *begun(struct work *w, uid_t uid)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_true(w && p);
	*p = (struct peer){ .refs = 1, .uid = uid, .pidfd = -1 };
	w->live = &live;
	w->peer = p;
	w->hooks = &hooks;
	w->arg = &said;
	assert_int_equal(work_start(w, wake), 0);
	return w;
}

/* Until there is something to pump. */
static void wait_for_it(void)
{
	struct pollfd p = { .fd = wake, .events = POLLIN };
	eventfd_t n;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(eventfd_read(wake, &n), 0);
}

/* A kill that names nobody has a summary and nothing else to say. */
static struct work *of_nobody(void)
{
	struct work *w = work_new();

	assert_non_null(w);
	w->request.verb = VERB_KILL;
	strcpy(w->request.id, "6d1c0e9a-0000-4000-8000-000000000001");
	return w;
}

static void test_order(void **state)
{
	struct work *w = begun(of_nobody(), 0);

	(void)state;
	do
		wait_for_it();
	while (!work_pump(w));
	assert_true(said.lines == 1 && said.done == 1 && !said.dropped && !said.asked);
	assert_int_equal(said.status, STATUS_USAGE);
	assert_non_null(strstr(said.err, "no selector"));
	assert_non_null(strstr(said.text, "{\"summary\":{"));
}

/* It comes again until it is taken; nothing comes before it, and the end does not. */
static void test_slow_listener(void **state)
{
	struct work *w;

	(void)state;
	said.refuse = 3;
	w = begun(of_nobody(), 0);
	while (said.refuse > 0) {
		wait_for_it();
		assert_false(work_pump(w));
		assert_int_equal(said.lines + said.done, 0);
		eventfd_write(wake, 1); /* there is room */
	}
	do
		wait_for_it();
	while (!work_pump(w));
	assert_true(said.refused == 3 && said.lines == 1 && said.done == 1);
}

/* What was queued and not taken is shown once more, and no longer. */
static void test_abort(void **state)
{
	struct work *w;

	(void)state;
	said.refuse = 1;
	w = begun(of_nobody(), 0);
	wait_for_it();
	assert_false(work_pump(w));
	work_abort(w);
	assert_true(said.dropped == 1 && !said.done && said.lines == 1);
}

static struct work *of_names(struct selector *s)
{
	struct work *w = work_new();

	assert_non_null(w);
	w->names_only = true;
	w->request.selectors = s;
	w->request.n_selectors = 1;
	return w;
}

static void test_names_only(void **state)
{
	struct selector none = { .kind = SEL_UNIT, .text = "there-is-no-such-unit" };
	struct selector pid = { .kind = SEL_PID, .pid = 4711 };
	struct work *w = begun(of_names(&none), 12345);

	(void)state;
	do
		wait_for_it();
	while (!work_pump(w));
	assert_true(said.done == 1 && !said.lines);
	assert_true(said.status == STATUS_NO_MATCH || said.status == STATUS_KERNEL); /* without cgroup v2 */
	assert_non_null(strstr(said.err, "there-is-no-such-unit"));
	w = of_names(&pid);
	work_resolve(w);
	assert_int_equal(w->status, STATUS_OK);
	assert_true(ids_has(&w->filter.pids, 4711) && w->filter.named == 1u << SEL_PID);
	work_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_only, setup, teardown),
	};

	alarm(120); /* what is broken here waits for ever */
	return unit_run("work", tests, NULL);
}
