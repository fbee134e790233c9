// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_service.c - each message gets the answer that the protocol has for it, on paper instead of a socket. */
#include "toy.h"
#include "varlink/frame.h"
#include "varlink/interface.h"

#include "unit.h"

/* A caller that hears all at once. */
static struct paper {
	struct transport t;
	struct service s;
	struct toy toy;
	struct peer peer;
	char *said; /* the last message */
	size_t n, n_idle;
	int refuse; /* what continuing replies get */
	bool broken;
} paper;

static int paper_send(struct transport *t, const json_t *message, bool must)
{
	(void)t;
	if (!message) {
		paper.broken = true;
		return 0;
	}
	if (paper.refuse && !must)
		return paper.refuse;
	free(paper.said);
	paper.said = json_dumps(message, JSON_COMPACT);
	paper.n++;
	return 0;
}

static bool paper_room(const struct transport *t)
{
	(void)t;
	return !paper.refuse;
}

static void paper_idle(struct transport *t)
{
	assert_null(t->call);
	paper.n_idle++;
}

static int set_up(void **state)
{
	(void)state;
	paper = (struct paper){
		.t = { .has_room = paper_room, .send = paper_send, .idle = paper_idle, .peer = &paper.peer },
		.s = { .io = &toy_methods, .arg = &paper.toy },
		.toy = { .service = &paper.s },
		.peer = { .refs = 1, .uid = 7, .pidfd = -1 }
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	transport_gone(&paper.t);
	free(paper.said);
	return paper.peer.refs == 1 && !paper.toy.held && !paper.s.n_oneway ? 0 : -1;
}

static int say(const char *text)
{
	free(paper.said);
	paper.said = NULL;
	return service_handle(&paper.s, &paper.t, text, strlen(text));
}

/* Says text, and gets answer and nothing more. */
#define answers(text, answer)                            \
	do {                                             \
		paper.n = 0;                             \
		assert_int_equal(say(text), 0);          \
		assert_non_null(paper.said);             \
		assert_string_equal(paper.said, answer); \
		assert_int_equal(paper.n, 1);            \
		assert_null(paper.t.call);               \
	} while (0)

#define INVALID(p) "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"" p "\"}}"
#define CALL(m, p) "{\"method\":\"" m "\",\"parameters\":" p "}"
#define UUID "6f1a2b3c-0000-4000-8000-000000000001"

static void test_info(void **state)
{
	(void)state;
	answers("{\"method\":\"org.varlink.service.GetInfo\"}",
		"{\"parameters\":{\"vendor\":\"sever\",\"product\":\"severd\",\"version\":\"" SEVER_VERSION
		"\",\"url\":\"\","
		"\"interfaces\":[\"org.varlink.service\",\"io.sever\"]}}");
	answers(CALL("org.varlink.service.GetInfo", "{\"a\":1}"), INVALID("a"));
	answers(CALL("org.varlink.service.GetInterfaceDescription", "{}"), INVALID("interface"));
	answers(CALL("org.varlink.service.GetInterfaceDescription", "{\"interface\":1}"), INVALID("interface"));
	answers(CALL("org.varlink.service.GetInterfaceDescription", "{\"interface\":\"io.sever2\"}"),
		"{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"io.sever2\"}}");
	answers("{\"method\":\"org.varlink.service.Foo\"}", "{\"error\":\"org.varlink.service.MethodNotFound\","
							    "\"parameters\":{\"method\":\"org.varlink.service.Foo\"}}");
}

/* The text is that of the file, byte for byte. */
static void test_description(void **state)
{
	static const char *const names[] = { ORG_VARLINK_SERVICE, IO_SEVER };
	static const char *const texts[] = { interface_org_varlink_service, interface_io_sever };
	char call[256], line[64];

	(void)state;
	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_(json_decrefp) json_t *m = NULL;

		snprintf(call, sizeof(call),
			 CALL("org.varlink.service.GetInterfaceDescription", "{\"interface\":\"%s\"}"), names[i]);
		assert_int_equal(say(call), 0);
		m = json_loads(paper.said, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(json_object_get(m, "parameters"), "description")),
				    texts[i]);
		snprintf(line, sizeof(line), "\ninterface %s\n", names[i]);
		assert_non_null(strstr(texts[i], line));
	}
}

