// SPDX-License-Identifier: LGPL-2.1-or-later
/* escape.c - the one place where outside text is made safe to show. */
#include "report/escape.h"

#include <string.h>

/* Control, invisible and reordering characters: a terminal would obey them, or a reader be fooled. */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f;
}

static bool is_printable(uint32_t c)
{
	for (size_t i = 0; i < array_size(unprintable); i++)
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return false;
	return true;
}

size_t utf8_decode(const char *s, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)s;
	uint32_t c;
	size_t len;

	if (n == 0)
		return 0;
	len = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	c = len == 1 ? b[0] : b[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

static size_t put_hex(FILE *f, const char *s, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		char out[4] = { '\\', 'x', digit[(s[i] >> 4) & 0xf], digit[s[i] & 0xf] };

		fwrite_unlocked(out, 1, sizeof(out), f);
	}
	return 4 * n;
}

size_t escape_putn(FILE *f, const char *s, size_t n)
{
	size_t written = 0;

	n = strnlen(s, n);
	for (size_t i = 0; i < n;) {
		size_t run = i, len;
		uint32_t c;

		while (run < n && is_plain(s[run]))
			run++;
		if (run > i) {
			written += fwrite_unlocked(s + i, 1, run - i, f);
			i = run;
			continue;
		}
		len = utf8_decode(s + i, n - i, &c);
		if (len > 0 && is_printable(c)) {
			fwrite_unlocked(s + i, 1, len, f);
			written++;
		} else {
			len = len ? len : 1;
			written += put_hex(f, s + i, len);
		}
		i += len;
	}
	return written;
}

size_t escape_put(FILE *f, const char *s)
{
	return escape_putn(f, s, SIZE_MAX);
}

char *utf8_clean(const char *s, size_t n)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len, w = 0;
	uint32_t c;
	char *out;

	n = strnlen(s, n);
	out = calloc(n + 1, strlen(replacement));
	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i += len ? len : 1) {
		len = utf8_decode(s + i, n - i, &c);
		memcpy(out + w, len ? s + i : replacement, len ? len : strlen(replacement));
		w += len ? len : strlen(replacement);
	}
	return out;
}
