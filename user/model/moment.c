// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/moment.h"

#include <string.h>

#define ATTEMPTS 3

uint64_t moment_of_boot(void)
{
	uint64_t best = 0, narrowest = UINT64_MAX;

	/* Whoever is interrupted between the two clocks reads them again. */
	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t before = clock_ns(CLOCK_BOOTTIME), now = clock_ns(CLOCK_REALTIME);
		uint64_t after = clock_ns(CLOCK_BOOTTIME);

		if (after - before >= narrowest)
			continue;
		narrowest = after - before;
		best = now - before - narrowest / 2;
	}
	return (best + 500000) / 1000000 * 1000;
}

const char *moment_format(uint64_t us, char buf[MOMENT_LEN])
{
	time_t s = us / 1000000;
	struct tm tm;
	size_t n;

	if (!gmtime_r(&s, &tm) || tm.tm_year > 9999 - 1900)
		return NULL;
	n = strftime(buf, MOMENT_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, MOMENT_LEN - n, ".%06uZ", (unsigned int)(us % 1000000));
	return buf;
}

int moment_parse(const char *text, uint64_t *ret)
{
	char again[MOMENT_LEN];
	unsigned int us;
	struct tm tm = { 0 };
	uint64_t read;
	time_t s;

	if (strlen(text) != strlen("2026-11-21T17:47:21.000004Z") ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &us) != 7)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	s = timegm(&tm);
	read = s * UINT64_C(1000000) + us;
	/* Blanks, signs and the 31st of February are no way to write a time. */
	if (s < 0 || !moment_format(read, again) || strcmp(text, again))
		return -EINVAL;
	*ret = read;
	return 0;
}