static void test_unknown(void **state)
{
	(void)state;
	answers("{\"method\":\"io.sever.Foo\"}",
		"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.sever.Foo\"}}");
	answers("{\"method\":\"io.sever.\"}",
		"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.sever.\"}}");
	answers("{\"method\":\"io.sever.more.List\"}", "{\"error\":\"org.varlink.service.InterfaceNotFound\","
						       "\"parameters\":{\"interface\":\"io.sever.more\"}}");
	answers("{\"method\":\"List\"}",
		"{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"List\"}}");
	answers("{\"method\":\"\"}",
		"{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"\"}}");
	answers(CALL("io.sever.GetRequest", "{\"request\":\"" UUID "\"}"),
		"{\"error\":\"org.varlink.service.MethodNotImplemented\",\"parameters\":{\"method\":\"io.sever."
		"GetRequest\"}}");
	assert_int_equal(paper.s.n_bad, 0);
}

/* What a caller made up comes back shortened, and never as half a character. */
static void test_long_names(void **state)
{
	char call[4096], name[1500];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(name, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(name); i += 2)
			memcpy(name + i, "\xc3\xa4", 3);
		snprintf(call, sizeof(call), "{\"method\":\"%s\"}", name);
		assert_int_equal(say(call), 0);
		assert_true(strlen(paper.said) < 300);
		snprintf(call, sizeof(call), "{\"method\":\"io.sever.%s\"}", name);
		assert_int_equal(say(call), 0);
		assert_true(strlen(paper.said) < 300);
		snprintf(call, sizeof(call), "{\"method\":\"%s.List\"}", name);
		assert_int_equal(say(call), 0);
		assert_non_null(strstr(paper.said, "InterfaceNotFound"));
		snprintf(call, sizeof(call), CALL("io.sever.List", "{\"%s\":1}"), name);
		assert_int_equal(say(call), 0);
		assert_non_null(strstr(paper.said, "InvalidParameter"));
		assert_true(strlen(paper.said) < 300);
		snprintf(call, sizeof(call), "{\"method\":\"io.sever.List\",\"%s\":1}", name);
		assert_int_equal(say(call), -EBADMSG);
		assert_true(strlen(paper.said) < 400);
	}
}

static void test_parameters(void **state)
{
	(void)state;
	answers(CALL("io.sever.List", "{\"what\":\"users\",\"selectors\":[{\"kind\":\"all\"}],\"limit\":1000}"),
		"{\"parameters\":{\"what\":\"users\",\"selectors\":[{\"kind\":\"all\"}],\"limit\":1000}}");
	answers(CALL("io.sever.List", "{\"what\":null,\"selectors\":[{\"kind\":\"user\",\"value\":null}]}"),
		"{\"parameters\":{\"selectors\":[{\"kind\":\"user\"}]}}");
	answers(CALL("io.sever.List", "null"), "{\"parameters\":{}}");
	answers(CALL("io.sever.List", "{\"what\":\"listeners\"}"), INVALID("what"));
	answers(CALL("io.sever.List", "{\"what\":1}"), INVALID("what"));
	answers(CALL("io.sever.List", "{\"limit\":0}"), INVALID("limit"));
	answers(CALL("io.sever.List", "{\"limit\":1001}"), INVALID("limit"));
	answers(CALL("io.sever.List", "{\"limit\":1.0}"), INVALID("limit"));
	answers(CALL("io.sever.List", "{\"limit\":\"1\"}"), INVALID("limit"));
	answers(CALL("io.sever.List", "{\"cursor\":\"\"}"), INVALID("cursor"));
	answers(CALL("io.sever.List", "{\"selectors\":{}}"), INVALID("selectors"));
	answers(CALL("io.sever.List", "{\"selectors\":[{\"kind\":\"user\"},1]}"), INVALID("selectors[1]"));
	answers(CALL("io.sever.List", "{\"selectors\":[{\"kind\":\"users\"}]}"), INVALID("selectors[0].kind"));
	answers(CALL("io.sever.List", "{\"selectors\":[{\"value\":\"a\"}]}"), INVALID("selectors[0].kind"));
	answers(CALL("io.sever.List", "{\"selectors\":[{\"kind\":\"user\",\"value\":[]}]}"),
		INVALID("selectors[0].value"));
	answers(CALL("io.sever.List", "{\"selectors\":[{\"kind\":\"user\",\"is\":1}]}"), INVALID("selectors[0].is"));
	answers(CALL("io.sever.List", "{\"selectors\":[null]}"), INVALID("selectors[0]"));
	answers(CALL("io.sever.Kill", "{\"verb\":\"kill\"}"), INVALID("selectors"));
	answers(CALL("io.sever.Kill", "{\"verb\":null,\"selectors\":[]}"), INVALID("verb"));
	answers(CALL("io.sever.Kill", "{\"verb\":\"kill\",\"selectors\":[],\"options\":{\"max\":0}}"),
		INVALID("options.max"));
	answers(CALL("io.sever.Kill", "{\"verb\":\"kill\",\"selectors\":[],\"options\":{\"yes\":1}}"),
		INVALID("options.yes"));
	answers(CALL("io.sever.Kill", "{\"verb\":\"kill\",\"selectors\":[],\"options\":[]}"), INVALID("options"));
	answers(CALL("io.sever.Kill", "{\"verb\":\"kill\",\"selectors\":[],\"request\":\"1\"}"), INVALID("request"));
	answers(CALL("io.sever.Doctor", "{\"a\":null}"), INVALID("a"));
	assert_int_equal(paper.toy.n_kill, 0);
}

