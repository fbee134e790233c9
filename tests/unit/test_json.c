// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_json.c - the format for programs, byte for byte: every key in its place, nothing guessed, and no name that breaks
 * out of its string. */
#include "paper.h"
#include "unit.h"

#include <jansson.h>

static const struct selector everyone = { .kind = SEL_ALL };

/* comm without a NUL at its end */
static struct proc odd = { .pid = 7, .comm = "a\033[2J\nxxxxxxxxxx" };
static const struct proctab odd_procs = { .v = &odd, .n = 1 };

static void test_json_flow(void **state)
{
	struct flow f = make_flow(), unknown = make_unknown();
	struct paper p;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_flow(&p.r, &f, &procs, &sessions);
	report_flow(&p.r, &unknown, NULL, NULL);
	report_reconnected(&p.r, &f, &procs, &sessions);
	fflush(p.r.out);
	assert_string_equal(
		p.out,
		"{\"flow\":\"1a2b@4026531840\",\"proto\":\"tcp\",\"family\":\"inet\",\"state\":\"established\","
		"\"local_addr\":\"127.0.0.1\",\"local_port\":22,\"remote_addr\":\"127.0.0.2\","
		"\"remote_port\":51234,\"direction\":\"in\",\"uid\":0,\"user\":\"alice\",\"login_uid\":1001,"
		"\"session\":\"audit:7\",\"cgroup\":\"/user.slice\",\"pid\":812,\"comm\":\"sshd\","
		"\"via\":\"transport\",\"outcome\":\"dead\",\"error\":null,\"engine\":\"diag\",\"transport\":true,"
		"\"shared_with\":null,\"netns_name\":null,\"discarded\":12,\"note\":null,"
		"\"since\":\"2025-11-13T02:13:20.123456Z\",\"sent\":4294967296,\"received\":7,\"idle_ms\":3000,"
		"\"backend_addr\":\"127.0.0.3\",\"backend_port\":7002}\n"
		"{\"flow\":\"1@2\",\"proto\":null,\"family\":null,\"state\":null,\"local_addr\":null,"
		"\"local_port\":null,\"remote_addr\":null,\"remote_port\":null,\"direction\":null,\"uid\":null,"
		"\"user\":null,\"login_uid\":null,\"session\":null,\"cgroup\":null,\"pid\":null,\"comm\":null,"
		"\"via\":null,\"outcome\":\"unsupported\",\"error\":\"EOPNOTSUPP\",\"engine\":null,"
		"\"transport\":false,\"shared_with\":null,\"netns_name\":null,\"discarded\":null,\"note\":null,"
		"\"since\":null,\"sent\":null,\"received\":null,\"idle_ms\":null,"
		"\"backend_addr\":null,\"backend_port\":null}\n"
		"{\"flow\":\"1a2b@4026531840\",\"proto\":\"tcp\",\"family\":\"inet\",\"state\":\"established\","
		"\"local_addr\":\"127.0.0.1\",\"local_port\":22,\"remote_addr\":\"127.0.0.2\","
		"\"remote_port\":51234,\"direction\":\"in\",\"uid\":0,\"user\":\"alice\",\"login_uid\":1001,"
		"\"session\":\"audit:7\",\"cgroup\":\"/user.slice\",\"pid\":812,\"comm\":\"sshd\","
		"\"via\":\"transport\",\"outcome\":null,\"error\":null,\"engine\":\"diag\",\"transport\":true,"
		"\"shared_with\":null,\"netns_name\":null,\"discarded\":null,\"note\":null,"
		"\"since\":\"2025-11-13T02:13:20.123456Z\",\"sent\":4294967296,\"received\":7,\"idle_ms\":3000,"
		"\"reconnected\":true,\"backend_addr\":\"127.0.0.3\",\"backend_port\":7002}\n");
	paper_close(&p);
}

