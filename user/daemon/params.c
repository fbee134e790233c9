// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/params.h"

#include <string.h>

void shorten(char *ret, size_t size, const char *text)
{
	size_t n = strnlen(text, size);

	if (n == size)
		for (n = size - 1; n > 0 && (text[n] & 0xc0) == 0x80;)
			n--;
	memcpy(ret, text, n);
	ret[n] = '\0';
}

/* Writes path.name, or name where path is empty. */
static int bad(const char *path, const char *name, char ret[PARAM_LEN])
{
	char text[2 * PARAM_LEN], end[PARAM_LEN];

	shorten(end, sizeof(end), name);
	snprintf(text, sizeof(text), "%s%s%s", path, *path ? "." : "", end);
	shorten(ret, PARAM_LEN, text);
	return -EINVAL;
}

static bool is_word(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

/* One value that is neither array nor object. */
static bool is_fit(const struct field *f, const json_t *value)
{
	switch (f->type) {
	case FIELD_TEXT:
		return json_is_string(value) && json_string_length(value) >= (size_t)f->least &&
		       (!f->most || json_string_length(value) <= (size_t)f->most);
	case FIELD_NUMBER:
		return json_is_integer(value) && json_integer_value(value) >= f->least &&
		       json_integer_value(value) <= f->most;
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_ENUM:
		return json_is_string(value) && is_word(f->words, json_string_value(value));
	default:
		return false;
	}
}

static const struct field *find(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static int check_object(const struct field *fields, json_t *object, const char *path, char ret[PARAM_LEN]);

static int check_value(const struct field *f, json_t *value, const char *path, const char *name, char ret[PARAM_LEN])
{
	char below[PARAM_LEN];

	if (f->type != FIELD_OBJECT)
		return is_fit(f, value) ? 0 : bad(path, name, ret);
	if (!json_is_object(value))
		return bad(path, name, ret);
	bad(path, name, below);
	return check_object(f->members, value, below, ret);
}

static int check_array(const struct field *f, json_t *array, const char *path, char ret[PARAM_LEN])
{
	int r = json_is_array(array) ? 0 : bad(path, f->name, ret);
	char name[PARAM_LEN];

	for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
		snprintf(name, sizeof(name), "%s[%zu]", f->name, i);
		r = check_value(f, json_array_get(array, i), path, name, ret);
	}
	return r;
}

/* Tables nest as deep as the interface does, not as the caller likes. */
static int check_object(const struct field *fields, json_t *object, const char *path, char ret[PARAM_LEN])
{
	const struct field *f;
	const char *name;
	json_t *value;
	void *next;
	int r = 0;

	json_object_foreach(object, name, value) if (!find(fields, name)) return bad(path, name, ret);
	for (f = fields; f->name && r == 0; f++) {
		value = json_object_get(object, f->name);
		if (f->optional && (!value || json_is_null(value)))
			continue;
		if (!value)
			return bad(path, f->name, ret);
		r = f->array ? check_array(f, value, path, ret) : check_value(f, value, path, f->name, ret);
	}
	if (r < 0)
		return r;
	json_object_foreach_safe(object, next, name, value) if (json_is_null(value)) json_object_del(object, name);
	return 0;
}

int params_check(const struct field *fields, json_t *object, char ret[PARAM_LEN])
{
	return check_object(fields, object, "", ret);
}
