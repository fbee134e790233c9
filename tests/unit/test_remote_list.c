// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_remote_list.c - a listing by severd is shown as one that was made here; and who is asked at all. */
#include "cli/remote.h"
#include "paper.h"
#include "script.h"

#include <sys/un.h>
#include <sys/wait.h>

#include "unit.h"

/* --- list ------------------------------------------------------------------------------------- */

static void say_page(enum list_what what, const char *last, bool continues)
{
	_cleanup_(json_decrefp) json_t *array = json_array();
	struct paper p;

	list_one(&p, &report_json, what);
	assert_int_equal(json_array_append_new(array, json_loads(p.out, JSON_DISABLE_EOF_CHECK, NULL)), 0);
	script_put(list_what_name[what], array, last, continues);
	paper_close(&p);
}

static void list_two(struct paper *p, const struct report_ops *ops, enum list_what what)
{
	static const char *const notes[] = { "seen", "2 connections of others are not shown" };
	const struct summary s = {
		.matched = 3, .owners = "proc", .unattributed = 4, .age_unknown = 5, .notes = notes, .n_notes = 2
	};
	struct row row = make_row(what);

	paper_open(p, ops, VERB_LIST);
	p->req.what = what;
	report_begin(&p->r, &p->req);
	for (int i = 0; i < 3; i++)
		report_row(&p->r, &row);
	paper_end(p, &s);
}

/* Three pages: two by one call, one by another. */
static void test_list(void **state)
{
	static const enum list_what whats[] = { LIST_SESSIONS, LIST_USERS, LIST_CLIENTS };

	(void)state;
	for (size_t i = 0; i < array_size(whats) * 2; i++) {
		struct paper here, there;
		struct request req;

		list_two(&here, i % 2 ? &report_text : &report_json, whats[i / 2]);
		paper_open(&there, i % 2 ? &report_text : &report_json, VERB_LIST);
		req = there.req;
		req.what = whats[i / 2];
		say_page(whats[i / 2], ",\"next\":\"a\"}", true);
		say_page(whats[i / 2], ",\"next\":\"b\"}", false);
		say_page(whats[i / 2],
			 ",\"next\":null,\"hidden\":2,\"owners\":\"proc\",\"unattributed\":4,\"age_unknown\":5,"
			 "\"notes\":[\"seen\"]}",
			 false);
		assert_int_equal(remote_list(c, &req, &there.r, err), STATUS_OK);
		fflush(there.r.err);
		assert_string_equal(there.out, here.out);
		assert_string_equal(there.err, here.err);
		paper_close(&here);
		paper_close(&there);
		script_again();
	}
}

static void test_list_nothing(void **state)
{
	struct paper p;
	struct request req;

	(void)state;
	for (int i = 0; i < 3; i++) {
		paper_open(&p, &report_json, VERB_LIST);
		req = p.req;
		req.ignore_none = i == 1;
		req.n_selectors = i < 2;
		script_say("{\"parameters\":{\"sessions\":[]}}");
		assert_int_equal(remote_list(c, &req, &p.r, err), i ? STATUS_OK : STATUS_NO_MATCH);
		assert_string_equal(err, i ? "" : "nothing matched");
		assert_string_equal(p.out, "{\"summary\":{\"listed\":0,\"owners\":null,\"notes\":[],\"unattributed\":0,\"age_unknown\":0}}\n");
		paper_close(&p);
		script_again();
	}
}

static void test_list_nonsense(void **state)
{
	static const char *const bad[] = {
		"{\"parameters\":{\"sessions\":{}}}",	    "{\"parameters\":{\"sessions\":[1]}}",
		"{\"parameters\":{\"sessions\":[{}]}}",	    "{\"parameters\":{\"hidden\":-1}}",
		"{\"parameters\":{\"notes\":[null]}}",	    "{\"parameters\":{\"owners\":[]}}",
		"{\"parameters\":{\"unattributed\":\"1\"}}",
	};
	struct paper p;
	struct request req;

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		paper_open(&p, &report_json, VERB_LIST);
		req = p.req;
		script_say(bad[i]);
		assert_int_equal(remote_list(c, &req, &p.r, err), STATUS_PARTIAL);
		assert_non_null(strstr(err, "is not understood"));
		paper_close(&p);
		script_again();
	}
}