static void test_json_summary(void **state)
{
	static const char *const notes[] = { "one", "t\xffwo" };
	const struct selector typed[] = { by_alice, everyone };
	const struct summary s = { .matched = 6,
				   .dead = 1,
				   .alive = 1,
				   .stale = 1,
				   .denied = 1,
				   .unsupported = 1,
				   .spared = 1,
				   .reconnected = 2,
				   .stage = STAGE_VERIFIED,
				   .staged = true,
				   .elapsed_ms = 3.1,
				   .owners = "bpf",
				   .unattributed = 3,
				   .age_unknown = 4,
				   .discarded = UINT32_MAX + 1ull,
				   .notes = notes,
				   .n_notes = 2,
				   .fence = "f\x1b"
					    "12" };
	struct paper p;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	p.req.selectors = typed;
	p.req.n_selectors = 2;
	p.req.reason = "gone \"for\" lunch";
	report_begin(&p.r, &p.req);
	report_session(&p.r, &alices, "alice");
	paper_end(&p, &s);
	assert_string_equal(
		p.out, "{\"session_cut\":{\"session\":\"audit:7\",\"user\":\"alice\",\"uid\":1001,\"leader\":812,"
		       "\"survives\":\"multiplexer\",\"survivor\":900}}\n"
		       "{\"summary\":{\"request\":\"6d1c0e9a-0000-4000-8000-000000000001\",\"matched\":6,\"dead\":1,"
		       "\"alive\":1,\"stale\":1,\"denied\":1,\"unsupported\":1,\"spared\":1,\"reconnected\":2,"
		       "\"stage\":\"verified\",\"elapsed_ms\":3.100,\"planned\":0,\"unattributed\":3,\"age_unknown\":4,"
		       "\"discarded\":4294967296,\"owners\":\"bpf\",\"already\":false,\"interrupted\":false,"
		       "\"reason\":\"gone \\\"for\\\" lunch\",\"selectors\":[\"--user alice\",\"--all\"],"
		       "\"notes\":[\"one\",\"t\\uFFFDwo\"],\"fence\":\"f\\u001B12\"}}\n");
	assert_string_equal(p.err, "");
	paper_close(&p);
}

static void test_json_rows(void **state)
{
	static const char *const want[] = {
		[LIST_SESSIONS] =
			"{\"session\":\"audit:7\",\"user\":\"alice\",\"uid\":1001,\"leader\":812,\"tty\":null,"
			"\"client\":\"127.0.0.2\",\"remote_host\":null,\"transports\":1,\"flows\":2,"
			"\"sent\":10,\"received\":20,\"idle_ms\":7199999,\"state\":\"active\",\"proto\":\"tcp6\","
			"\"since\":\"2025-11-13T02:13:20.000000Z\",\"connected\":\"2025-11-13T02:13:21.000000Z\","
			"\"disconnected\":\"2025-11-13T02:13:22.000000Z\",\"flow\":null}\n",
		[LIST_USERS] = "{\"user\":\"alice\",\"uid\":1001,\"sessions\":3,\"transports\":1,\"flows\":2,"
				"\"sent\":10,\"received\":20,\"idle_ms\":7199999}\n",
		[LIST_CLIENTS] = "{\"client\":\"127.0.0.2\",\"users\":4,\"transports\":1,\"flows\":2,"
				"\"sent\":10,\"received\":20,\"idle_ms\":7199999}\n"
	};
	struct paper p;

	(void)state;
	for (size_t what = 0; what < array_size(want); what++) {
		if (!want[what])
			continue;
		list_one(&p, &report_json, what);
		assert_memory_equal(p.out, want[what], strlen(want[what]));
		assert_string_equal(p.out + strlen(want[what]),
				    "{\"summary\":{\"listed\":1,\"owners\":\"bpf\",\"notes\":[],\"unattributed\":0,\"age_unknown\":0}}\n");
		paper_close(&p);
	}
}

/* Every string a stranger chose, at once: each line is JSON, nothing a terminal obeys is left, and a parser gets the
 * name back. */
static void test_hostile(void **state)
{
	static const char evil[] = "\"},{\\\x01\033[2J\x7f\xc2\x9b\xe2\x80\xae\n\xff";
	static const char seen[] = "\"},{\\\x01\033[2J\x7f\xc2\x9b\xe2\x80\xae\n\xef\xbf\xbd";
	struct flow f = make_flow();
	json_t *line;
	struct paper p;

	(void)state;
	f.user_name = f.cgroup_path = f.netns_name = f.note = f.shared_name = evil;
	f.shared_with = 5;
	for (int text = 0; text < 2; text++) {
		paper_open(&p, text ? &report_text : &report_json, VERB_KILL);
		report_begin(&p.r, &p.req);
		report_flow(&p.r, &f, &odd_procs, NULL);
		fflush(p.r.out);
		for (const char *c = p.out; *c; c++)
			assert_true((*c >= 0x20 && *c < 0x7f) || *c == '\n');
		assert_ptr_equal(strchr(text ? strchr(p.out, '\n') + 1 : p.out, '\n'), p.out + p.out_len - 1);
		if (!text) {
			line = json_loads(p.out, JSON_REJECT_DUPLICATES, NULL);
			assert_non_null(line);
			assert_string_equal(json_string_value(json_object_get(line, "user")), seen);
			assert_string_equal(json_string_value(json_object_get(line, "note")), seen);
			assert_string_equal(json_string_value(json_object_get(line, "comm")), "a\033[2J\nxxxxxxxxxx");
			json_decref(line);
		}
		paper_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_flow),
		cmocka_unit_test(test_json_summary),
		cmocka_unit_test(test_json_rows),
		cmocka_unit_test(test_hostile),
	};

	return unit_run("json", tests, NULL);
}
