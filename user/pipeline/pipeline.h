/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pipeline.h - the one way in: a request and the hooks to report to. Nothing else decides who dies. */
#ifndef SEVER_PIPELINE_H
#define SEVER_PIPELINE_H

#include "model/request.h"
#include "report/report.h"

/* `kill` and `disconnect`. Returns the exit status; where one sentence explains it, it stands in err (ERR_LEN
 * bytes), else err is "". Once report_begin was called, report_end is called exactly once. */
enum status terminate(const struct request *req, struct report *report, char *err);

/* What to exit with where a request came to nothing for negative errno r. */
enum status status_of_errno(int r);

/* `list`. Without selectors: everything. */
enum status list(const struct request *req, struct report *report, char *err);

#endif
