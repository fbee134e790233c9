/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_SUMMARIZE_H
#define SEVER_SUMMARIZE_H

#include "pipeline/job.h"

/* Reports each flow and the totals of a request that came to `status`, and returns the status of the whole: `status`
 * itself unless that is STATUS_OK and the outcomes say otherwise. */
enum status summarize(struct job *j, struct names *names, enum status status);

#endif
