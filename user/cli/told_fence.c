// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/told_fence.h"
#include "cli/reader.h"
#include "report/escape.h"
#include "report/jsonl.h"
#include "report/when.h"

#include <string.h>

static const char *const keys[] = {
	"fence", "selectors",	 "reason",  "uid",  "login_uid", "pid",	      "request", "since",
	"until", "remaining_ms", "refused", "last", "last_addr", "last_port", "notes",
	"lifted_by",
};
static const char *const needed[] = {
	"fence", "selectors", "uid", "since", "until", "remaining_ms", "refused", "notes"
};

static const json_t *read_texts(struct reader *r, const char *key)
{
	const json_t *array = read_array(r, key);

	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_string(json_array_get(array, i)))
			read_refuse(r, key);
	return array;
}

int decode_fence(const json_t *o, struct told_fence *ret, const char **ret_bad)
{
	struct reader r = { .o = o };

	*ret = (struct told_fence){ .o = o };
	for (size_t i = 0; i < array_size(needed); i++)
		read_member(&r, needed[i], true);
	ret->id = read_text(&r, "fence");
	ret->selectors = read_texts(&r, "selectors");
	ret->notes = read_texts(&r, "notes");
	ret->reason = read_text(&r, "reason");
	read_text(&r, "request");
	read_number(&r, "uid", UINT32_MAX, 0);
	read_number(&r, "login_uid", UINT32_MAX, 0);
	read_number(&r, "pid", INT32_MAX, 0);
	read_time(&r, "since");
	read_time(&r, "last");
	ret->until = read_time(&r, "until");
	ret->remaining_ms = read_number(&r, "remaining_ms", INT64_MAX, 0);
	ret->refused = read_number(&r, "refused", INT64_MAX, 0);
	ret->last_addr = read_addr(&r, "last_addr");
	ret->last_port = read_number(&r, "last_port", UINT16_MAX, 0);
	read_object(&r, "lifted_by");
	return read_done(&r, ret_bad);
}

void fence_whom(struct line *l, const struct told_fence *t)
{
	for (size_t i = 0; i < json_array_size(t->selectors); i++) {
		if (i)
			line_text(l, " ");
		line_escape(l, json_string_value(json_array_get(t->selectors, i)), SIZE_MAX);
	}
}

void fence_last(struct line *l, const struct told_fence *t)
{
	char text[ADDR_STRLEN];

	if (!t->last_addr.family)
		line_text(l, "-");
	else if (t->last_port)
		line_endpoint(l, &t->last_addr, t->last_port);
	else
		line_escape(l, addr_format(&t->last_addr, text), sizeof(text));
}

void fence_row(FILE *f, uint8_t *width, bool first, const struct told_fence *t)
{
	static const char *const name[] = { "FENCE", "UNTIL", "LEFT", "REFUSED", "LAST", "WHOM", "REASON" };
	static const uint8_t least[] = { 5, 19, 6, 7, 15, 20, 6 };
	struct line l = { .f = f, .width = width };
	char until[WHEN_LEN], left[SPAN_LEN];

	_Static_assert(array_size(name) <= REPORT_COLUMNS, "a width for each column");
	_Static_assert(array_size(name) == array_size(least), "a width for each column");
	if (first)
		table_heading(f, width, name, least, array_size(name));
	line_escape(&l, t->id, SIZE_MAX);
	line_next(&l);
	line_text(&l, when_text(t->until, until));
	line_next(&l);
	line_text(&l, span_text(t->remaining_ms, left));
	line_next(&l);
	line_number(&l, t->refused);
	line_next(&l);
	fence_last(&l, t);
	line_next(&l);
	fence_whom(&l, t);
	line_next(&l);
	line_escape(&l, t->reason ? t->reason : "-", SIZE_MAX);
	line_end(&l);
}

void fence_notes(FILE *f, const struct told_fence *t)
{
	for (size_t i = 0; i < json_array_size(t->notes); i++) {
		fputs("note: ", f);
		escape_put(f, t->id);
		fputs(": ", f);
		escape_put(f, json_string_value(json_array_get(t->notes, i)));
		fputc('\n', f);
	}
}

bool fence_json(FILE *f, const struct told_fence *t)
{
	struct jsonl j = { .f = f };

	jsonl_open(&j, NULL);
	for (size_t i = 0; i < array_size(keys); i++) {
		const json_t *value = json_object_get(t->o, keys[i]);

		if (value)
			jsonl_value(&j, keys[i], value);
		else
			jsonl_word(&j, keys[i], NULL);
	}
	jsonl_end_line(&j);
	return !j.failed;
}
