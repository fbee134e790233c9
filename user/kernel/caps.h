/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_CAPS_H
#define SEVER_CAPS_H

#include "model/base.h"

/* Whether the process has a capability (CAP_NET_ADMIN ...) in its effective set, over its own user namespace. */
bool cap_effective(unsigned int cap);

#endif
