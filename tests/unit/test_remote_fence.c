// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_remote_fence.c - what is asked of severd about fences, what its answers look like, and that what is no answer is
 * not shown as one. */
#include "cli/remote.h"
#include "cli/remote_fence.h"
#include "cli/told_fence.h"
#include "paper.h"
#include "script.h"

#include "unit.h"

#define UNTIL "2026-11-21T03:12:07.500000Z"
#define F12                                                                                                     \
	"{\"fence\":\"f12\",\"selectors\":[\"--user alice\",\"--client 10.0.0.0/8\"],\"reason\":\"a\\u001bb\"," \
	"\"uid\":0,\"login_uid\":1000,\"pid\":77,\"request\":null,\"since\":\"2026-11-21T03:02:07.500000Z\","   \
	"\"until\":\"" UNTIL "\",\"remaining_ms\":599999,\"refused\":214,"                                      \
	"\"last\":\"2026-11-21T03:02:08.000000Z\",\"last_addr\":\"10.0.0.7\",\"last_port\":50514,"              \
	"\"notes\":[\"no \\u001boutbound\"],\"lifted_by\":{\"uid\":1000,\"login_uid\":1000,\"pid\":78}}"
#define F3                                                                                                     \
	"{\"fence\":\"f3\",\"selectors\":[\"--client \\u001b[2J\"],\"uid\":0,"                                 \
	"\"since\":\"2026-11-21T03:02:07.500000Z\",\"until\":\"" UNTIL "\",\"remaining_ms\":10,\"refused\":0," \
	"\"notes\":[],\"future\":1}"
#define F3_TOLD                                                                                                   \
	"{\"fence\":\"f3\",\"selectors\":[\"--client \\u001B[2J\"],\"reason\":null,\"uid\":0,\"login_uid\":null," \
	"\"pid\":null,\"request\":null,\"since\":\"2026-11-21T03:02:07.500000Z\",\"until\":\"" UNTIL "\","        \
	"\"remaining_ms\":10,\"refused\":0,\"last\":null,\"last_addr\":null,\"last_port\":null,\"notes\":[],\"lifted_by\":null}\n"

typedef enum status (*fence_verb)(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err);
static const struct {
	const char *method;
	fence_verb run;
} verbs[] = {
	{ "io.sever.FenceAdd", remote_fence_add },
	{ "io.sever.FenceList", remote_fence_list },
	{ "io.sever.FenceLift", remote_fence_lift },
};
enum { ADD, LIST, LIFT };

static struct options options(bool json)
{
	return (struct options){ .json = json,
				 .request = { .selectors = &by_alice, .n_selectors = 1, .fence_ms = 600000 } };
}

/* What was printed, and noted. To be freed. */
struct said {
	char *out, *notes;
};

static void said_clear(struct said *s)
{
	free(s->out);
	free(s->notes);
}

static struct said run(int verb, const struct options *o, enum status wanted)
{
	size_t n_out, n_notes;
	struct said s = { 0 };
	FILE *out = open_memstream(&s.out, &n_out), *notes = open_memstream(&s.notes, &n_notes);
	enum status status = verbs[verb].run(c, o, out, notes, err);

	fclose(out);
	fclose(notes);
	if (status != wanted)
		fail_msg("%s: status %d, \"%s\"", verbs[verb].method, status, err);
	return s;
}

static void says(int verb, const struct options *o, const char *reply, const char *out, const char *notes)
{
	_cleanup_(said_clear) struct said s = { 0 };

	script_say(reply);
	s = run(verb, o, STATUS_OK);
	assert_string_equal(err, "");
	assert_string_equal(s.out, out);
	assert_string_equal(s.notes, notes);
	script_again();
}

static void test_text(void **state)
{
	struct options o = options(false);

	(void)state;
	says(ADD, &o, "{\"parameters\":{\"fence\":" F12 "}}",
	     "fence f12 up until 2026-11-21 03:12:07 (10m): --user alice --client 10.0.0.0/8\n",
	     "note: f12: no \\x1boutbound\n");
	says(LIST, &o, "{\"parameters\":{\"fences\":[" F3 "," F12 "]}}",
	     "FENCE  UNTIL                LEFT    REFUSED  LAST             WHOM                  REASON\n"
	     "f3     2026-11-21 03:12:07  10ms    0        -                --client \\x1b[2J      -\n"
	     "f12    2026-11-21 03:12:07  9m59s   214      10.0.0.7:50514   "
	     "--user alice --client 10.0.0.0/8  a\\x1bb\n",
	     "note: f12: no \\x1boutbound\n");
	says(LIFT, &o, "{\"parameters\":{\"fences\":[" F12 "," F3 "]}}",
	     "fence f12 lifted: --user alice --client 10.0.0.0/8, 214 refused\n"
	     "fence f3 lifted: --client \\x1b[2J, 0 refused\n",
	     "");
}

