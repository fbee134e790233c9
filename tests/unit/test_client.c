// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_client.c - the command line's end, with a daemon that says whatever it likes. */
#include "script.h"
#include "varlink/frame.h"

#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "unit.h"

static void heard(const char *wanted)
{
	char text[512];
	ssize_t n = recv(far, text, sizeof(text), MSG_DONTWAIT);

	assert_int_equal(n, strlen(wanted) + 1);
	assert_string_equal(text, wanted);
}

static void test_call(void **state)
{
	_cleanup_(json_decrefp) json_t *p = json_pack("{si}", "limit", 3);

	(void)state;
	assert_int_equal(client_call(c, "io.sever.List", p, 0, 1000, err), 0);
	heard("{\"method\":\"io.sever.List\",\"parameters\":{\"limit\":3}}");
	assert_int_equal(client_call(c, "io.sever.Watch", NULL, CALL_MORE, 1000, err), 0);
	heard("{\"method\":\"io.sever.Watch\",\"more\":true}");
	assert_int_equal(client_call(c, "io.sever.Kill", NULL, CALL_ONEWAY, 1000, err), 0);
	heard("{\"method\":\"io.sever.Kill\",\"oneway\":true}");
}

static void test_replies(void **state)
{
	struct reply r;

	(void)state;
	script_say("{\"parameters\":{\"a\":1},\"continues\":true}");
	script_say("{}");
	script_say("{\"parameters\":null}");
	script_say("{\"error\":\"io.sever.NotFound\",\"parameters\":{\"what\":\"match\"}}");
	assert_int_equal(client_next(c, 1000, &r, err), 0);
	assert_true(r.continues);
	assert_int_equal(json_integer_value(json_object_get(r.parameters, "a")), 1);
	reply_clear(&r);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(client_next(c, 1000, &r, err), 0);
		assert_false(r.continues);
		assert_int_equal(json_object_size(r.parameters), 0);
		assert_string_equal(r.error, "");
		reply_clear(&r);
	}
	assert_int_equal(client_next(c, 1000, &r, err), 0);
	assert_string_equal(r.error, "io.sever.NotFound");
	assert_string_equal(json_string_value(json_object_get(r.parameters, "what")), "match");
	reply_clear(&r);
}

static void test_nonsense(void **state)
{
	static const char *const bad[] = {
		"", "no", "[]", "{\"error\":1}", "{\"error\":\"\"}", "{\"parameters\":[]}", "{\"parameters\":{\"a\":\"\xff\"}}"
	};
	struct reply r;

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		*err = '\0';
		script_say(bad[i]);
		assert_int_equal(client_next(c, 1000, &r, err), -EBADMSG);
		assert_true(*err);
	}
}

static void test_too_long(void **state)
{
	static char chunk[65536];
	struct reply r;
	pid_t child;

	(void)state;
	memset(chunk, ' ', sizeof(chunk));
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 40; i++)
			if (send(far, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0)
				break;
		_exit(0);
	}
	assert_int_equal(client_next(c, 10000, &r, err), -EBADMSG);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_silence(void **state)
{
	struct reply r;

	(void)state;
	assert_int_equal(client_next(c, 30, &r, err), -ETIMEDOUT);
	assert_true(*err);
	assert_int_equal(send(far, "{\"par", 5, 0), 5);
	assert_int_equal(client_next(c, 30, &r, err), -ETIMEDOUT);
	script_say("ameters\":{}}"); /* it may be asked again */
	assert_int_equal(client_next(c, 1000, &r, err), 0);
	reply_clear(&r);
}

/* A daemon that reads nothing. */
static void test_deaf(void **state)
{
	_free_ char *text = calloc(1, 900001);
	_cleanup_(json_decrefp) json_t *p = NULL;
	int r = 0;

	(void)state;
	memset(text, 'x', 900000);
	p = json_pack("{ss}", "a", text);
	for (int i = 0; i < 100 && r == 0; i++)
		r = client_call(c, "a.b", p, 0, 50, err);
	assert_int_equal(r, -ETIMEDOUT);
}

/* What the daemon said before it hung up is heard. */
static void test_hung_up(void **state)
{
	struct reply r;

	(void)state;
	script_say("{\"error\":\"io.sever.Busy\"}");
	script_end();
	assert_int_equal(client_call(c, "io.sever.List", NULL, 0, 1000, err), 0);
	assert_int_equal(client_next(c, 1000, &r, err), 0);
	assert_string_equal(r.error, "io.sever.Busy");
	reply_clear(&r);
	assert_int_equal(client_next(c, 1000, &r, err), -EPIPE);
}

static void test_stop(void **state)
{
	static volatile sig_atomic_t stop = 1;
	struct reply r;

	(void)state;
	client_stop_on(c, &stop);
	assert_int_equal(client_next(c, 1000, &r, err), -EINTR);
}

/* A signal that comes again and again, mostly between two waits: the one that is meant is never missed. */
static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void test_signal(void **state)
{
	const struct sigaction catch = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct reply r;

	(void)state;
	sigaction(SIGUSR1, &catch, NULL);
	client_stop_on(c, &stopped);
	for (int i = 0; i < 200; i++) {
		pid_t child;

		stopped = 0;
		child = fork();
		if (child == 0) {
			for (volatile int k = 0; k < i * 500; k++)
				;
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
		if (!stopped)
			assert_int_equal(client_next(c, 10000, &r, err), -EINTR);
		waitpid(child, NULL, 0);
	}
	signal(SIGUSR1, SIG_DFL);
}

/* Whoever was to read what we print is gone. */
static void test_reader(void **state)
{
	struct reply r;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	client_stop_on_hangup(c, fd[1]);
	assert_int_equal(client_next(c, 30, &r, err), -ETIMEDOUT);
	close(fd[0]);
	assert_int_equal(client_next(c, 10000, &r, err), -ESHUTDOWN);
	close(fd[1]);
}

static void test_open(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/sever.XXXXXX", path[64];
	struct client *other, *v[8];
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = 0, r = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(client_open(path, 1000, &other, err), -ENOENT);
	assert_non_null(strstr(err, path));
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(client_open(path, 1000, &other, err), -ECONNREFUSED);
	assert_int_equal(listen(fd, 1), 0);
	while (n < 8 && r == 0) { /* nobody accepts */
		r = client_open(path, 50, &v[n], err);
		n += r == 0;
	}
	assert_int_equal(r, -ETIMEDOUT);
	while (n--)
		client_close(v[n]);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_call), S(test_replies), S(test_nonsense), S(test_too_long), S(test_silence),
		S(test_deaf), S(test_hung_up), S(test_stop),	 S(test_signal),  S(test_reader),
		S(test_open),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run("client", tests, NULL);
}
