// SPDX-License-Identifier: LGPL-2.1-or-later
/* word.c - reading numbers out of words, and showing a word that may hold anything. */
#include "model/word.h"

#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int word_number(const char *text, size_t len, unsigned int base, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned int d = digit(text[i]);

		if (d >= base || d > max || n > (max - d) / base)
			return -EINVAL;
		n = n * base + d;
	}
	*ret = n;
	return 0;
}

const char *word_show(const char *text, char buf[WORD_SHOWN])
{
	static const char hex[] = "0123456789abcdef";
	const size_t room = WORD_SHOWN - sizeof("...");
	size_t n = 0;

	for (; *text; text++) {
		unsigned char c = *text;
		bool plain = c >= 0x20 && c < 0x7f;

		if (n + (plain ? 1 : 4) > room) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		if (plain) {
			buf[n++] = c;
			continue;
		}
		buf[n++] = '\\';
		buf[n++] = 'x';
		buf[n++] = hex[c >> 4];
		buf[n++] = hex[c & 15];
	}
	buf[n] = '\0';
	return buf;
}
