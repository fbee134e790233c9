/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shut_in.h - a process that was given nothing but a connection to talk on. */
#ifndef SEVER_SHUT_IN_H
#define SEVER_SHUT_IN_H

#include "model/base.h"

/* Whether the root directory of pid is empty and root's, and it is in the same user namespace as keeper, a process of root's: then it
 * did not get there by itself, and has no way out. False where that cannot be seen. */
bool process_is_shut_in(uint32_t pid, uint32_t keeper);

#endif
