// SPDX-License-Identifier: LGPL-2.1-or-later
#include "varlink/frame.h"

#include <string.h>

int frame_space(struct frame *f, size_t n, char **ret, size_t *ret_n)
{
	size_t cap = f->cap ? f->cap : FRAME_IDLE;
	char *bigger;

	if (f->cap - f->end < n && f->start) {
		memmove(f->b, f->b + f->start, f->end - f->start);
		f->end -= f->start;
		f->scanned -= f->start;
		f->start = 0;
	}
	if (n > SIZE_MAX / 4 - f->end)
		return -ENOMEM;
	while (cap - f->end < n)
		cap *= 2;
	if (cap != f->cap) {
		bigger = realloc(f->b, cap);
		if (!bigger)
			return -ENOMEM;
		f->b = bigger;
		f->cap = cap;
	}
	*ret = f->b + f->end;
	*ret_n = f->cap - f->end;
	return 0;
}

void frame_added(struct frame *f, size_t n)
{
	f->end += n;
}

int frame_put(struct frame *f, const void *bytes, size_t n)
{
	size_t room;
	char *at;
	int r = frame_space(f, n, &at, &room);

	if (r < 0)
		return r;
	memcpy(at, bytes, n);
	frame_added(f, n);
	return 0;
}

/* 1: *ret is the NUL that ends the first message. */
static int find_end(struct frame *f, size_t max, char **ret)
{
	char *nul = f->end > f->scanned ? memchr(f->b + f->scanned, 0, f->end - f->scanned) : NULL;

	f->scanned = nul ? (size_t)(nul - f->b) : f->end;
	if (f->scanned - f->start > max)
		return -EMSGSIZE;
	*ret = nul;
	return nul ? 1 : 0;
}

bool frame_ready(struct frame *f, size_t max)
{
	char *nul;

	return find_end(f, max, &nul) != 0;
}

int frame_next(struct frame *f, size_t max, char **ret, size_t *ret_len)
{
	char *nul;
	int r = find_end(f, max, &nul);

	if (r <= 0)
		return r;
	*ret = f->b + f->start;
	*ret_len = nul - *ret;
	f->start = f->scanned = f->scanned + 1;
	return 1;
}

void frame_drop(struct frame *f, size_t n)
{
	f->start += n;
	if (f->scanned < f->start)
		f->scanned = f->start;
}

void frame_trim(struct frame *f)
{
	if (f->start != f->end)
		return;
	f->start = f->end = f->scanned = 0;
	if (f->cap > FRAME_IDLE)
		frame_clear(f);
}

void frame_clear(struct frame *f)
{
	free(f->b);
	*f = (struct frame){ 0 };
}

/* What jansson does not limit, counted before it allocates. Where this counts wrong, the text is no JSON. */
static int check_size(const char *text, size_t len, char *err)
{
	size_t depth = 0, values = 1;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (string) {
			i += c == '\\';
			string = c != '"';
			continue;
		}
		string = c == '"';
		values += c == ',' || c == ':' || c == '[' || c == '{';
		depth += c == '[' || c == '{';
		if (depth > MESSAGE_DEPTH)
			return fail(-EBADMSG, err, "nested deeper than %d", MESSAGE_DEPTH);
		if (values > MESSAGE_VALUES)
			return fail(-EBADMSG, err, "more than %d values", MESSAGE_VALUES);
		depth -= (c == ']' || c == '}') && depth;
	}
	return 0;
}

int message_parse(const char *text, size_t len, json_t **ret, char *err)
{
	json_error_t e;
	json_t *message;
	int r = check_size(text, len, err);

	if (r < 0)
		return r;
	message = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (!message && json_error_code(&e) == json_error_out_of_memory)
		return -ENOMEM;
	if (!message && json_error_code(&e) == json_error_duplicate_key)
		return fail(-EBADMSG, err, "a key stands twice in one object, before byte %d", e.position);
	if (!message) /* what jansson says quotes the text, which may be anything */
		return fail(-EBADMSG, err, "no JSON, or no UTF-8, before byte %d", e.position);
	if (!json_is_object(message)) {
		json_decref(message);
		return fail(-EBADMSG, err, "not a JSON object");
	}
	*ret = message;
	return 0;
}

int message_put(struct frame *f, const json_t *message)
{
	_free_ char *text = json_dumps(message, JSON_COMPACT);
	size_t len;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	return len > MESSAGE_MAX || check_size(text, len, NULL) < 0 ? -EMSGSIZE : frame_put(f, text, len + 1);
}
