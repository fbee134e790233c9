/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_COVERAGE_H
#define SEVER_COVERAGE_H

#include "pipeline/source.h"

/* Notes what might match and could not be seen, and marks the selection incomplete for it. */
void coverage_account(struct source *s, const struct filter *f, struct selection *sel);

#endif
