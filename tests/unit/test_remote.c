// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_remote.c - a request that severd does is reported as one that was done here; what it refuses is refused. */
#include "cli/remote.h"
#include "paper.h"
#include "script.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

static const struct report_ops *const formats[] = { &report_json, &report_text };
static volatile sig_atomic_t stop;

static struct options options(struct paper *p, enum verb verb)
{
	struct options o = { .request = p->req, .json = p->r.ops == &report_json };

	o.request.verb = verb;
	o.request.timeout_ms = 1000;
	o.request.stop = &stop;
	stop = 0;
	return o;
}

static const struct summary *a_summary(struct paper *p)
{
	static const char *const notes[] = { "a \"note\"", "another\x1b[2J" };
	static struct summary s = { .matched = 3,
				    .dead = 1,
				    .alive = 1,
				    .spared = 1,
				    .reconnected = 1,
				    .unattributed = 2,
				    .age_unknown = 3,
				    .discarded = 12,
				    .stage = STAGE_DEAD,
				    .staged = true,
				    .already = true,
				    .interrupted = true,
				    .elapsed_ms = 3.125,
				    .owners = "proc",
				    .subject = "alice",
				    .notes = notes,
				    .n_notes = 2 };

	s.request = &p->req;
	return &s;
}

/* What the pipeline would say. */
static void report_all(struct paper *p, const struct report_ops *ops)
{
	struct flow f = make_flow(), other = make_unknown();

	paper_open(p, ops, VERB_KILL);
	report_begin(&p->r, &p->req);
	report_session(&p->r, &alices, "alice");
	report_flow(&p->r, &f, &procs, &sessions);
	report_flow(&p->r, &other, NULL, NULL);
	f.outcome = OUT_NONE;
	report_reconnected(&p->r, &f, &procs, &sessions);
	paper_end(p, a_summary(p));
}

/* The same, said by severd. last: what comes with the summary. */
static void say_all(const char *last)
{
	struct paper p;
	char *line, *save = NULL;

	report_all(&p, &report_json);
	for (line = strtok_r(p.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		_cleanup_(json_decrefp) json_t *o = json_loads(line, 0, NULL);
		json_t *cut = json_object_get(o, "session_cut"), *summary = json_object_get(o, "summary");

		assert_non_null(o);
		if (summary)
			script_put("summary", summary, last, false);
		else
			script_put(cut ? "cut" : "flow", cut ? cut : o, "}", true);
	}
	paper_close(&p);
}

static void test_kill(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(formats); i++) {
		_cleanup_(json_decrefp) json_t *asked = NULL;
		struct paper here, there;
		struct options o;

		report_all(&here, formats[i]);
		paper_open(&there, formats[i], VERB_KILL);
		o = options(&there, VERB_KILL);
		script_say("{\"parameters\":{\"accepted\":{\"request\":\"x\",\"matched\":3}},\"continues\":true}");
		say_all(",\"status\":3}");
		assert_int_equal(remote_kill(c, &o, &there.r, err), STATUS_PARTIAL);
		fflush(there.r.err);
		assert_string_equal(err, "");
		assert_string_equal(there.out, here.out);
		assert_string_equal(there.err, here.err);
		asked = script_asked();
		assert_string_equal(json_string_value(json_object_get(asked, "method")), "io.sever.Kill");
		assert_true(json_is_true(json_object_get(asked, "more")));
		paper_close(&here);
		paper_close(&there);
		script_again();
	}
}

/* What cannot be said to severd is not said, and can be done without it. */
static void test_not_asked(void **state)
{
	static struct selector crowd[20000];
	const struct selector odd = { .kind = SEL_USER, .text = "\xff" };
	struct paper p;
	struct options o;
	char byte;

	(void)state;
	for (size_t i = 0; i < array_size(crowd); i++)
		crowd[i] = (struct selector){ .kind = SEL_USER, .text = "alice" };
	for (int i = 0; i < 8; i++) {
		paper_open(&p, &report_json, i & 2 ? VERB_LIST : VERB_KILL);
		o = options(&p, p.req.verb);
		o.request.selectors = i & 1 ? crowd : &odd;
		o.request.n_selectors = i & 1 ? array_size(crowd) : 1;
		o.resident = i & 4 ? "--no-wait" : NULL;
		assert_int_equal(i & 2 ? remote_list(c, &o.request, &p.r, err) : remote_kill(c, &o, &p.r, err), STATUS_USAGE);
		assert_non_null(strstr(err, i & 1 ? "more than one call of severd takes" : "UTF-8"));
		assert_int_equal(strstr(err, "nothing was touched") != NULL, !(i & 2));
		assert_int_equal(strstr(err, "--direct") != NULL, !(i & 4) || i & 2);
		assert_ptr_equal(strstr(p.out, "{\"summary\":{"), p.out);
		assert_int_equal(recv(far, &byte, 1, MSG_DONTWAIT), -1);
		paper_close(&p);
	}
}

