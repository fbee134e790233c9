// SPDX-License-Identifier: LGPL-2.1-or-later
/* journal_spell.c - the two spellings of a record. */
#include "daemon/journal_fields.h"
#include "model/word.h"

#include <ctype.h>
#include <endian.h>
#include <string.h>
#include <time.h>

static int append(struct buffer *b, const void *text, size_t len)
{
	if (grow(&b->text, &b->cap, b->len + len, 1) < 0)
		return -ENOMEM;
	memcpy(b->text + b->len, text, len);
	b->len += len;
	return 0;
}

/* A value with a newline in it has its length before it; any other ends with one. */
static int append_native(struct buffer *b, const struct iovec *field)
{
	const char *text = field->iov_base, *value = memchr(text, '=', field->iov_len);
	uint64_t len = field->iov_len - (value + 1 - text), le = htole64(len);
	int r;

	if (!memchr(value, '\n', len + 1))
		r = append(b, text, field->iov_len);
	else if ((r = append(b, text, value - text)) == 0 && (r = append(b, "\n", 1)) == 0 &&
		 (r = append(b, &le, sizeof(le))) == 0)
		r = append(b, value + 1, len);
	return r < 0 ? r : append(b, "\n", 1);
}

int fields_native(const struct fields *f, struct buffer *b)
{
	struct iovec v[FIELDS_MAX];
	size_t n = fields_iovec(f, v), before = b->len;

	for (size_t i = 0; i < n; i++)
		if (append_native(b, &v[i]) < 0) {
			b->len = before;
			return -ENOMEM;
		}
	return 0;
}

#define NAME_BYTES 32
#define FIELD_BYTES (NAME_BYTES + 2 * WORD_SHOWN + 4)
#define CUT_SHORT " cut=true\n"

/* " name=value", its bytes; 0: a field that is not for people. The value is what word_show() makes of it, and quoted if
 * there is anything in it that could be taken for the end of it. */
static size_t spell_field(const struct iovec *field, char ret[FIELD_BYTES])
{
	const char *name = field->iov_base, *is = memchr(name, '=', field->iov_len);
	size_t len = field->iov_len - (is + 1 - name), n = 0;
	char raw[WORD_SHOWN + 1], shown[WORD_SHOWN];
	bool quoted;

	if (strncmp(name, "SYSLOG_IDENTIFIER=", 18) == 0)
		return 0;
	if (strncmp(name, "SEVER_", 6) == 0)
		name += 6;
	ret[n++] = ' ';
	for (const char *c = name; c < is && n < NAME_BYTES; c++)
		ret[n++] = tolower((unsigned char)*c);
	ret[n++] = '=';
	len = len < sizeof(raw) - 1 ? len : sizeof(raw) - 1;
	memcpy(raw, is + 1, len);
	raw[len] = '\0';
	word_show(raw, shown);
	quoted = !*raw || strcmp(raw, shown) != 0 || strpbrk(shown, " =\"\\'");
	if (quoted)
		ret[n++] = '"';
	for (const char *c = shown; *c; c++) {
		if (*c == '"' || *c == '\\')
			ret[n++] = '\\';
		ret[n++] = *c;
	}
	if (quoted)
		ret[n++] = '"';
	return n;
}

int fields_line(const struct fields *f, uint64_t realtime_us, struct buffer *b)
{
	time_t seconds = realtime_us / 1000000;
	char line[LINE_BYTES], field[FIELD_BYTES];
	struct iovec v[FIELDS_MAX];
	size_t n = fields_iovec(f, v), len;
	bool cut = false;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return -EINVAL;
	len = strftime(line, sizeof(line), "time=%FT%T", &tm);
	len += snprintf(line + len, sizeof(line) - len, ".%06uZ", (unsigned)(realtime_us % 1000000));
	for (size_t i = 0; i < n && !cut; i++) {
		size_t more = spell_field(&v[i], field);

		cut = len + more + strlen(CUT_SHORT) > sizeof(line);
		if (cut)
			break;
		memcpy(line + len, field, more);
		len += more;
	}
	memcpy(line + len, cut ? CUT_SHORT : "\n", strlen(cut ? CUT_SHORT : "\n"));
	return append(b, line, len + strlen(cut ? CUT_SHORT : "\n"));
}
