// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/session.h"

#include <string.h>

const char *const survives_name[] = { "unknown", "nothing", "detached-only", "multiplexer" };
_Static_assert(array_size(survives_name) == SURVIVES_MAX, "name every kind of survival");

const char *const presence_name[] = { NULL, "active", "disconnected", "connected" };
_Static_assert(array_size(presence_name) == PRESENCE_MAX, "name every presence");

void sessions_clear(struct sessions *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