/* What was carried out but for the caller's own. */
static void test_spared(void **state)
{
	struct paper p;
	struct options o;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	o = options(&p, VERB_KILL);
	say_all(",\"status\":6,\"message\":\"spared: yours\"}");
	assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_GUARD);
	assert_string_equal(err, "spared: yours");
	paper_close(&p);
}

/* An error that carries the summary. */
static void test_partial(void **state)
{
	_cleanup_(json_decrefp) json_t *o = NULL;
	struct paper here, there;
	struct options opt;
	_free_ char *text = NULL;

	(void)state;
	paper_open(&here, &report_json, VERB_KILL);
	report_begin(&here.r, &here.req);
	paper_end(&here, a_summary(&here));
	assert_true(asprintf(&text, "{\"error\":\"io.sever.Partial\",\"parameters\":{\"message\":\"not verified\",%s",
			     here.out + 1) > 0);
	*strchr(text, '\n') = '}';
	script_say(text);
	paper_open(&there, &report_json, VERB_KILL);
	opt = options(&there, VERB_KILL);
	assert_int_equal(remote_kill(c, &opt, &there.r, err), STATUS_PARTIAL);
	assert_string_equal(err, "not verified");
	assert_string_equal(there.out, here.out);
	paper_close(&here);
	paper_close(&there);
}

/* Each error of the interface. A listing has no guard, but no error of severd may be taken for success. */
static void test_errors(void **state)
{
	static const struct {
		const char *error, *parameters;
		enum status status;
		const char *sentence;
	} cases[] = {
		{ "io.sever.NotFound", "{\"message\":\"no such user: bob\",\"what\":\"user\"}", STATUS_NO_MATCH,
		  "no such user: bob" },
		{ "io.sever.InvalidParameter", "{\"message\":\"m\"}", STATUS_USAGE, "m" },
		{ "io.sever.TooLarge", "{\"limit\":7}", STATUS_USAGE, "TooLarge" },
		{ "io.sever.Partial", "{\"message\":\"m\"}", STATUS_PARTIAL, "m" },
		{ "io.sever.NoMemory", "{}", STATUS_PARTIAL, "NoMemory" },
		{ "io.sever.Failed", "{\"message\":1}", STATUS_PARTIAL, "Failed" },
		{ "io.sever.Malformed", "{\"message\":\"m\"}", STATUS_PARTIAL, "m" },
		{ "io.sever.PermissionDenied", "{\"message\":\"m\",\"session\":\"3\"}", STATUS_DENIED, "m" },
		{ "io.sever.KernelCannot", "{\"message\":\"m\"}", STATUS_KERNEL, "m" },
		{ "io.sever.Guard", "{\"message\":\"m\",\"guard\":\"max\"}", STATUS_GUARD, "m" },
		{ "io.sever.Busy", "{\"message\":\"m\"}", STATUS_NO_DAEMON, "m" },
		{ "io.sever.Strange", "{}", STATUS_PARTIAL, "io.sever.Strange" },
		{ "org.varlink.service.InvalidParameter", "{\"parameter\":\"verb\"}", STATUS_USAGE, "verb" },
		{ "org.varlink.service.PermissionDenied", "{}", STATUS_DENIED, "denied" },
		{ "org.varlink.service.MethodNotFound", "{\"method\":\"io.sever.Kill\"}", STATUS_NO_DAEMON,
		  "io.sever.Kill" },
		{ "org.varlink.service.InterfaceNotFound", "{\"interface\":\"io.sever\"}", STATUS_NO_DAEMON,
		  "io.sever" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases) * 2; i++) {
		bool listing = i % 2;
		struct paper p;
		struct options o;
		char text[256];
		enum status s;

		paper_open(&p, &report_json, listing ? VERB_LIST : VERB_KILL);
		o = options(&p, p.req.verb);
		snprintf(text, sizeof(text), "{\"error\":\"%s\",\"parameters\":%s}", cases[i / 2].error,
			 cases[i / 2].parameters);
		script_say(text);
		s = listing ? remote_list(c, &o.request, &p.r, err) : remote_kill(c, &o, &p.r, err);
		if (s != cases[i / 2].status || !strstr(err, cases[i / 2].sentence))
			fail_msg("%s: status %d, \"%s\"", text, s, err);
		/* the last line is there, whatever came of it */
		assert_ptr_equal(strstr(p.out, "{\"summary\":{"), p.out);
		paper_close(&p);
		script_again();
	}
}

