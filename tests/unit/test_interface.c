// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_interface.c - does the text of io.sever say what is done? What the methods check, and what the reports print,
 * must come out of it member by member. The text is cut into words, comments left out. */
#include "daemon/fencing_parts.h"
#include "daemon/methods.h"
#include "paper.h"
#include "varlink/interface.h"

#include <jansson.h>

#include "unit.h"

#define TEXT_WORDS 4096

static struct {
	char word[TEXT_WORDS][40];
	size_t n, at;
} text;

static void cut_text(const char *s)
{
	text.n = text.at = 0;
	while (*s) {
		size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

		if (*s == '#')
			s += strcspn(s, "\n");
		else if (strchr(" \n", *s))
			s++;
		else {
			len = len ? len : 1;
			assert_true(text.n < TEXT_WORDS && len < sizeof(text.word[0]));
			memcpy(text.word[text.n], s, len);
			text.word[text.n++][len] = '\0';
			s += len;
		}
	}
}

static bool next_is(const char *word)
{
	assert_true(text.at < text.n);
	if (strcmp(text.word[text.at], word) != 0)
		return false;
	text.at++;
	return true;
}

static void expect(const char *word)
{
	if (!next_is(word))
		fail_msg("%s stands where %s should", text.word[text.at], word);
}

static void go_to(const char *kind, const char *name)
{
	for (text.at = 0; text.at + 1 < text.n; text.at++)
		if (!strcmp(text.word[text.at], kind) && !strcmp(text.word[text.at + 1], name)) {
			text.at += 2;
			return;
		}
	fail_msg("no %s %s", kind, name);
}

static void expect_words(const char *const *words)
{
	size_t back = 0;

	if (!next_is("(")) {
		back = text.at + 1;
		go_to("type", text.word[text.at]);
		expect("(");
	}
	for (; *words; words++) {
		expect(*words);
		expect(words[1] ? "," : ")");
	}
	text.at = back ? back : text.at;
}

static void expect_fields(const struct field *f);

static void expect_type(const struct field *f)
{
	size_t back;

	assert_int_equal(next_is("?"), f->optional);
	if (f->array) {
		expect("[");
		expect("]");
	}
	if (f->type == FIELD_TEXT)
		expect("string");
	else if (f->type == FIELD_NUMBER)
		expect("int");
	else if (f->type == FIELD_BOOL)
		expect("bool");
	else if (f->type == FIELD_ENUM)
		expect_words(f->words);
	else {
		back = text.at + 1;
		go_to("type", text.word[text.at]);
		expect_fields(f->members);
		text.at = back;
	}
}

static void expect_fields(const struct field *f)
{
	expect("(");
	for (; f->name; f++) {
		expect(f->name);
		expect(":");
		expect_type(f);
		if (f[1].name)
			expect(",");
	}
	expect(")");
}

static void test_table(void **state)
{
	size_t in_text = 0;

	(void)state;
	cut_text(interface_io_sever);
	for (size_t i = 0; i < n_methods; i++) {
		go_to("method", methods[i].name);
		expect_fields(methods[i].parameters);
		expect("-");
		expect(">");
		expect("(");
	}
	for (size_t i = 0; i < text.n; i++)
		in_text += !strcmp(text.word[i], "method");
	assert_int_equal(in_text, n_methods);
}

/* The members of a type of the text are the keys of an object, in its order. */
static void expect_keys(const char *type, json_t *object)
{
	size_t n = json_object_size(object), depth = 0;
	const char *key;
	json_t *value;

	assert_true(n > 0);
	cut_text(interface_io_sever);
	go_to("type", type);
	expect("(");
	json_object_foreach(object, key, value)
	{
		expect(key);
		expect(":");
		if (json_is_null(value) && !next_is("?"))
			fail_msg("%s.%s is null and may not be", type, key);
		for (depth = 0; depth || (strcmp(text.word[text.at], ",") != 0 && strcmp(text.word[text.at], ")") != 0);
		     text.at++)
			depth += !strcmp(text.word[text.at], "(") - !strcmp(text.word[text.at], ")");
		expect(--n ? "," : ")");
	}
}

/* The first line of what was reported; inside: the member it stands in. */
static json_t *first_line(struct paper *p, const char *inside)
{
	json_t *line, *object;

	fflush(p->r.out);
	line = json_loads(p->out, JSON_DISABLE_EOF_CHECK, NULL);
	object = inside ? json_incref(json_object_get(line, inside)) : json_incref(line);
	json_decref(line);
	paper_close(p);
	return object;
}

static void check_keys(const char *type, struct paper *p, const char *inside)
{
	_cleanup_(json_decrefp) json_t *object = first_line(p, inside);

	expect_keys(type, object);
}