/* --- whom to ask ------------------------------------------------------------------------------ */

/* One who accepts one caller and says what he is told to, whatever is asked. */
static pid_t answerer(int fd, const char *reply)
{
	pid_t child = fork();
	char text[512];

	if (child == 0) {
		int caller = accept(fd, NULL, NULL);

		if (recv(caller, text, sizeof(text), 0) > 0 && *reply)
			send(caller, reply, strlen(reply) + 1, MSG_NOSIGNAL);
		_exit(0);
	}
	return child;
}

/* Who is there and no use is named, with what was not done, and where it could be done instead. */
static void test_not_ready(int fd, const char *path)
{
	static const struct {
		const char *reply, *said;
	} cases[] = {
		{ "HTTP/1.1 400 Bad Request", "no JSON" },
		{ "{\"error\":\"io.sever.Busy\",\"parameters\":{\"message\":\"too many connections\"}}", "too many connections" },
		{ "", "severd hung up" },
	};
	struct options o = { .request.verb = VERB_KILL, .socket = path };

	for (size_t i = 0; i < array_size(cases) * 2; i++) {
		pid_t child = answerer(fd, cases[i / 2].reply);
		struct client *severd = NULL;

		o.resident = i % 2 ? "--fence" : NULL;
		assert_int_equal(remote_open(&o, &severd, err), STATUS_NO_DAEMON);
		assert_null(severd);
		assert_ptr_equal(strstr(err, path), err);
		assert_non_null(strstr(err, cases[i / 2].said));
		assert_non_null(strstr(err, "; nothing was touched"));
		assert_int_equal(strstr(err, "--direct") != NULL, !o.resident);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
}

/* One who says nothing is asked whether he is there, and for nothing that he might do when we are gone. */
static void test_mute(void **state)
{
	_cleanup_(json_decrefp) json_t *asked = NULL;
	char byte;

	(void)state;
	assert_int_equal(remote_greet(c, 30, err), -ETIMEDOUT);
	asked = script_asked();
	assert_string_equal(json_string_value(json_object_get(asked, "method")), "org.varlink.service.GetInfo");
	assert_int_equal(recv(far, &byte, 1, MSG_DONTWAIT), -1);
	script_say("{\"parameters\":{\"product\":\"severd\"}}");
	assert_int_equal(remote_greet(c, 1000, err), 0);
}

static void test_open(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct options o = { .direct = true, .request.verb = VERB_KILL };
	char dir[] = "/tmp/sever.XXXXXX", path[64];
	struct client *severd = NULL;
	pid_t child;

	(void)state;
	assert_int_equal(remote_open(&o, &severd, err), STATUS_OK);
	assert_null(severd);
	o.resident = "--no-wait";
	assert_int_equal(remote_open(&o, &severd, err), STATUS_NO_DAEMON);
	assert_non_null(strstr(err, "--no-wait needs severd"));
	assert_non_null(strstr(err, "nothing was touched"));
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	o = (struct options){ .socket = path };
	assert_int_equal(remote_open(&o, &severd, err), STATUS_NO_DAEMON);
	assert_non_null(strstr(err, path));
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(remote_open(&o, &severd, err), STATUS_NO_DAEMON); /* a stale file */
	assert_null(severd);
	assert_int_equal(listen(fd, 1), 0);
	child = answerer(fd, "{}");
	assert_int_equal(remote_open(&o, &severd, err), STATUS_OK);
	assert_non_null(severd);
	client_close(severd);
	assert_int_equal(waitpid(child, NULL, 0), child);
	test_not_ready(fd, path);
	o.socket = "/too/long/012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678";
	assert_int_equal(remote_open(&o, &severd, err), STATUS_USAGE);
	assert_non_null(strstr(err, "not a path"));
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_list), S(test_list_nothing), S(test_list_nonsense), S(test_open), S(test_mute),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run("remote_list", tests, NULL);
}
