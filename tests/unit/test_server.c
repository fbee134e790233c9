// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_server.c - a real server with toy methods in a process of its own, and callers who behave in every wrong way
 * beside one who behaves. */
#include "cli/client.h"
#include "daemon/door.h"
#include "toy.h"
#include "varlink/frame.h"
#include "varlink/interface.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "unit.h"

#include "server.h"

static void test_plain(void **state)
{
	struct wire_limits l = wire_limits_default;

	(void)state;
	server_start(&l);
	struct client *c = caller();
	struct reply r;

	ask_for(c, "org.varlink.service.GetInfo", NULL, 0, &r);
	assert_string_equal(text_in(&r, "product"), "severd");
	reply_clear(&r);
	ask_for(c, "io.sever.Nope", NULL, 0, &r);
	assert_string_equal(r.error, "org.varlink.service.MethodNotFound");
	reply_clear(&r);
	ask_for(c, "com.example.Nope", NULL, 0, &r);
	assert_string_equal(r.error, "org.varlink.service.InterfaceNotFound");
	reply_clear(&r);
	ask_for(c, "io.sever.List", "{\"x\":1}", 0, &r);
	assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
	assert_string_equal(text_in(&r, "parameter"), "x");
	reply_clear(&r);
	assert_int_equal(seen("peer_uid"), getuid());
	assert_int_equal(seen("peer_pid"), getpid());
	client_close(c);
	server_stop();
}

/* Two calls in one write, one call in as many writes as it has bytes, one of a mebibyte. */
static void test_pieces(void **state)
{
	static const char one[] = "{\"method\":\"io.sever.List\",\"parameters\":{\"limit\":5}}";
	static const char answer[] = "{\"parameters\":{\"limit\":5}}";
	_free_ char *big = NULL;
	char two[2 * sizeof(one)];
	int fd;

	(void)state;
	server_start(NULL);
	big = malloc(MESSAGE_MAX + 2);
	assert_non_null(big);
	fd = raw();
	memcpy(two, one, sizeof(one));
	memcpy(two + sizeof(one), one, sizeof(one));
	put(fd, two, sizeof(two));
	expect_message(fd, answer);
	expect_message(fd, answer);
	for (size_t i = 0; i < sizeof(one); i++) {
		put(fd, one + i, 1);
		if (i + 1 < sizeof(one))
			assert_false(readable(fd, 0));
	}
	expect_message(fd, answer);
	memset(big, ' ', MESSAGE_MAX + 2);
	memcpy(big, one, strlen(one));
	big[MESSAGE_MAX] = '\0';
	put(fd, big, MESSAGE_MAX + 1);
	expect_message(fd, answer);
	big[MESSAGE_MAX] = ' ';
	put(fd, big, MESSAGE_MAX + 1);
	expect_message(fd, "{\"error\":\"io.sever.TooLarge\",\"parameters\":{\"limit\":1048576}}");
	expect_end(fd);
	close(fd);
	server_stop();
}

static void test_garbage(void **state)
{
	static const char *const bad[] = { "", "\xff\xfe", "GET / HTTP/1.1\r\n\r\n", "[]",
					   "{\"method\":\"io.sever.List\",\"a\":1}" };
	struct client *beside;
	struct reply r;
	int fd;

	(void)state;
	server_start(NULL);
	beside = caller();
	for (size_t i = 0; i < array_size(bad); i++) {
		char two[128];
		size_t n = snprintf(two, sizeof(two), "%s%c%s", bad[i], 0, "{\"method\":\"io.sever.List\"}") + 1;

		fd = raw();
		put(fd, two, n);
		expect_error(fd, "io.sever.Malformed");
		expect_end(fd); /* what follows is not done */
		close(fd);
	}
	fd = raw();
	put_until_refused(fd);
	expect_error(fd, "io.sever.TooLarge");
	close(fd);
	ask_for(beside, "io.sever.List", NULL, 0, &r);
	assert_string_equal(r.error, "");
	reply_clear(&r);
	assert_int_equal(seen("list"), 1);
	client_close(beside);
	server_stop();
}