static void test_flow(void **state)
{
	struct flow f = make_flow(), unknown = make_unknown();
	struct paper p;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_reconnected(&p.r, &f, &procs, &sessions);
	check_keys("Flow", &p, NULL);
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_reconnected(&p.r, &unknown, NULL, NULL);
	check_keys("Flow", &p, NULL);
}

static void test_rows(void **state)
{
	struct paper p;

	(void)state;
	list_one(&p, &report_json, LIST_SESSIONS);
	check_keys("Session", &p, NULL);
	list_one(&p, &report_json, LIST_USERS);
	check_keys("User", &p, NULL);
	list_one(&p, &report_json, LIST_CLIENTS);
	check_keys("Client", &p, NULL);
}

static void test_session_cut(void **state)
{
	struct paper p;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	report_session(&p.r, &alices, NULL);
	check_keys("SessionCut", &p, "session_cut");
}

static void test_summary(void **state)
{
	const struct summary s = { .matched = 1 };
	struct paper p;

	(void)state;
	paper_open(&p, &report_json, VERB_KILL);
	report_begin(&p.r, &p.req);
	paper_end(&p, &s);
	check_keys("Summary", &p, "summary");
}

static void test_fence(void **state)
{
	_cleanup_(json_decrefp) json_t *selectors = json_pack("[s]", "--all"), *reason = json_string("why"), *shown, *bare;
	struct standing s = { .number = 3, .since_us = 1, .until_ns = UINT64_C(1) << 50, .selectors = selectors, .reason = reason };
	const struct fence_stats none = { 0 };
	struct fence_stats hit = { .count = 2, .last = 1, .remote_port = 5 };
	unsigned int all = FENCE_NOTE_LATE | FENCE_NOTE_CGROUP | FENCE_NOTE_NO_OUT | FENCE_NOTE_REFUSED | FENCE_NOTE_LAPSED |
			   FENCE_NOTE_NETNS;

	(void)state;
	strcpy(s.request, "r");
	hit.remote = (struct addr){ .family = AF_INET, .b = { 127, 0, 0, 1 } };
	shown = standing_show(&s, &hit, all, "because");
	expect_keys("Fence", shown);
	assert_string_equal(json_string_value(json_object_get(shown, "fence")), "f3");
	assert_string_equal(json_string_value(json_object_get(shown, "last_addr")), "127.0.0.1");
	assert_int_equal(json_array_size(json_object_get(shown, "notes")), 6);
	s.reason = NULL;
	*s.request = '\0';
	s.by.login_uid = ID_UNSET;
	bare = standing_show(&s, &none, 0, NULL);
	expect_keys("Fence", bare);
	assert_true(json_is_null(json_object_get(bare, "last")) && json_is_null(json_object_get(bare, "login_uid")));
}

/* Names that C has in tables: each is one of the words that stand behind a member, and there are no others. */
static void expect_names(const char *type, const char *member, const char *const *names, size_t n)
{
	size_t words = 0, known = 0;

	cut_text(interface_io_sever);
	go_to("type", type);
	while (!next_is(member))
		text.at++;
	expect(":");
	expect("?");
	expect("(");
	for (; !next_is(")"); text.at++) {
		words += strcmp(text.word[text.at], ",") != 0;
		for (size_t i = 0; i < n; i++)
			known += names[i] && !strcmp(names[i], text.word[text.at]);
	}
	assert_int_equal(known, words);
	for (size_t i = 0; i < n; i++)
		words -= names[i] != NULL;
	assert_int_equal(words, 0);
}

static void test_names(void **state)
{
	(void)state;
	expect_names("Flow", "direction", direction_name, DIR_MAX);
	expect_names("Flow", "via", via_name, VIA_MAX);
	expect_names("Flow", "outcome", outcome_name, OUT_MAX);
	expect_names("Summary", "stage", stage_name, STAGE_MAX);
	expect_names("Options", "wait", stage_name, STAGE_MAX);
}

/* "--local-port" of the command line is local_port, in the order of enum sel. */
static void test_kinds(void **state)
{
	(void)state;
	cut_text(interface_io_sever);
	go_to("type", "SelectorKind");
	expect("(");
	for (int kind = 0; kind <= SEL_ALL; kind++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", selector_option[kind] + strlen("--"));
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		expect(name);
		expect(kind < SEL_ALL ? "," : ")");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	    cmocka_unit_test(test_flow),    cmocka_unit_test(test_rows),
		cmocka_unit_test(test_session_cut), cmocka_unit_test(test_summary), cmocka_unit_test(test_names),
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_fence),
	};

	return unit_run("interface", tests, NULL);
}