/* One line for what is to be said of several; not all of many are named. */
static void test_notes(void **state)
{
	static char text[8192] = "{\"parameters\":{\"fences\":[";
	struct options o = options(false);
	_cleanup_(said_clear) struct said s = { 0 };

	(void)state;
	for (int i = 1; i <= 9; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used,
			 "%s{\"fence\":\"f%d\",\"selectors\":[\"--all\"],\"uid\":0,\"since\":\"" UNTIL
			 "\",\"until\":\"" UNTIL "\",\"remaining_ms\":10,\"refused\":0,\"notes\":[%s\"o\\u001b\"]}",
			 i > 1 ? "," : "", i, i % 4 == 0 ? "\"p\"," : "");
	}
	strcat(text, "]}}");
	script_say(text);
	s = run(LIST, &o, STATUS_OK);
	assert_string_equal(s.notes, "note: f1, f2, f3, f4, f5 and 4 more: o\\x1b\nnote: f4, f8: p\n");
}

/* A line for each, every key there, what is not known null; nothing that draws on a terminal. */
static void test_json(void **state)
{
	_cleanup_(json_decrefp) json_t *told = json_loads(F12, 0, NULL), *back = NULL;
	_cleanup_(said_clear) struct said s = { 0 };
	struct options o = options(true);

	(void)state;
	says(ADD, &o, "{\"parameters\":{\"fence\":" F3 "}}", F3_TOLD, "");
	says(LIFT, &o, "{\"parameters\":{\"fences\":[" F3 "]}}", F3_TOLD, "");
	says(LIST, &o, "{\"parameters\":{\"fences\":[" F3 "]}}", F3_TOLD "{\"summary\":{\"listed\":1}}\n", "");
	script_say("{\"parameters\":{\"fence\":" F12 "}}");
	s = run(ADD, &o, STATUS_OK);
	back = json_loads(s.out, 0, NULL);
	assert_true(json_equal(told, back));
	for (const char *p = s.out; *p; p++)
		assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
}

/* A list that does not fit into one message. */
static void test_parts(void **state)
{
	struct options o = options(true);

	(void)state;
	script_say("{\"parameters\":{\"fences\":[" F3 "]},\"continues\":true}");
	says(LIFT, &o, "{\"parameters\":{\"fences\":[" F3 "]}}", F3_TOLD F3_TOLD, "");
	script_say("{\"parameters\":{\"fences\":[" F3 "]},\"continues\":true}");
	says(LIST, &o, "{\"parameters\":{\"fences\":[" F3 "]}}", F3_TOLD F3_TOLD "{\"summary\":{\"listed\":2}}\n", "");
}

static void test_none(void **state)
{
	static const char none[] = "{\"parameters\":{\"fences\":[]}}";
	struct options o = options(false);

	(void)state;
	for (int verb = LIST; verb <= LIFT; verb++) {
		_cleanup_(said_clear) struct said s = { 0 };

		script_say(none);
		s = run(verb, &o, STATUS_NO_MATCH);
		assert_string_equal(s.out, "");
		assert_non_null(strstr(err, "fence"));
		script_again();
	}
	o.request.n_selectors = 0;
	says(LIST, &o, none, "", "no fence stands\n");
	o.json = true;
	says(LIST, &o, none, "{\"summary\":{\"listed\":0}}\n", "");
}

static void asks(int verb, const struct options *o, const char *want)
{
	_cleanup_(said_clear) struct said s = { 0 };
	_cleanup_(json_decrefp) json_t *call = NULL;
	_free_ char *text = NULL;

	script_say("{\"error\":\"io.sever.Busy\"}");
	s = run(verb, o, STATUS_NO_DAEMON);
	call = script_asked();
	assert_string_equal(json_string_value(json_object_get(call, "method")), verbs[verb].method);
	text = json_dumps(json_object_get(call, "parameters"), JSON_COMPACT);
	assert_string_equal(text, want);
	script_again();
}

