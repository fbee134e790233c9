// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/request.h"

const char *const stage_name[] = { "dead", "released", "ended", "verified" };
_Static_assert(array_size(stage_name) == STAGE_MAX, "name every stage");
