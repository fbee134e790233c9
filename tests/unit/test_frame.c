// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_frame.c - messages come out as they went in, wherever the stream is cut, and nothing else does. */
#include "varlink/frame.h"

#include <string.h>

#include "unit.h"

static const char stream[] = "{\"method\":\"a\"}\0{}\0{\"method\":\"\xc3\xa4\",\"parameters\":{\"b\":[1,2]}}";

static int parse(const char *text, size_t len)
{
	char err[ERR_LEN] = "";
	json_t *m = (void *)-1;
	int r = message_parse(text, len, &m, err);

	if (r == 0) {
		assert_true(json_is_object(m));
		json_decref(m);
	} else {
		assert_ptr_equal(m, (void *)-1);
		assert_true(err[0]);
	}
	return r;
}

/* The three messages, given in pieces of n bytes, come out whole. */
static void check_pieces(size_t n)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	const char *wanted = stream;
	char *text;
	size_t len;

	for (size_t at = 0; at < sizeof(stream); at += n) {
		assert_int_equal(frame_put(&f, stream + at, at + n < sizeof(stream) ? n : sizeof(stream) - at), 0);
		while (frame_next(&f, MESSAGE_MAX, &text, &len) == 1) {
			assert_int_equal(len, strlen(wanted));
			assert_string_equal(text, wanted);
			wanted += len + 1;
		}
	}
	assert_ptr_equal(wanted, stream + sizeof(stream));
	assert_int_equal(frame_length(&f), 0);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t n = 1; n <= sizeof(stream); n++)
		check_pieces(n);
}

static void test_cut_in_two(void **state)
{
	char *text;
	size_t len;

	(void)state;
	for (size_t at = 0; at <= strlen(stream); at++) {
		_cleanup_(frame_clear) struct frame f = { 0 };

		assert_int_equal(frame_put(&f, stream, at), 0);
		assert_int_equal(frame_next(&f, MESSAGE_MAX, &text, &len), 0);
		assert_false(frame_ready(&f, MESSAGE_MAX));
		assert_int_equal(frame_put(&f, stream + at, sizeof(stream) - at), 0);
		assert_true(frame_ready(&f, MESSAGE_MAX));
		assert_int_equal(frame_next(&f, MESSAGE_MAX, &text, &len), 1);
		assert_string_equal(text, stream);
	}
}

static void test_length(void **state)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(frame_put(&f, "1234", 4), 0);
	assert_int_equal(frame_next(&f, 4, &text, &len), 0);
	assert_int_equal(frame_next(&f, 3, &text, &len), -EMSGSIZE);
	assert_int_equal(frame_put(&f, "", 1), 0);
	assert_true(frame_ready(&f, 3));
	assert_int_equal(frame_next(&f, 3, &text, &len), -EMSGSIZE);
	assert_int_equal(frame_next(&f, 4, &text, &len), 1);
	assert_int_equal(len, 4);
	frame_trim(&f);
	assert_int_equal(frame_length(&f), 0);
}

/* A buffer that held much keeps little. */
static void test_trim(void **state)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	_free_ char *much = calloc(1, 1 << 20);

	(void)state;
	assert_non_null(much);
	assert_int_equal(frame_put(&f, much, 1 << 20), 0);
	frame_trim(&f);
	assert_int_equal(frame_length(&f), 1 << 20);
	frame_drop(&f, 1 << 20);
	frame_trim(&f);
	assert_true(f.cap <= FRAME_IDLE);
	assert_int_equal(frame_put(&f, "x", 1), 0);
}

static void test_objects(void **state)
{
	static const char *const good[] = {
		"{}",
		" {}\n",
		"{\"a\":{\"b\":null}}",
		"{\"a\":\"[[[[\\\"[[[\"}",
		"{\"a\":\"\xf0\x9f\x98\x80\"}",
		"{\"a\":-9223372036854775808}",
	};
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"\"a\"",
		"null",
		"{",
		"}",
		"{}{}",
		"{} x",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{'a':1}",
		"{\"a\":1,\"a\":2}",
		"{\"b\":{\"a\":1,\"\\u0061\":2}}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\\u0000\":1}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}",
		"{\"\xff\":1}",
		"\xef\xbb\xbf{}",
		"{\"a\":\"\x01\"}",
		"{\"a\":NaN}",
		"{\"a\":1e999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":01}",
		"{\"a\":\"",
		"{\"a\":\"\\",
		"]]]]",
		"nul",
	};

	(void)state;
	for (size_t i = 0; i < array_size(good); i++)
		assert_int_equal(parse(good[i], strlen(good[i])), 0);
	for (size_t i = 0; i < array_size(bad); i++)
		assert_int_equal(parse(bad[i], strlen(bad[i])), -EBADMSG);
	assert_int_equal(parse("{}\0", 3), -EBADMSG);
	assert_int_equal(parse("{\"a\":\"b\0c\"}", 11), -EBADMSG);
}