/* Calls are answered in their order, also if the first takes its time. */
static void test_order(void **state)
{
	static const char wait[] =
		"{\"method\":\"io.sever.Kill\",\"more\":true,\"parameters\":{\"verb\":\"kill\",\"selectors\":[],"
		"\"options\":{\"max\":20000}}}";
	static const char next[] = "{\"method\":\"io.sever.List\",\"parameters\":{\"limit\":9}}";
	size_t n = 0;
	int fd;

	(void)state;
	server_start(NULL);
	fd = raw();
	put(fd, wait, sizeof(wait));
	put(fd, next, sizeof(next));
	until_seen("kill", 1);
	assert_int_equal(seen("list"), 0); /* 8 MB wait to be read before that */
	assert_true(seen("bytes") < 4 << 20);
	while (next_message(fd) && strstr(message, "\"flow\""))
		n++;
	assert_int_equal(n, 20000);
	assert_string_equal(message, "{\"parameters\":{\"status\":0}}");
	expect_message(fd, "{\"parameters\":{\"limit\":9}}");
	assert_true(seen("room") > 0);
	close(fd);
	server_stop();
}

static void test_disconnect(void **state)
{
	static const char held[] =
		"{\"method\":\"io.sever.Kill\",\"parameters\":{\"verb\":\"disconnect\",\"selectors\":[]}}";
	static const char flood[] =
		"{\"method\":\"io.sever.Kill\",\"more\":true,\"parameters\":{\"verb\":\"kill\",\"selectors\":[],"
		"\"options\":{\"max\":1000000}}}";
	static const char watch[] = "{\"method\":\"io.sever.Watch\",\"more\":true}";
	static const char *const calls[] = { held, flood, watch };
	int fd;

	(void)state;
	server_start(NULL);
	for (size_t i = 0; i < array_size(calls); i++) {
		fd = raw();
		say(fd, calls[i]);
		until_seen("held", 1);
		if (calls[i] == flood)
			assert_true(next_message(fd));
		close(fd);
		until_seen("gone", i + 1);
		assert_int_equal(seen("held"), 0);
		assert_int_equal(seen("connections"), 1);
	}
	server_stop();
}

/* Who shuts only his writing half still gets his answer; who sends a oneway call need not wait for anything. */
static void test_half_closed(void **state)
{
	static const char list[] = "{\"method\":\"io.sever.List\",\"parameters\":{\"limit\":2}}";
	static const char kill_oneway[] =
		"{\"method\":\"io.sever.Kill\",\"oneway\":true,\"parameters\":{\"verb\":\"kill\",\"selectors\":[]}}";
	char many[100 * sizeof(kill_oneway)];
	int fd;

	(void)state;
	server_start(NULL);
	fd = raw();
	put(fd, list, sizeof(list));
	shutdown(fd, SHUT_WR);
	expect_message(fd, "{\"parameters\":{\"limit\":2}}");
	expect_end(fd);
	close(fd);
	for (int i = 1; i <= 50; i++) {
		fd = raw();
		put(fd, kill_oneway, sizeof(kill_oneway));
		close(fd);
		until_seen("kill", i);
	}
	fd = raw();
	for (int i = 0; i < 100; i++) /* more than are done in one go */
		memcpy(many + i * sizeof(kill_oneway), kill_oneway, sizeof(kill_oneway));
	put(fd, many, sizeof(many));
	close(fd);
	until_seen("kill", 150);
	fd = raw();
	put(fd, kill_oneway, sizeof(kill_oneway));
	put(fd, list, sizeof(list));
	expect_message(fd, "{\"parameters\":{\"limit\":2}}"); /* and nothing for the other */
	close(fd);
	server_stop();
}

/* 50,000 events: one watcher reads them all, one reads none until the end and is told what it missed. */
static void test_slow_watcher(void **state)
{
	struct wire_limits l = wire_limits_default;
	struct client *slow, *fast, *c;
	uint64_t got = 0, lost = 0, n = 50000 / unit_stride(20);
	struct reply r;

	(void)state;
	l.message_ms = 300 * pace(); /* slow is not hung up on */
	server_start(&l);
	slow = caller();
	fast = caller();
	c = caller();
	call_only(slow, "io.sever.Watch", NULL, CALL_MORE);
	call_only(fast, "io.sever.Watch", NULL, CALL_MORE);
	until_seen("held", 2);
	for (uint64_t i = 0; i < n / 500; i++) {
		ask_for(c, "io.sever.List", "{\"cursor\":\"emit\",\"limit\":500}", 0, &r);
		reply_clear(&r);
		for (int k = 0; k < 500; k++)
			assert_int_equal(event(fast, &lost), i * 500 + k + 1);
	}
	assert_int_equal(lost, 0);
	assert_true(seen("bytes") < 4 << 20);
	until_true(seen("lost") > 0 && seen("lost") < (long)n);
	pause_ms(700 * pace());
	for (uint64_t seq = 0, before; seq < n;) {
		before = lost;
		seq = event(slow, &lost);
		got += lost == before;
	}
	assert_true(lost > 0);
	assert_int_equal(got + lost, n);
	print_message("# slow watcher: %lu of %lu events lost and said so\n", (unsigned long)lost, (unsigned long)n);
	client_close(slow);
	client_close(fast);
	client_close(c);
	server_stop();
}

