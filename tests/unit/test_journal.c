// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_journal.c - records reach who reads them in their order; who does not read them holds nobody up, and is told later how
 * many he missed. */
#include "daemon/journal.h"
#include "paper.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>

#define QUEUE 100000 /* bytes */

static char dir[] = "/tmp/test_journal.XXXXXX";
static char path[64];
static struct flow flow;

/* A test that waits for ever is ended, and so fails. */
static int set_up(void **state)
{
	(void)state;
	alarm(60);
	flow = make_flow();
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int listen_at_path(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(a.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const void *)&a, sizeof(a)), 0);
	return fd;
}

/* The nth: its number stands in SEVER_BYTES_SENT. */
static void cut(struct journal *j, uint64_t n)
{
	const struct journal_cut c = { .flow = &flow, .bytes_sent = n, .bytes_received = 0, .duration_us = 0 };

	journal_cut(j, &c);
}

static void accepted(struct journal *j)
{
	struct recorded r = { .id = "6d1c0e9a-0000-4000-8000-000000000001", .verb = VERB_KILL, .login_uid = ID_UNSET };

	journal_accepted(j, &r, 1);
}

/* One record; 0: none is there. */
static size_t receive(int fd, char text[8192])
{
	ssize_t n = recv(fd, text, 8191, 0);

	if (n < 0)
		assert_int_equal(errno, EAGAIN);
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? 0 : n;
}

