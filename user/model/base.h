/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base.h - the few macros every file wants: cleanup attributes and hand-over. */
#ifndef SEVER_BASE_H
#define SEVER_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define array_size(a) (sizeof(a) / sizeof(*(a)))

/* Room for one sentence of explanation that travels up beside a negative errno. */
#define ERR_LEN 1280

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Defines NAMEp(), the cleanup function of a pointer that may be NULL. */
#define DEFINE_CLEANUP(type, destroy)                                                              \
	static inline void destroy##p(type *p)                                                     \
	{                                                                                          \
		if (*p)                                                                            \
			destroy(*p);                                                               \
		*p = NULL;                                                                         \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _free_ _cleanup_(freep)
#define _close_ _cleanup_(closep)
#define _fclose_ _cleanup_(fclosep)

static inline void *take_ptr(void *pp)
{
	void **p = pp, *v = *p;

	*p = NULL;
	return v;
}

static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* Formats into err (ERR_LEN bytes, may be NULL) and returns r, so that a caller can
 * say and leave in one line. */
int fail(int r, char *err, const char *fmt, ...) _printf_(3, 4);

/* Grows *array (element size `size`, *cap elements) so that it holds `need`. 0 or -ENOMEM. */
int grow(void *array, size_t *cap, size_t need, size_t size);

#endif
