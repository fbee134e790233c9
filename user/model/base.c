// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/base.h"

#include <stdarg.h>

int fail(int r, char *err, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err, ERR_LEN, fmt, ap);
		va_end(ap);
	}
	return r;
}

int grow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 16;
	void **p = array, *bigger;

	if (need <= *cap)
		return 0;
	while (n < need)
		n += n / 2;
	bigger = reallocarray(*p, n, size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*cap = n;
	return 0;
}