#define ALICE "\"selectors\":[{\"kind\":\"user\",\"value\":\"alice\"}]"

static void test_asks(void **state)
{
	struct options o = options(false);

	(void)state;
	asks(ADD, &o, "{" ALICE ",\"for_ms\":600000}");
	o.request.reason = "why";
	o.request.include_self = o.request.yes = true;
	asks(ADD, &o, "{" ALICE ",\"for_ms\":600000,\"reason\":\"why\",\"include_self\":true,\"yes\":true}");
	asks(LIST, &o, "{" ALICE "}");
	asks(LIFT, &o, "{" ALICE "}");
	o.request.n_selectors = 0;
	o.fence = "f12";
	asks(LIST, &o, "{}");
	asks(LIFT, &o, "{\"fence\":\"f12\"}");
}

/* What cannot be said to severd is not asked. */
static void test_not_asked(void **state)
{
	const struct selector odd = { .kind = SEL_USER, .text = "\xff" };
	struct options o = options(false);
	char byte;

	(void)state;
	o.request.selectors = &odd;
	for (int verb = ADD; verb <= LIFT; verb++) {
		_cleanup_(said_clear) struct said s = run(verb, &o, STATUS_USAGE);

		assert_string_equal(s.out, "");
		assert_non_null(strstr(err, "UTF-8"));
		assert_null(strstr(err, "--direct")); /* there is no such way */
		assert_int_equal(recv(far, &byte, 1, MSG_DONTWAIT), -1);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *error, *parameters;
		enum status status;
		const char *sentence;
	} cases[] = {
		{ "io.sever.NotFound", "{\"what\":\"fence\",\"message\":\"no fence f12\"}", STATUS_NO_MATCH,
		  "no fence f12" },
		{ "io.sever.InvalidParameter", "{\"message\":\"--pid is no fence\"}", STATUS_USAGE,
		  "--pid is no fence" },
		{ "io.sever.PermissionDenied", "{\"message\":\"m\"}", STATUS_DENIED, "m" },
		{ "io.sever.KernelCannot", "{\"message\":\"m\"}", STATUS_KERNEL, "m" },
		{ "io.sever.Guard", "{\"guard\":\"protect\",\"message\":\"10.0.0.1/32 is protected\"}", STATUS_GUARD,
		  "protected" },
		{ "org.varlink.service.MethodNotFound", "{\"method\":\"io.sever.FenceAdd\"}", STATUS_NO_DAEMON,
		  "io.sever.FenceAdd" },
	};
	struct options o = options(true);

	(void)state;
	for (size_t i = 0; i < array_size(cases) * 3; i++) {
		_cleanup_(said_clear) struct said s = { 0 };
		char text[256];

		snprintf(text, sizeof(text), "{\"error\":\"%s\",\"parameters\":%s}", cases[i / 3].error,
			 cases[i / 3].parameters);
		script_say(text);
		s = run(i % 3, &o, cases[i / 3].status);
		assert_non_null(strstr(err, cases[i / 3].sentence));
		assert_string_equal(s.out, "");
		assert_string_equal(s.notes, "");
		script_again();
	}
}

static void test_nonsense(void **state)
{
	static const char *const replies[] = {
		"{\"parameters\":{}}",
		"{\"parameters\":{\"fence\":[],\"fences\":{}}}",
		"{\"parameters\":{\"fence\":\"f12\",\"fences\":[\"f12\"]}}",
		"{\"parameters\":{\"fence\":{},\"fences\":[{}]}}",
		"{\"parameters\":7}",
		"{\"error\":7}",
	};
	struct options o = options(false);

	(void)state;
	for (size_t i = 0; i < array_size(replies) * 3; i++) {
		_cleanup_(said_clear) struct said s = { 0 };

		script_say(replies[i / 3]);
		s = run(i % 3, &o, STATUS_PARTIAL);
		if (!strstr(err, "severd"))
			fail_msg("%s: \"%s\"", replies[i / 3], err);
		assert_string_equal(s.out, "");
		script_again();
	}
}

