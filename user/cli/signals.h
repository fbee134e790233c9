/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* signals.h - a signal that ends the work early, but with an answer. */
#ifndef SEVER_SIGNALS_H
#define SEVER_SIGNALS_H

#include "model/base.h"

#include <signal.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP sets what is returned; the second one ends the program. What the
 * caller chose to ignore stays so. own_session: a hang-up is ignored, for it is our own doing. */
const volatile sig_atomic_t *signals_catch(bool own_session);

#endif
