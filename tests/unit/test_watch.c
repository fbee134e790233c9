// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_watch.c - events become lines, at once; the stream ends for a reason that is told. */
#include "cli/remote.h"
#include "paper.h"
#include "script.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

static volatile sig_atomic_t stop;

#define TIME "2026-11-21T14:53:51.123456Z"
#define EVENT(members) "{\"parameters\":{\"event\":{" members "}},\"continues\":true}"
#define HEAD(seq, name) "\"seq\":" seq ",\"time\":\"" TIME "\",\"event\":\"" name "\""

static json_t *flow_of(struct flow *f)
{
	struct paper p;
	json_t *o;

	paper_open(&p, &report_json, VERB_LIST);
	report_begin(&p.r, &p.req);
	report_flow(&p.r, f, &procs, &sessions);
	fflush(p.r.out);
	o = json_loads(p.out, 0, NULL);
	assert_non_null(o);
	paper_close(&p);
	return o;
}

static json_t *session_of(void)
{
	struct paper p;
	json_t *o;

	list_one(&p, &report_json, LIST_SESSIONS);
	o = json_loads(p.out, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(o);
	paper_close(&p);
	return o;
}

#define FENCE                                                                    \
	"\"fence\":{\"fence\":\"f12\",\"selectors\":[\"--user "                  \
	"a\\u001b\"],\"reason\":null,\"uid\":0,\"login_uid\":null,"              \
	"\"pid\":null,\"request\":null,\"since\":\"" TIME "\",\"until\":\"" TIME \
	"\",\"remaining_ms\":5,\"refused\":3,"                                   \
	"\"last\":\"" TIME "\",\"last_addr\":\"127.0.0.9\",\"last_port\":7001,\"notes\":[]}"

/* One event of each form, then the end. */
static void say_events(void)
{
	static const struct summary s = { .matched = 5, .dead = 3, .stale = 1, .alive = 1, .elapsed_ms = 3.1 };
	struct flow f = make_flow();
	json_t *o = json_pack("{sisssssssos[]}", "seq", 7, "time", TIME, "event", "flow.close", "reason", "admin", "flow",
			      flow_of(&f), "future");
	_cleanup_(json_decrefp) json_t *line = NULL;
	struct paper p;

	json_object_set_new(o, "request", json_string("6d1c"));
	script_put("event", o, "}", true);
	json_decref(o);
	o = json_pack("{sisssssoss}", "seq", 8, "time", TIME, "event", "session.disconnected", "session", session_of(),
		      "request", "a\x1b\x7f");
	script_put("event", o, "}", true);
	json_decref(o);
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	line = json_loads(p.out, 0, NULL);
	o = json_pack("{sisssssosn}", "seq", 9, "time", TIME, "event", "request.done", "summary",
		      json_incref(json_object_get(line, "summary")), "flow");
	script_put("event", o, "}", true);
	json_decref(o);
	paper_close(&p);
	script_say(EVENT(HEAD("17", "lost") ",\"count\":8"));
	script_say(EVENT(HEAD("18", "fence.hit") "," FENCE));
	script_say("{\"error\":\"io.sever.Busy\",\"parameters\":{\"message\":\"going down\"}}");
}

/* What was printed; to be freed. */
static char *watch(bool json, enum status wanted)
{
	struct options o = { .json = json, .after = AFTER_NOW, .request = { .stop = &stop } };
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(remote_watch(c, &o, f, err), wanted);
	fclose(f);
	return text;
}

static void test_text(void **state)
{
	_free_ char *text = NULL;

	(void)state;
	say_events();
	text = watch(false, STATUS_NO_DAEMON);
	assert_string_equal(err, "going down");
	assert_string_equal(
		text, TIME
		"  flow.close  admin  alice  audit:7  127.0.0.2:51234 -> 127.0.0.1:22  6d1c\n" TIME
		"  session.disconnected  -      alice  audit:7  127.0.0.2                        a\\x1b\\x7f\n" TIME
		"  request.done          -      -      -        -                                -  4 of 5 gone\n" TIME
		"  lost                  -      -      -        -                                -  8 lost\n" TIME
		"  fence.hit             -      -      -        127.0.0.9:7001                   -  f12 --user a\\x1b, "
		"3 refused\n");
}

static void test_json(void **state)
{
	_free_ char *text = NULL, *flow = NULL;
	struct flow f = make_flow();
	struct paper p;

	(void)state;
	say_events();
	text = watch(true, STATUS_NO_DAEMON);
	paper_open(&p, &report_json, VERB_LIST);
	report_begin(&p.r, &p.req);
	report_flow(&p.r, &f, &procs, &sessions);
	fflush(p.r.out);
	*strchr(p.out, '\n') = '\0';
	assert_true(asprintf(&flow,
			     "{\"seq\":7,\"time\":\"" TIME "\",\"event\":\"flow.close\",\"reason\":\"admin\","
			     "\"request\":\"6d1c\",\"flow\":%s}\n",
			     p.out) > 0);
	paper_close(&p);
	assert_ptr_equal(strstr(text, flow), text);
	assert_non_null(strstr(text, "\"elapsed_ms\":3.1,"));
	assert_non_null(strstr(text, "\"request\":\"a\\u001B\\u007f\""));
	assert_null(strstr(text, "future"));
	assert_non_null(strstr(text, "\n{\"seq\":17,\"time\":\"" TIME "\",\"event\":\"lost\",\"count\":8}\n"));
	assert_non_null(strstr(
		text, "\"event\":\"fence.hit\",\"fence\":{\"fence\":\"f12\",\"selectors\":[\"--user a\\u001B\"],"));
	for (const char *s = text; *s; s++)
		assert_true(*s == '\n' || (*s >= 0x20 && *s < 0x7f));
}

static void test_nonsense(void **state)
{
	static const struct {
		const char *reply, *named;
	} cases[] = {
		{ "{\"parameters\":{},\"continues\":true}", "Watch.event" },
		{ "{\"parameters\":{\"event\":[]},\"continues\":true}", "Watch.event" },
		{ EVENT("\"time\":\"x\",\"event\":\"y\""), "Watch.seq" },
		{ EVENT("\"seq\":1,\"event\":\"y\""), "Watch.time" },
		{ EVENT("\"seq\":1,\"time\":\"x\""), "Watch.event" },
		{ EVENT("\"seq\":-1,\"time\":\"x\",\"event\":\"y\""), "Watch.seq" },
		{ EVENT(HEAD("1", "y") ",\"flow\":{}"), "Watch.flow" },
		{ EVENT(HEAD("1", "y") ",\"flow\":\"xxx\""), "Watch.flow" },
		{ EVENT(HEAD("1", "y") ",\"session\":{\"session\":1}"), "Watch.session" },
		{ EVENT(HEAD("1", "y") ",\"summary\":{}"), "Watch.elapsed_ms" },
		{ EVENT(HEAD("1", "y") ",\"count\":\"8\""), "Watch.count" },
		{ EVENT(HEAD("1", "y") ",\"fence\":{}"), "Watch.fence" },
		{ EVENT(HEAD("1", "y") ",\"fence\":\"f12\""), "Watch.fence" },
		{ EVENT(HEAD("1", "y") ",\"reason\":{}"), "Watch.reason" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		_free_ char *text = NULL;

		script_say(cases[i].reply);
		text = watch(i % 2, STATUS_PARTIAL);
		if (!strstr(err, cases[i].named))
			fail_msg("%s: \"%s\" does not name %s", cases[i].reply, err, cases[i].named);
		assert_string_equal(text, "");
		script_again();
	}
}

static void test_asks(void **state)
{
	struct selector s = { .kind = SEL_PROTO, .text = "udp" };
	struct options o = { .after = 41, .request = { .selectors = &s, .n_selectors = 1 } };
	_cleanup_(json_decrefp) json_t *call = NULL;
	_free_ char *text = NULL;

	(void)state;
	script_say("{\"error\":\"io.sever.Busy\"}");
	assert_int_equal(remote_watch(c, &o, stderr, err), STATUS_NO_DAEMON);
	call = script_asked();
	text = json_dumps(call, JSON_COMPACT);
	assert_string_equal(text, "{\"method\":\"io.sever.Watch\",\"parameters\":{\"selectors\":[{\"kind\":\"proto\","
				  "\"value\":\"udp\"}],\"after\":41},\"more\":true}");
}

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* In a child that prints to fd; what it exits with. It has printed all it was told before it waits for more. */
static pid_t watch_to(int fd, int reader)
{
	struct options o = { .json = true, .after = AFTER_NOW, .request = { .stop = &stop } };
	pid_t child = fork();

	if (child == 0) {
		FILE *f = fdopen(fd, "w");

		close(reader);
		signal(SIGPIPE, SIG_IGN);
		sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal, .sa_flags = SA_RESTART }, NULL);
		_exit(remote_watch(c, &o, f, err));
	}
	close(fd);
	return child;
}

