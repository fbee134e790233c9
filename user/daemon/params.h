/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* params.h - whether the parameters of a call are what the interface says: no member too many, none missing, each of
 * its type and in its range. What passed needs no second look by the method. */
#ifndef SEVER_PARAMS_H
#define SEVER_PARAMS_H

#include "model/base.h"

#include <jansson.h>

enum field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_ENUM, FIELD_OBJECT };

struct field {
	const char *name; /* NULL ends a table */
	enum field_type type;
	bool array;		     /* of that type */
	bool optional;		     /* may be absent or null */
	int64_t least, most;	     /* FIELD_NUMBER; FIELD_TEXT: bytes, most 0: no limit */
	const char *const *words;    /* FIELD_ENUM; NULL ends */
	const struct field *members; /* FIELD_OBJECT */
};

#define PARAM_LEN 96 /* a path such as "selectors[2].kind", shortened if need be */

/* 0, or -EINVAL and the first bad member in ret. A null that is allowed is taken out of object. */
int params_check(const struct field *fields, json_t *object, char ret[PARAM_LEN]);

/* Copies what a caller called something, at most size - 1 bytes of it, no UTF-8 sequence cut in two. */
void shorten(char *ret, size_t size, const char *text);

#endif
