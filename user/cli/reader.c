// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/reader.h"
#include "model/moment.h"
#include "model/word.h"

#include <string.h>

void read_refuse(struct reader *r, const char *key)
{
	if (!r->bad)
		r->bad = key;
}

const json_t *read_member(struct reader *r, const char *key, bool needed)
{
	const json_t *v = json_object_get(r->o, key);

	if (v && !json_is_null(v))
		return v;
	if (needed)
		read_refuse(r, key);
	return NULL;
}

/* The member if it is of that type. */
static const json_t *typed(struct reader *r, const char *key, json_type type)
{
	const json_t *v = read_member(r, key, false);

	if (!v || json_typeof(v) == type)
		return v;
	read_refuse(r, key);
	return NULL;
}

const char *read_text(struct reader *r, const char *key)
{
	return json_string_value(typed(r, key, JSON_STRING));
}

uint64_t read_number(struct reader *r, const char *key, uint64_t max, uint64_t none)
{
	const json_t *v = typed(r, key, JSON_INTEGER);

	if (!v)
		return none;
	if (json_integer_value(v) >= 0 && (uint64_t)json_integer_value(v) <= max)
		return json_integer_value(v);
	read_refuse(r, key);
	return none;
}

bool read_bool(struct reader *r, const char *key)
{
	const json_t *v = read_member(r, key, false);

	if (v && !json_is_boolean(v))
		read_refuse(r, key);
	return v && json_is_true(v);
}

unsigned int read_word(struct reader *r, const char *key, const char *const *names, size_t n, unsigned int none)
{
	const char *word = read_text(r, key);

	for (size_t i = 0; word && i < n; i++)
		if (names[i] && !strcmp(names[i], word))
			return i;
	return none;
}

const json_t *read_object(struct reader *r, const char *key)
{
	return typed(r, key, JSON_OBJECT);
}

const json_t *read_array(struct reader *r, const char *key)
{
	return typed(r, key, JSON_ARRAY);
}

void read_into(struct reader *r, const char *key, char *ret, size_t size, bool name)
{
	const char *text = read_text(r, key);
	size_t n = text ? strlen(text) : 0;

	*ret = '\0';
	if (n >= size && name) {
		read_refuse(r, key);
		return;
	}
	if (n >= size)
		for (n = size - 1; n && (text[n] & 0xc0) == 0x80;)
			n--;
	if (n)
		memcpy(ret, text, n);
	ret[n] = '\0';
}

struct addr read_addr(struct reader *r, const char *key)
{
	const char *text = read_text(r, key);
	struct prefix p = { 0 };
	uint64_t scope = 0;

	if (!text)
		return p.addr;
	if (strpbrk(text, "/[") || prefix_parse(text, &p, NULL) < 0 ||
	    (*p.zone && word_number(p.zone, strlen(p.zone), 10, UINT32_MAX, &scope) < 0)) {
		read_refuse(r, key);
		return (struct addr){ 0 };
	}
	p.addr.scope = scope;
	return p.addr;
}

uint64_t read_time(struct reader *r, const char *key)
{
	const char *text = read_text(r, key);
	uint64_t us = 0;

	if (text && moment_parse(text, &us) < 0)
		read_refuse(r, key);
	return us;
}

int read_done(const struct reader *r, const char **ret_bad)
{
	if (r->bad)
		*ret_bad = r->bad;
	return r->bad ? -EBADMSG : 0;
}