static int status_of(pid_t child)
{
	int status = -1;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Watches, and has read the first line, which *ret_fd goes on from. */
static pid_t watch_and_read(int *ret_fd)
{
	char text[256];
	pid_t child;
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	script_say(EVENT(HEAD("1", "lost") ",\"count\":1"));
	child = watch_to(fd[1], fd[0]);
	assert_true(read(fd[0], text, sizeof(text)) > 0);
	*ret_fd = fd[0];
	return child;
}

/* A line is there as soon as the event is, and the first signal ends it well. */
static void test_at_once(void **state)
{
	int fd;
	pid_t child = watch_and_read(&fd);

	(void)state;
	kill(child, SIGINT);
	assert_int_equal(status_of(child), STATUS_OK);
	close(fd);
}

/* Nobody reads any more: it ends though nothing happens. */
static void test_closed(void **state)
{
	int fd;
	pid_t child = watch_and_read(&fd);

	(void)state;
	close(fd);
	assert_int_equal(status_of(child), STATUS_PARTIAL);
}

static void test_full(void **state)
{
	_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	pid_t child;

	(void)state;
	script_say(EVENT(HEAD("1", "lost") ",\"count\":1"));
	child = watch_to(take_fd(&fd), -1);
	assert_int_equal(status_of(child), STATUS_PARTIAL);
}

static void test_hung_up(void **state)
{
	_free_ char *text = NULL;

	(void)state;
	script_say(EVENT(HEAD("1", "lost") ",\"count\":1"));
	script_end();
	text = watch(true, STATUS_NO_DAEMON);
	assert_string_equal(err, "severd hung up");
	assert_non_null(strstr(text, "\"seq\":1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_text),	 S(test_json),	 S(test_nonsense), S(test_asks),
		S(test_at_once), S(test_closed), S(test_full),	   S(test_hung_up),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run("watch", tests, NULL);
}