/* Neither an answer nor a second chance. */
static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"GET / HTTP/1.1\r\n",
		"{}",
		"{\"method\":1}",
		"{\"method\":null}",
		"{\"method\":\"a.b\",\"x\":1}",
		"{\"method\":\"a.b\",\"parameters\":[]}",
		"{\"method\":\"a.b\",\"parameters\":1}",
		"{\"method\":\"a.b\",\"more\":1}",
		"{\"method\":\"a.b\",\"oneway\":null}",
		"{\"method\":\"a.b\",\"upgrade\":\"true\"}",
		"{\"method\":\"a.b\",\"oneway\":true,\"more\":true}",
		"{\"method\":\"a.b\",\"method\":\"a.b\"}",
		"{\"error\":\"a.b\"}",
		"{\"parameters\":{}}",
		"{\"method\":\"a.b\",\"parameters\":{\"a\":\"\\u0000\"}}",
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		assert_int_equal(say(bad[i]), -EBADMSG);
		assert_ptr_equal(strstr(paper.said, "{\"error\":\"io.sever.Malformed\",\"parameters\":{\"message\":"),
				 paper.said);
		assert_null(paper.t.call);
	}
	assert_int_equal(paper.s.n_bad, array_size(bad));
	assert_int_equal(paper.s.n_calls, 0);
	assert_int_equal(service_too_large(&paper.s, &paper.t), -EMSGSIZE);
	assert_string_equal(paper.said, "{\"error\":\"io.sever.TooLarge\",\"parameters\":{\"limit\":1048576}}");
}

static void test_more(void **state)
{
	(void)state;
	answers(CALL("io.sever.Watch", "{}"), "{\"error\":\"org.varlink.service.ExpectedMore\"}");
	assert_int_equal(say("{\"method\":\"io.sever.List\",\"more\":true,\"parameters\":{\"limit\":3}}"), 0);
	assert_int_equal(paper.n, 4); /* one of them from above */
	assert_string_equal(paper.said, "{\"parameters\":{\"limit\":3}}");
	/* one answer is an answer */
	answers("{\"method\":\"io.sever.List\",\"more\":true}", "{\"parameters\":{}}");
	answers("{\"method\":\"io.sever.List\",\"more\":false,\"oneway\":false,\"upgrade\":false}",
		"{\"parameters\":{}}");
	answers("{\"method\":\"io.sever.List\",\"upgrade\":true}", INVALID("upgrade"));
}

static void test_oneway(void **state)
{
	(void)state;
	assert_int_equal(say("{\"method\":\"io.sever.Kill\",\"oneway\":true,\"parameters\":{\"verb\":\"kill\","
			     "\"selectors\":[]}}"),
			 0);
	assert_int_equal(say("{\"method\":\"io.sever.Kill\",\"oneway\":true,\"parameters\":{}}"), 0);
	assert_int_equal(say("{\"method\":\"io.sever.Nope\",\"oneway\":true}"), 0);
	assert_int_equal(say("{\"method\":\"io.sever.List\",\"oneway\":true,\"parameters\":{\"cursor\":\"mute\"}}"), 0);
	assert_int_equal(paper.n, 0);
	assert_int_equal(paper.toy.n_kill, 1);
	assert_int_equal(paper.toy.n_list, 1);
	assert_null(paper.t.call);
	paper.s.n_oneway = ONEWAY_MAX;
	assert_int_equal(say("{\"method\":\"io.sever.List\",\"oneway\":true}"), 0);
	assert_int_equal(paper.toy.n_list, 1);
	paper.s.n_oneway = 0;
}

