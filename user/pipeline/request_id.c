// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/request_id.h"

#include <ctype.h>
#include <string.h>
#include <sys/random.h>

/* Not from /proc, which may be hidden. */
int request_id_make(char ret[REQUEST_ID_LEN])
{
	uint8_t b[16];
	size_t at = 0;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = 0x40 | (b[6] & 0x0f);
	b[8] = 0x80 | (b[8] & 0x3f);
	for (size_t i = 0; i < sizeof(b); i++) {
		const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";

		at += snprintf(ret + at, REQUEST_ID_LEN - at, "%s%02x", dash, b[i]);
	}
	return 0;
}

int request_id_read(const char *text, char ret[REQUEST_ID_LEN])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	_Static_assert(sizeof(form) == REQUEST_ID_LEN, "a UUID");
	if (strlen(text) != REQUEST_ID_LEN - 1)
		return -EINVAL;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
	for (size_t i = 0; i < REQUEST_ID_LEN; i++)
		ret[i] = tolower((unsigned char)text[i]);
	return 0;
}
