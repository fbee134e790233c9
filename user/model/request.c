// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/request.h"

const char *const stage_name[] = { "dead", "released", "ended", "verified" };
const char *const list_what_name[] = { "sessions", "flows", "users", "clients" };
const char *const guard_name[] = { NULL, "self", "max", "collateral", "all", "protect" };
_Static_assert(array_size(guard_name) == GUARD_PROTECT + 1, "name every guard");
_Static_assert(array_size(list_what_name) == LIST_MAX, "name every listing");
_Static_assert(array_size(stage_name) == STAGE_MAX, "name every stage");
