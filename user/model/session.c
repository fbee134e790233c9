// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/session.h"

#include <string.h>

const char *const survives_name[] = { "unknown", "nothing", "detached-only", "multiplexer" };
_Static_assert(array_size(survives_name) == SURVIVES_MAX, "name every kind of survival");

void sessions_clear(struct sessions *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