/* A oneway call that is not done at once outlives the connection it came by. */
static void test_oneway_held(void **state)
{
	(void)state;
	assert_int_equal(say("{\"method\":\"io.sever.List\",\"oneway\":true,\"parameters\":{\"cursor\":\"later\"}}"),
			 0);
	assert_null(paper.t.call);
	assert_int_equal(paper.s.n_oneway, 1);
	transport_gone(&paper.t);
	assert_int_equal(paper.toy.n_gone, 0);
	assert_non_null(paper.toy.held);
	assert_true(call_is_oneway(paper.toy.held->call));
	assert_int_equal(call_reply(paper.toy.held->call, NULL, false), 0);
	assert_int_equal(call_reply(paper.toy.held->call, NULL, false), -EINVAL);
	toy_release(paper.toy.held);
	assert_int_equal(paper.n, 0);
}

/* A method that forgets its call, and one that fails. */
static void test_unanswered(void **state)
{
	(void)state;
	answers(CALL("io.sever.List", "{\"cursor\":\"mute\"}"),
		"{\"error\":\"io.sever.Failed\",\"parameters\":{\"message\":\"the method did not answer\"}}");
	assert_int_equal(paper.n_idle, 1);
}

static int fails(struct call *c, void *arg)
{
	(void)c;
	return *(int *)arg;
}

static void test_failures(void **state)
{
	static const struct io_sever io = { .doctor = fails };
	static const struct {
		int r;
		const char *error, *message;
	} cases[] = {
		{ -ENOMEM, "io.sever.NoMemory" },
		{ -EPERM, "io.sever.PermissionDenied" },
		{ -EBUSY, "io.sever.Busy", "severd is doing as much as it may at once, or as much for one user: try again" },
		{ -ENOENT, "io.sever.NotFound" },
		{ -EIO, "io.sever.Failed" },
		{ -EOPNOTSUPP, "io.sever.KernelCannot" },
	};
	int r;

	(void)state;
	paper.s = (struct service){ .io = &io, .arg = &r };
	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_(json_decrefp) json_t *m = NULL;

		r = cases[i].r;
		assert_int_equal(say("{\"method\":\"io.sever.Doctor\"}"), 0);
		m = json_loads(paper.said, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(m, "error")), cases[i].error);
		assert_true(json_is_string(json_object_get(json_object_get(m, "parameters"), "message")));
		if (cases[i].message)
			assert_string_equal(json_string_value(json_object_get(json_object_get(m, "parameters"), "message")),
					    cases[i].message);
	}
}

static void test_gone(void **state)
{
	(void)state;
	assert_int_equal(say(CALL("io.sever.List", "{\"cursor\":\"later\"}")), 0);
	assert_non_null(paper.t.call);
	transport_gone(&paper.t);
	assert_null(paper.t.call);
	assert_int_equal(paper.toy.n_gone, 1);
	assert_null(paper.toy.held);
	assert_int_equal(paper.n_idle, 0);
	transport_gone(&paper.t);
	assert_int_equal(paper.toy.n_gone, 1);
}

/* A watcher may be slow to read, others may not. */
static void test_lag(void **state)
{
	(void)state;
	assert_int_equal(say("{\"method\":\"io.sever.Watch\",\"more\":true}"), 0);
	assert_true(paper.t.may_lag);
	transport_gone(&paper.t);
	assert_int_equal(say("{\"method\":\"io.sever.List\",\"parameters\":{\"cursor\":\"later\"}}"), 0);
	assert_false(paper.t.may_lag);
}

/* A reply that must not be lost waits for room. */
static void test_room(void **state)
{
	(void)state;
	paper.refuse = -EAGAIN;
	assert_int_equal(
		say("{\"method\":\"io.sever.Kill\",\"more\":true,\"parameters\":{\"verb\":\"kill\",\"selectors\":[]}}"),
		0);
	assert_int_equal(paper.n, 0);
	transport_room(&paper.t);
	assert_int_equal(paper.toy.n_room, 1);
	paper.refuse = 0;
	transport_room(&paper.t);
	assert_int_equal(paper.toy.n_room, 2);
	assert_int_equal(paper.n, 4);
	assert_string_equal(paper.said, "{\"parameters\":{\"status\":0}}");
	assert_int_equal(paper.n_idle, 1);
	transport_room(&paper.t);
	assert_int_equal(paper.toy.n_room, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_info),	   T(test_description), T(test_unknown), T(test_long_names),  T(test_parameters),
		T(test_malformed), T(test_more),	T(test_oneway),	 T(test_oneway_held), T(test_unanswered),
		T(test_failures),  T(test_gone),	T(test_lag),	 T(test_room),
	};

	return unit_run("service", tests, NULL);
}
