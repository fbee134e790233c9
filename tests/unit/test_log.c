// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_log.c - numbers rise by one whatever goes; what is kept is bounded in number and in bytes. */
#include "daemon/log.h"

#include "unit.h"

#include <string.h>

static struct log l;

static int setup(void **state)
{
	(void)state;
	return log_open(&l);
}

static int teardown(void **state)
{
	(void)state;
	log_close(&l);
	assert_true(l.bytes == 0);
	return 0;
}

static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++)
		log_add(&l, EVENT_FLOW_OPEN)->job = i;
}

static void test_numbers(void **state)
{
	uint64_t now = clock_ns(CLOCK_REALTIME) / 1000;

	(void)state;
	assert_true(l.began <= now && now - l.began < 60000000);
	assert_true(l.first == l.began && l.next == l.began);
	assert_null(log_at(&l, l.began));
	fill(3);
	assert_true(l.next == l.began + 3 && l.first == l.began);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(log_at(&l, l.began + i)->job, i);
	assert_null(log_at(&l, l.began - 1));
	assert_null(log_at(&l, l.next));
	assert_null(log_at(&l, 0));
	assert_null(log_at(&l, UINT64_MAX));
}

/* A place that is used again says nothing of who had it before. */
static void test_new_one(void **state)
{
	struct logged *e;

	(void)state;
	fill(LOG_EVENTS);
	e = log_add(&l, EVENT_SESSION_CLOSE);
	assert_int_equal(e->event, EVENT_SESSION_CLOSE);
	assert_true(!e->job && !e->about && !e->bytes && !e->flow.cookie && e->uid == ID_UNSET && e->reason == REASON_NONE);
	assert_true(e->time_us >= l.began);
}

static void test_overflow(void **state)
{
	(void)state;
	fill(LOG_EVENTS);
	assert_true(l.first == l.began);
	fill(5);
	assert_true(l.next - l.first == LOG_EVENTS && l.first == l.began + 5);
	assert_null(log_at(&l, l.began + 4));
	assert_int_equal(log_at(&l, l.began + 5)->job, 5);
	assert_int_equal(log_at(&l, l.next - 1)->job, 4);
	assert_ptr_not_equal(log_at(&l, l.first), log_at(&l, l.next - 1));
}

static json_t *long_text(size_t n)
{
	_free_ char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	return json_pack("{ss}", "x", text);
}

/* Whoever says long things again and again takes no more memory than that. */
static void test_bytes(void **state)
{
	const size_t each = LOG_BYTES / 8;

	(void)state;
	for (int i = 0; i < 20; i++)
		log_about(&l, log_add(&l, EVENT_REQUEST_DONE), long_text(each));
	assert_true(l.bytes <= LOG_BYTES);
	assert_true(l.next - l.began == 20);
	assert_true(l.next - l.first == 7); /* with its key each is a little more than an eighth */
	assert_int_equal(json_string_length(json_object_get(log_at(&l, l.first)->about, "x")), each);
	assert_null(log_at(&l, l.first - 1));
	fill(LOG_EVENTS - 1);
	assert_true(l.bytes == each + strlen("{\"x\":\"\"}"));
	fill(1);
	assert_true(l.bytes == 0);
}

/* The newest is kept, however long. */
static void test_huge(void **state)
{
	(void)state;
	fill(10);
	log_about(&l, log_add(&l, EVENT_REQUEST_DONE), long_text(LOG_BYTES + 1));
	assert_true(l.next - l.first == 1 && log_at(&l, l.first)->about);
	log_about(&l, log_add(&l, EVENT_REQUEST_DONE), NULL);
	assert_true(l.next - l.first == 1 && !log_at(&l, l.first)->about && l.bytes == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge, setup, teardown),
	};

	return unit_run("log", tests, NULL);
}
