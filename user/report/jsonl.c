// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/jsonl.h"

#include "model/moment.h"
#include "report/escape.h"

#include <string.h>

static void put(struct jsonl *j, const char *s, size_t n)
{
	fwrite_unlocked(s, 1, n, j->f);
}

/* The comma and the key, if any. */
static void begin(struct jsonl *j, const char *key)
{
	if (j->more)
		putc_unlocked(',', j->f);
	j->more = true;
	if (!key)
		return;
	putc_unlocked('"', j->f);
	put(j, key, strlen(key));
	put(j, "\":", 2);
}

void jsonl_open(struct jsonl *j, const char *key)
{
	begin(j, key);
	putc_unlocked('{', j->f);
	j->more = false;
}

void jsonl_close(struct jsonl *j)
{
	putc_unlocked('}', j->f);
	j->more = true;
}

void jsonl_end_line(struct jsonl *j)
{
	jsonl_close(j);
	putc_unlocked('\n', j->f);
	j->more = false;
}

void jsonl_array(struct jsonl *j, const char *key)
{
	begin(j, key);
	putc_unlocked('[', j->f);
	j->more = false;
}

void jsonl_end_array(struct jsonl *j)
{
	putc_unlocked(']', j->f);
	j->more = true;
}

/* JSON lets DEL stand in a string as it is, a terminal does not want it. */
static void put_without_del(struct jsonl *j, const char *s)
{
	for (const char *del; (del = strchr(s, 0x7f)) != NULL; s = del + 1) {
		put(j, s, del - s);
		put(j, "\\u007f", 6);
	}
	put(j, s, strlen(s));
}

/* Fifteen digits are what a double holds: more would turn 3.1 into 3.1000000000000001. */
static void put_value(struct jsonl *j, const json_t *value)
{
	_free_ char *spelled = NULL;

	if (value)
		spelled = json_dumps(value,
				     JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT | JSON_REAL_PRECISION(15));
	if (spelled) {
		put_without_del(j, spelled);
	} else {
		put(j, "null", 4);
		j->failed = true;
	}
}

static void put_odd(struct jsonl *j, const char *s, size_t n)
{
	_cleanup_(json_decrefp) json_t *string = NULL;
	_free_ char *clean = utf8_clean(s, n);

	if (clean)
		string = json_string_nocheck(clean);
	put_value(j, string);
}

/* Bytes at the start of s that need no escaping. */
static size_t plain_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

void jsonl_text(struct jsonl *j, const char *key, const char *s, size_t n)
{
	size_t plain = s ? plain_length(s, n) : 0;

	begin(j, key);
	if (!s) {
		put(j, "null", 4);
	} else if (plain < n && s[plain]) {
		put_odd(j, s, n);
	} else {
		putc_unlocked('"', j->f);
		put(j, s, plain);
		putc_unlocked('"', j->f);
	}
}

void jsonl_word(struct jsonl *j, const char *key, const char *s)
{
	jsonl_text(j, key, s, SIZE_MAX);
}

void jsonl_number(struct jsonl *j, const char *key, uint64_t n, bool known)
{
	char digits[20];
	size_t at = sizeof(digits);

	begin(j, key);
	if (!known) {
		put(j, "null", 4);
		return;
	}
	do {
		digits[--at] = '0' + n % 10;
		n /= 10;
	} while (n);
	put(j, digits + at, sizeof(digits) - at);
}

void jsonl_bool(struct jsonl *j, const char *key, bool value)
{
	begin(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void jsonl_time(struct jsonl *j, const char *key, uint64_t us)
{
	char text[MOMENT_LEN];

	jsonl_word(j, key, us ? moment_format(us, text) : NULL);
}

void jsonl_ms(struct jsonl *j, const char *key, double ms)
{
	begin(j, key);
	fprintf(j->f, "%.3f", ms);
}

void jsonl_value(struct jsonl *j, const char *key, const json_t *value)
{
	begin(j, key);
	put_value(j, value);
}

void jsonl_spelled(struct jsonl *j, const char *key, const char *json, size_t len)
{
	begin(j, key);
	put(j, json, len && json[len - 1] == '\n' ? len - 1 : len);
}

void jsonl_errno(struct jsonl *j, const char *key, int err)
{
	jsonl_word(j, key, err ? strerrorname_np(-err) : NULL);
}
