/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* methods.h - the methods of io.sever and their parameters, as include/sever/io.sever.varlink has them; test_interface
 * compares the two. */
#ifndef SEVER_METHODS_H
#define SEVER_METHODS_H

#include "daemon/params.h"

struct method {
	const char *name;
	const struct field *parameters;
	size_t hook;	 /* offset in struct io_sever */
	bool needs_more; /* a call without "more" is refused */
};

extern const struct method methods[];
extern const size_t n_methods;

#endif