/* One who never reads his answers is stopped, then hung up on. */
static void test_never_reads(void **state)
{
	static const char big[] = "{\"method\":\"io.sever.List\",\"parameters\":{\"cursor\":\"big\"}}";
	struct wire_limits l = wire_limits_default;
	int fd, n = 0;

	(void)state;
	l.message_ms = 500 * pace();
	server_start(&l);
	fd = raw();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (n < 10000 && send(fd, big, sizeof(big), MSG_NOSIGNAL) == (ssize_t)sizeof(big))
		n++;
	assert_int_equal(n < 10000, true); /* the socket is full: nobody reads it */
	assert_true(seen("list") < 4);
	assert_true(seen("bytes") < 4 << 20);
	until_seen("expired", 1);
	assert_int_equal(seen("connections"), 1);
	close(fd);
	server_stop();
}

static void test_time_limits(void **state)
{
	struct wire_limits l = wire_limits_default;
	int silent, half, slow, watcher;

	(void)state;
	l.message_ms = 300 * pace();
	l.idle_ms = 900 * pace();
	server_start(&l);
	silent = raw();
	half = raw();
	slow = raw();
	watcher = raw();
	say(watcher, "{\"method\":\"io.sever.Watch\",\"more\":true}");
	put(half, "{\"method\":", 10);
	put(slow, "{", 1);
	while (!readable(slow, 50)) /* a byte at a time does not help */
		if (send(slow, " ", 1, MSG_NOSIGNAL) < 0)
			break;
	expect_end(slow);
	expect_end(half);
	expect_end(silent);
	assert_false(readable(watcher, 600 * pace()));
	assert_int_equal(seen("expired"), 3);
	assert_int_equal(seen("held"), 1);
	close(silent);
	close(half);
	close(slow);
	close(watcher);
	server_stop();
}

/* Callers that begin a message and do not end it; another is served at once, and they are gone after a while. */
static void test_half_open_flood(void **state)
{
	struct wire_limits l = wire_limits_default;
	const size_t n = 500 / unit_stride(5);
	int fd[500];
	uint64_t start;

	(void)state;
	l.message_ms = 3000 * pace();
	server_start(&l);
	for (size_t i = 0; i < n; i++) {
		fd[i] = raw();
		put(fd[i], "{\"method\":\"io.sever.", 20);
	}
	until_seen("connections", n + 1);
	start = now_ms();
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen("list"), 0);
	print_message("# beside %zu half-open callers: %.2f ms a connection and call\n", n,
		      (now_ms() - start) / 100.);
	until_seen("connections", 1);
	assert_int_equal(seen("expired"), n);
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
	server_stop();
}

static void test_too_many(void **state)
{
	struct wire_limits l = wire_limits_default;
	int fd[6];

	(void)state;
	l.connections = 5;
	server_start(&l);
	for (size_t i = 0; i < array_size(fd); i++)
		fd[i] = raw();
	expect_error(fd[5], "io.sever.Busy");
	expect_end(fd[5]);
	close(fd[5]);
	close(fd[0]);
	until_seen("connections", 5); /* four and the one that asks */
	assert_true(seen("refused") >= 1);
	for (int i = 1; i < 5; i++)
		close(fd[i]);
	server_stop();
}