static uint64_t value(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

static struct journal *open_socket(size_t queue)
{
	struct journal *j;

	assert_int_equal(journal_open_at(path, -1, queue, &j), 0);
	assert_false(journal_is_stderr(j));
	return j;
}

static sd_event *attach(struct journal *j)
{
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(journal_attach(j, event), 0);
	return event;
}

static void test_socket(void **state)
{
	_close_ int fd = listen_at_path();
	_cleanup_(journal_closep) struct journal *j = open_socket(QUEUE);
	struct buffer want = { 0 };
	struct fields f = { 0 };
	char text[8192];

	(void)state;
	journal_say(j, 3, "one\ntwo");
	fields_say(&f, 3, "one\ntwo");
	assert_int_equal(fields_native(&f, &want), 0);
	assert_int_equal(receive(fd, text), want.len);
	assert_memory_equal(text, want.text, want.len);
	assert_int_equal(receive(fd, text), 0);
	fields_clear(&f);
	free(want.text);
}

/* What came. */
struct seen {
	uint64_t next, cuts, lost, requests, gaps;
};

static void look(struct seen *s, const char *text)
{
	if (strstr(text, "MESSAGE_ID=3afd5fc1df8149dfb68b097ec2b44608")) {
		s->lost += value(text, "SEVER_LOST=");
		s->gaps++;
	} else if (strstr(text, "SEVER_VERB=")) {
		s->requests++;
	} else {
		uint64_t n = value(text, "SEVER_BYTES_SENT=");

		assert_true(n >= s->next);
		s->next = n + 1;
		s->cuts++;
	}
}

/* Nobody reads: nothing waits, what is kept is bounded, requests are kept longest, and all is accounted for in the end. */
static void test_nobody_reads(void **state)
{
	_close_ int fd = listen_at_path();
	_cleanup_(journal_closep) struct journal *j = open_socket(QUEUE);
	struct seen seen = { 0 };
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	char text[8192];
	uint64_t lost;

	(void)state;
	event = attach(j);
	for (uint64_t n = 0; n < 5000; n++)
		cut(j, n);
	for (int i = 0; i < 10; i++)
		accepted(j);
	assert_in_range(journal_waiting(j), QUEUE - 1000, QUEUE + 10 * 1000);
	lost = journal_lost(j);
	assert_in_range(lost, 1, 5000);
	/* The loop does not spin while there is no room ... */
	assert_int_equal(sd_event_run(event, 0), 0);
	/* ... and goes on when there is. */
	while (seen.cuts + seen.lost + seen.requests < 5010) {
		while (receive(fd, text) > 0)
			look(&seen, text);
		if (seen.cuts + seen.lost + seen.requests < 5010)
			assert_true(sd_event_run(event, 10000000) > 0);
	}
	assert_int_equal(seen.requests, 10);
	assert_int_equal(seen.lost, lost);
	assert_int_equal(seen.gaps, 1);
	assert_int_equal(journal_waiting(j), 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	cut(j, 6000);
	assert_true(receive(fd, text) > 0);
	assert_int_equal(value(text, "SEVER_BYTES_SENT="), 6000);
}

/* Who listened is gone: records are lost and counted. Another one comes: it is told. */
static void test_restarted(void **state)
{
	_close_ int fd = listen_at_path();
	_cleanup_(journal_closep) struct journal *j = open_socket(QUEUE);
	struct seen seen = { 0 };
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	char text[8192];

	(void)state;
	event = attach(j);
	cut(j, 1);
	assert_true(receive(fd, text) > 0);
	close(fd);
	cut(j, 2);
	assert_int_equal(unlink(path), 0);
	cut(j, 3);
	assert_int_equal(journal_lost(j), 2);
	assert_int_equal(journal_waiting(j), 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	fd = listen_at_path();
	cut(j, 4);
	while (receive(fd, text) > 0)
		look(&seen, text);
	assert_int_equal(seen.lost, 2);
	assert_int_equal(seen.cuts, 1);
	assert_int_equal(seen.next, 5);
}

/* At the end what was kept is given to who reads, and not for ever to who does not. */
static void test_close(void **state)
{
	_close_ int fd = listen_at_path();
	struct journal *j = open_socket(QUEUE);

	(void)state;
	for (uint64_t n = 0; n < 1000; n++)
		cut(j, n);
	assert_true(journal_waiting(j) > 0);
	journal_close(j);
}

static void test_no_socket(void **state)
{
	char text[8192];
	struct journal *j;
	int out[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(journal_open_at(path, out[1], QUEUE, &j), 0);
	assert_true(journal_is_stderr(j));
	journal_say(j, 3, "one\ntwo");
	n = read(out[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, " priority=3 message=\"one\\\\x0atwo\"\n"));
	journal_close(j);
	assert_true(fcntl(out[1], F_GETFD) >= 0);
	close(out[0]);
	close(out[1]);
}

/* A pipe that is full, of which the writer's end is not ours to change. */
static void test_full_pipe(void **state)
{
	uint64_t lines = 0, lost = 0, last = 0;
	struct journal *j;
	char line[8192];
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	int out[2];
	FILE *f;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(journal_open_at(NULL, out[1], QUEUE, &j), 0);
	event = attach(j);
	for (uint64_t n = 1; n <= 3000; n++)
		cut(j, n);
	assert_true(journal_lost(j) > 0);
	assert_int_equal(fcntl(out[0], F_SETFL, O_NONBLOCK), 0);
	f = fdopen(out[0], "r");
	while (lines + lost < 3000) {
		if (!fgets(line, sizeof(line), f)) {
			clearerr(f);
			assert_true(sd_event_run(event, 10000000) > 0);
			continue;
		}
		assert_int_equal(line[strlen(line) - 1], '\n');
		assert_memory_equal(line, "time=", 5);
		if (strstr(line, " lost=")) {
			lost += value(line, " lost=");
			continue;
		}
		assert_true(value(line, " bytes_sent=") > last);
		last = value(line, " bytes_sent=");
		lines++;
	}
	assert_int_equal(lost, journal_lost(j));
	/* The reader goes: no signal, no wait. */
	fclose(f);
	cut(j, 1);
	assert_int_equal(journal_lost(j), lost + 1);
	assert_int_equal(journal_waiting(j), 0);
	journal_close(j);
	close(out[1]);
}

#define with_a_directory(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_a_directory(test_socket), with_a_directory(test_nobody_reads), with_a_directory(test_restarted),
		with_a_directory(test_close),  with_a_directory(test_no_socket),    with_a_directory(test_full_pipe),
	};

	return unit_run("journal", tests, NULL);
}