/* What severd may not say is not believed, and not shown. */
static void test_nonsense(void **state)
{
	static const struct {
		const char *reply, *named;
	} cases[] = {
		{ "{\"parameters\":{}}", "Kill.summary" },
		{ "{\"parameters\":{\"summary\":{},\"status\":0}}", "summary.elapsed_ms" },
		{ "{\"parameters\":{\"summary\":[],\"status\":0}}", "Kill.summary" },
		{ "{\"parameters\":{\"summary\":{}}}", "Kill.status" },
		{ "{\"parameters\":{\"summary\":{},\"status\":8}}", "Kill.status" },
		{ "{\"parameters\":{\"summary\":{},\"status\":-1}}", "Kill.status" },
		{ "{\"parameters\":{\"accepted\":3},\"continues\":true}", "Kill.accepted" },
		{ "{\"parameters\":{\"accepted\":{}},\"continues\":true}", "accepted.matched" },
		{ "{\"parameters\":{\"cut\":{}},\"continues\":true}", "cut.session" },
		{ "{\"parameters\":{\"flow\":{}},\"continues\":true}", "flow.flow" },
		{ "{\"parameters\":{\"flow\":\"xxx\"},\"continues\":true}", "Kill.flow" },
		{ "{\"error\":\"io.sever.Partial\",\"parameters\":{\"summary\":{\"dead\":-1}}}", "summary." },
		{ "{\"error\":7}", "varlink" },
		{ "[]", "JSON" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct paper p;
		struct options o;

		paper_open(&p, &report_json, VERB_KILL);
		o = options(&p, VERB_KILL);
		script_say(cases[i].reply);
		assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_PARTIAL);
		if (!strstr(err, cases[i].named))
			fail_msg("%s: \"%s\" does not name %s", cases[i].reply, err, cases[i].named);
		fflush(p.r.out);
		assert_null(strstr(p.out, "summary"));
		paper_close(&p);
		script_again();
	}
}

/* --- --no-wait, and who does not want to wait any longer -------------------------------------- */

#define ACCEPTED "{\"parameters\":{\"accepted\":{\"request\":\"x\",\"matched\":4}},\"continues\":true}"
#define ID "6d1c0e9a-0000-4000-8000-000000000001"

static void test_no_wait(void **state)
{
	static const char *const said[] = { "{\"accepted\":{\"request\":\"" ID "\",\"matched\":4}}\n",
					    "accepted " ID ", 4 connections\n", "" };

	(void)state;
	for (size_t i = 0; i < array_size(said); i++) {
		struct paper p;
		struct options o;

		paper_open(&p, i ? &report_text : &report_json, VERB_KILL);
		o = options(&p, VERB_KILL);
		o.no_wait = true;
		o.quiet = i == 2;
		script_say("{\"parameters\":{},\"continues\":true}"); /* says nothing: one more is waited for */
		script_say(ACCEPTED);
		assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_OK);
		assert_string_equal(err, "");
		fflush(p.r.out);
		assert_string_equal(p.out, said[i]);
		paper_close(&p);
		script_again();
	}
}

/* Refused, it is not accepted; and what had ended long ago is told at once. */
static void test_no_wait_at_once(void **state)
{
	struct paper p;
	struct options o;

	(void)state;
	paper_open(&p, &report_text, VERB_KILL);
	o = options(&p, VERB_KILL);
	o.no_wait = true;
	script_say("{\"error\":\"io.sever.PermissionDenied\",\"parameters\":{\"message\":\"not yours\"}}");
	assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_DENIED);
	assert_string_equal(err, "not yours");
	script_again();
	say_all(",\"status\":0}");
	assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_OK);
	fflush(p.r.out);
	assert_null(strstr(p.out, "accepted"));
	paper_close(&p);
}

static void on_alarm(int sig)
{
	(void)sig;
	stop = 1;
}

/* A signal while there is nothing to hear, and severd's end. */
static void test_left_alone(void **state)
{
	struct sigaction before;
	struct paper p;
	struct options o;

	(void)state;
	for (int i = 0; i < 2; i++) {
		paper_open(&p, &report_json, VERB_KILL);
		o = options(&p, VERB_KILL);
		o.request.fence_ms = 60000 * i;
		script_say(ACCEPTED);
		if (i == 0) {
			sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_alarm, .sa_flags = SA_RESTART },
				  &before);
			if (fork() == 0) {
				script_wait();
				poll(NULL, 0, 50);
				kill(getppid(), SIGUSR1);
				_exit(0);
			}
		} else {
			script_end();
		}
		assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_PARTIAL);
		if (i == 0) {
			wait(NULL);
			sigaction(SIGUSR1, &before, NULL);
		}
		assert_non_null(strstr(err, i ? "may go on" : "goes on"));
		assert_non_null(strstr(err, ID));
		assert_non_null(strstr(err, "GetRequest"));
		assert_int_equal(!!strstr(err, "sever fence list"), i);
		fflush(p.r.out);
		assert_string_equal(p.out, "{\"accepted\":{\"request\":\"" ID "\",\"matched\":4}}\n");
		paper_close(&p);
		script_again();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_kill),	     S(test_partial),	     S(test_errors),	S(test_nonsense),
		S(test_no_wait),     S(test_no_wait_at_once), S(test_left_alone), S(test_spared),
		S(test_not_asked),
	};

	alarm(60); /* what is broken here may wait for ever */
	return unit_run("remote", tests, NULL);
}
