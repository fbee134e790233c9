/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* chronicle.h - follows the log and puts each connection that a request ended into the journal. */
#ifndef SEVER_CHRONICLE_H
#define SEVER_CHRONICLE_H

#include "daemon/severd.h"

/* From now on. */
void chronicle_begin(struct severd *d);
/* What has come since the last time, at most some hundred events: asks to be called again for more. */
void chronicle_pump(struct severd *d);

#endif