/* {"a":[[...]]} with n arrays, each closed if `whole`. */
static int parse_deep(size_t n, bool whole)
{
	_free_ char *text = malloc(2 * n + 16);
	size_t at = sprintf(text, "{\"a\":");

	memset(text + at, '[', n);
	memset(text + at + n, ']', n);
	strcpy(text + at + 2 * n, "}");
	return parse(text, whole ? at + 2 * n + 1 : at + n);
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_deep(MESSAGE_DEPTH - 1, true), 0);
	assert_int_equal(parse_deep(MESSAGE_DEPTH, true), -EBADMSG);
	assert_int_equal(parse_deep(10000, true), -EBADMSG);
	assert_int_equal(parse_deep(10000, false), -EBADMSG);
	assert_int_equal(parse_deep(500000, false), -EBADMSG);
}

/* {"a":[1,1,...]} with n ones: n and 4 more of what is counted. */
static int parse_wide(size_t n)
{
	_free_ char *text = malloc(2 * n + 16);
	size_t at = sprintf(text, "{\"a\":[");

	for (size_t i = 0; i < n; i++)
		at += sprintf(text + at, "1%s", i + 1 < n ? "," : "]}");
	return parse(text, at);
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(parse_wide(MESSAGE_VALUES - 3), 0);
	assert_int_equal(parse_wide(MESSAGE_VALUES - 2), -EBADMSG);
}

static void test_long_text(void **state)
{
	size_t n = MESSAGE_MAX - 8;
	_free_ char *text = malloc(MESSAGE_MAX + 1);

	(void)state;
	memcpy(text, "{\"a\":\"", 6);
	memset(text + 6, '[', n);
	strcpy(text + 6 + n, "\"}");
	assert_int_equal(parse(text, MESSAGE_MAX), 0);
}

static void test_put(void **state)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	_cleanup_(json_decrefp) json_t *big = json_object(), *small = json_pack("{ss}", "a", "\xc3\xa4\n");
	_free_ char *text = malloc(MESSAGE_MAX + 1);
	char *at;
	size_t len;

	(void)state;
	memset(text, 'x', MESSAGE_MAX);
	text[MESSAGE_MAX] = '\0';
	assert_int_equal(message_put(&f, small), 0);
	assert_int_equal(json_object_set_new(big, "a", json_stringn(text, MESSAGE_MAX - 7)), 0);
	assert_int_equal(message_put(&f, big), -EMSGSIZE);
	assert_int_equal(json_object_set_new(big, "a", json_stringn(text, MESSAGE_MAX - 8)), 0);
	assert_int_equal(message_put(&f, big), 0);
	assert_int_equal(frame_next(&f, MESSAGE_MAX, &at, &len), 1);
	assert_string_equal(at, "{\"a\":\"\xc3\xa4\\n\"}");
	assert_int_equal(frame_next(&f, MESSAGE_MAX, &at, &len), 1);
	assert_int_equal(len, MESSAGE_MAX);
	assert_int_equal(frame_next(&f, MESSAGE_MAX, &at, &len), 0);
}

/* What the other end would not read is not sent. */
static void test_put_wide(void **state)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	_cleanup_(json_decrefp) json_t *wide = json_pack("{s[]}", "a");

	(void)state;
	for (size_t i = 0; i < MESSAGE_VALUES - 3; i++)
		json_array_append_new(json_object_get(wide, "a"), json_integer(1));
	assert_int_equal(message_put(&f, wide), 0);
	json_array_append_new(json_object_get(wide, "a"), json_integer(1));
	assert_int_equal(message_put(&f, wide), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),    cmocka_unit_test(test_cut_in_two), cmocka_unit_test(test_length),
		cmocka_unit_test(test_trim),   cmocka_unit_test(test_objects),	  cmocka_unit_test(test_depth),
		cmocka_unit_test(test_values), cmocka_unit_test(test_long_text),  cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_wide),
	};

	return unit_run("frame", tests, NULL);
}