/* Each member of a whole fence is made wrong in turn. */
static void test_members(void **state)
{
	static const char *const nullable[] = { "reason", "login_uid", "pid",	   "request",
						"last",	  "last_addr", "last_port", "lifted_by" };
	_cleanup_(json_decrefp) json_t *whole = json_loads(F12, 0, NULL);
	struct told_fence t;
	const char *key, *bad;
	json_t *value;
	void *next;

	(void)state;
	assert_int_equal(decode_fence(whole, &t, &bad), 0);
	json_object_foreach_safe(whole, next, key, value)
	{
		_cleanup_(json_decrefp) json_t *other = json_deep_copy(whole);
		bool may_be_absent = false;

		for (size_t i = 0; i < array_size(nullable); i++)
			may_be_absent |= !strcmp(key, nullable[i]);
		bad = "";
		json_object_del(other, key);
		assert_int_equal(decode_fence(other, &t, &bad), may_be_absent ? 0 : -EBADMSG);
		assert_string_equal(bad, may_be_absent ? "" : key);
		json_object_set_new(other, key, json_pack("[i]", 1));
		assert_int_equal(decode_fence(other, &t, &bad), -EBADMSG);
		assert_string_equal(bad, key);
	}
	json_object_set_new(whole, "until", json_string("tomorrow"));
	assert_int_equal(decode_fence(whole, &t, &bad), -EBADMSG);
	assert_string_equal(bad, "until");
}

/* It may have been done: who looks knows. */
static void test_hung_up(void **state)
{
	struct options o = options(false);

	(void)state;
	for (int verb = ADD; verb <= LIFT; verb++) {
		_cleanup_(said_clear) struct said s = { 0 };

		script_end();
		s = run(verb, &o, STATUS_PARTIAL);
		assert_non_null(strstr(err, "severd hung up"));
		assert_int_equal(strstr(err, "sever fence list") != NULL, verb != LIST);
		script_again();
	}
}

/* --- a kill with a fence ---------------------------------------------------------------------- */

#define SUMMARY                                                                                                     \
	"{\"request\":\"x\",\"matched\":0,\"dead\":0,\"alive\":0,\"stale\":0,\"denied\":0,\"unsupported\":0,"       \
	"\"spared\":0,\"reconnected\":0,\"stage\":null,\"elapsed_ms\":1.0,\"planned\":0,\"unattributed\":0,"        \
	"\"age_unknown\":0,\"discarded\":0,\"owners\":null,\"interrupted\":false,\"reason\":null,\"selectors\":[]," \
	"\"notes\":[],\"fence\":\"f12\"}"

static void kills(const struct report_ops *ops, bool quiet, const char *then, const char *want)
{
	_cleanup_(json_decrefp) json_t *asked = NULL;
	struct options o = options(ops == &report_json);
	struct paper p;

	paper_open(&p, ops, VERB_KILL);
	o.request = p.req;
	o.request.fence_ms = 600000;
	o.quiet = p.r.quiet = quiet;
	script_say("{\"parameters\":{\"summary\":" SUMMARY ",\"status\":0}}");
	if (then)
		script_say(then);
	assert_int_equal(remote_kill(c, &o, &p.r, err), STATUS_OK);
	assert_string_equal(err, "");
	fflush(p.r.out);
	assert_string_equal(strstr(p.out, "{\"summary\"") ? strstr(p.out, "\"fence\"") : p.out, want);
	fflush(p.r.err);
	assert_string_equal(p.err, "");
	asked = script_asked();
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json_object_get(asked, "parameters"), "options"), "fence_ms")),
			 600000);
	paper_close(&p);
	script_again();
}

static void test_kill(void **state)
{
	(void)state;
	kills(&report_text, false, "{\"parameters\":{\"fences\":[" F3 "," F12 "]}}",
	      "fence f12 stands until 2026-11-21 03:12:07\n");
	kills(&report_text, false, "{\"parameters\":{\"fences\":[" F3 "]}}", "fence f12 has ended already\n");
	/* severd does not tell */
	kills(&report_text, false, "{\"error\":\"io.sever.PermissionDenied\"}", "fence f12 stands\n");
	kills(&report_text, false, "{\"parameters\":{\"fences\":[1]}}", "fence f12 stands\n");
	kills(&report_text, true, NULL, "");
	kills(&report_json, false, NULL, "\"fence\":\"f12\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_text),	S(test_json),	  S(test_parts),   S(test_none),    S(test_asks), S(test_not_asked),
		S(test_errors), S(test_nonsense), S(test_members), S(test_hung_up), S(test_kill), S(test_notes),
	};

	setenv("TZ", "UTC", 1);
	alarm(60); /* what is broken here may wait for ever */
	return unit_run("remote_fence", tests, NULL);
}