/* Without descriptors nobody can be let in. Who waits is let in later, and the server does not spin meanwhile. */
static void test_no_descriptors(void **state)
{
	const struct rlimit few = { 40, 40 };
	uint64_t before;
	int fd[60];

	(void)state;
	server_start(NULL);
	assert_int_equal(prlimit(server.pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (size_t i = 0; i < array_size(fd); i++)
		fd[i] = raw();
	say(fd[59], "{\"method\":\"io.sever.List\"}");
	assert_false(readable(fd[59], 100));
	before = server_cpu_ms();
	assert_false(readable(fd[59], 1500));
	assert_true(server_cpu_ms() - before < 300);
	for (size_t i = 0; i < array_size(fd) - 1; i++)
		close(fd[i]);
	expect_message(fd[59], "{\"parameters\":{}}");
	close(fd[59]);
	server_stop();
}

/* A uid other than root has its own limit, and cannot take root's place. */
static void test_per_uid(void **state)
{
	struct wire_limits l = wire_limits_default;
	int fd[9], n = 0;

	(void)state;
	if (geteuid() != 0)
		skip_because("needs root");
	l.per_uid = 8;
	server_start(&l);
	assert_int_equal(seteuid(65534), 0);
	for (size_t i = 0; i < array_size(fd); i++)
		fd[i] = raw();
	assert_int_equal(seen_or("peer_uid", -1), -1);
	assert_int_equal(seteuid(0), 0);
	expect_error(fd[8], "io.sever.Busy");
	assert_int_equal(seen("peer_uid"), 0);
	for (size_t i = 0; i < array_size(fd) - 1; i++) {
		say(fd[i], "{\"method\":\"io.sever.Doctor\"}");
		n += next_message(fd[i]) && strstr(message, "\"peer_uid\":65534");
	}
	assert_int_equal(n, 8);
	for (size_t i = 0; i < array_size(fd); i++)
		close(fd[i]);
	server_stop();
}

/* 1,000 callers that hold a watch and read nothing, and 1,000 that hold half a mebibyte each. */
static void test_memory(void **state)
{
	struct wire_limits l = wire_limits_default;
	static char half[512 << 10];
	size_t n = 1000 / unit_stride(20);
	_free_ int *fd = NULL;
	long before, idle, after;
	/* sanitizers keep what was freed */
#ifdef __SANITIZE_ADDRESS__
	bool counted = false;
#else
	bool counted = true;
#endif

	(void)state;
	l.connections = 1100;
	l.message_ms = 2000 * slower();
	server_start(&l);
	fd = calloc(n, sizeof(*fd));
	assert_non_null(fd);
	assert_int_equal(seen("connections"), 1);
	before = server_kb();
	for (size_t i = 0; i < n; i++) {
		fd[i] = raw();
		say(fd[i], "{\"method\":\"io.sever.Watch\",\"more\":true}");
	}
	until_seen("held", n);
	idle = server_kb();
	for (int i = 0; i < 4; i++)
		emit(500);
	after = server_kb();
	print_message("# %zu watchers: %ld KB each; with 2,000 events that none of them reads: %ld MB in all\n", n,
		      (idle - before) / (long)n, after / 1024);
	assert_true(seen("bytes") < (long)l.memory + (2 << 20));
	assert_true(!counted || after - before < 2 * (long)l.memory / 1024);
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
	until_seen("connections", 1);
	memset(half, ' ', sizeof(half));
	for (size_t i = 0; i < n; i++) {
		fd[i] = raw();
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
		for (ssize_t done = 0, k = 1; k > 0 && done < (ssize_t)sizeof(half); done += k)
			k = send(fd[i], half + done, sizeof(half) - done, MSG_NOSIGNAL);
	}
	assert_true(seen("connections") > 0);
	after = server_kb();
	print_message("# %zu callers with half a message: %ld MB in all\n", n, after / 1024);
	assert_true(!counted || after - before < 2 * (long)l.memory / 1024);
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
	until_seen("connections", 1);
	server_stop();
}

static int clean_up(void **state)
{
	(void)state;
	server_kill();
	return geteuid() == 0 || getuid() != 0 ? 0 : seteuid(0);
}

#define T(f) cmocka_unit_test_teardown(f, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_plain),	     T(test_pieces),	      T(test_garbage),	    T(test_order),
		T(test_disconnect),  T(test_half_closed),     T(test_slow_watcher), T(test_never_reads),
		T(test_time_limits), T(test_half_open_flood), T(test_too_many),	    T(test_no_descriptors),
		T(test_per_uid),     T(test_memory),
	};
	const struct rlimit many = { 8192, 8192 };

	alarm(240 * slower()); /* what is broken here may wait for ever */
	setrlimit(RLIMIT_NOFILE, &many);
	return unit_run("server", tests, NULL);
}
