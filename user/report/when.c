// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/when.h"

const char *when_text(uint64_t us, char buf[WHEN_LEN])
{
	time_t s = us / 1000000;
	struct tm tm;

	if (!us || !localtime_r(&s, &tm) || !strftime(buf, WHEN_LEN, "%F %T", &tm))
		snprintf(buf, WHEN_LEN, "-");
	return buf;
}

const char *span_text(uint64_t ms, char buf[SPAN_LEN])
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	size_t i = 0;
	uint64_t rest;
	int n;

	while (i + 1 < array_size(units) && ms < units[i].ms)
		i++;
	n = snprintf(buf, SPAN_LEN, "%ju%s", (uintmax_t)(ms / units[i].ms), units[i].name);
	if (i + 1 == array_size(units))
		return buf;
	rest = ms % units[i].ms / units[i + 1].ms;
	/* Nobody counts milliseconds beside seconds. */
	if (rest && i + 2 < array_size(units))
		snprintf(buf + n, SPAN_LEN - n, "%ju%s", (uintmax_t)rest, units[i + 1].name);
	return buf;
}
