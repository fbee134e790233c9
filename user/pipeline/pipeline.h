/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pipeline.h - the one way in: a request and the hooks to report to. Nothing else decides who dies. */
#ifndef SEVER_PIPELINE_H
#define SEVER_PIPELINE_H

#include "pipeline/source.h"
#include "report/report.h"

/* What a door decides about the requests that come through it. */
struct access {
	/* Where the flows come from. */
	int (*open)(void *arg, struct source **ret);
	/* Whether the caller may see, of a listing, or end this flow. NULL: any. */
	bool (*may)(void *arg, const struct flow *f);
	/* S0: these will be cut, and nothing was touched yet. 0, or a negative errno with a sentence in err, and nothing is cut: who is
	 * to know is not ready. NULL: nobody wants to know. */
	int (*accept)(void *arg, struct selection *victims, char *err);
	/* Of a request with fence_ms: keeps out from now on whom it means. STATUS_OK, and which one it is in ret_id (FENCE_ID_LEN bytes);
	 * else none stands, a sentence is in err, and why in *ret_why. A dry run is told what would be refused, and
	 * no more. NULL: there are no fences here. */
	enum status (*fence)(void *arg, char *ret_id, struct refusal *ret_why, char *err);
	/* Takes that back: the request is refused after all. */
	void (*lift)(void *arg, const char *id);
	void *arg;
};

/* Of who runs this program: reads the kernel now, may do what the kernel allows. */
extern const struct access access_direct;

/* `kill` and `disconnect`. Returns the exit status; where one sentence explains it, it stands in err (ERR_LEN
 * bytes), else err is "". Once report_begin was called, report_end is called exactly once. */
enum status terminate(const struct request *req, const struct access *access, struct report *report, char *err);

/* What to exit with where a request came to nothing for negative errno r. */
enum status status_of_errno(int r);

/* `list`. Without selectors: everything. */
enum status list(const struct request *req, const struct access *access, struct report *report, char *err);

#endif
