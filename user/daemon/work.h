/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* work.h - a request being carried out by a thread of its own, because it may take as long as its victims do. What it has to say is
 * queued for the event loop, which alone speaks to callers. */
#ifndef SEVER_WORK_H
#define SEVER_WORK_H

#include "daemon/live.h"
#include "daemon/peer.h"
#include "pipeline/pipeline.h"

#include <jansson.h>

#define WORK_MAX 32    /* at once */
#define WORK_OTHERS 24 /* of all uids but root: who can take many uids must not keep root out */
#define WORK_PER_UID 8 /* of one uid other than root */

struct work;

/* Said by the thread, in this order: accepted (of a kill whose guards let it pass), lines, done. Each is handed to the hooks by
 * work_pump() in the event loop. */
struct work_hooks {
	/* S0: the victims are counted and nothing was touched. The thread waits for the answer: 0, or a negative errno, and nothing is
	 * cut. */
	int (*accepted)(struct work *w, size_t victims, void *arg);
	/* One line of the report, borrowed. -EAGAIN: it cannot be taken now; it comes again. */
	int (*line)(struct work *w, const char *text, size_t len, void *arg);
	/* It has ended, and is freed when this returns. */
	void (*done)(struct work *w, void *arg);
	/* Instead of done(): it was ended because we end. */
	void (*drop)(void *arg);
};

struct work {
	struct work *next;
	struct live *live;
	struct fencing *fencing; /* NULL: it puts up no fence */
	struct attend *attend;	 /* where there is a fencing */
	struct peer *peer;
	struct request request;
	struct selector *selectors;
	json_t *parameters; /* which the texts above are in */
	bool totals_only;
	bool names_only;      /* nothing is looked at: the filter is the answer */
	void (*body)(struct work *w); /* what the thread does instead of all that; NULL: nothing else */
	struct filter filter;
	uint64_t hidden; /* flows of a listing that the caller may not see */
	uint32_t job;	 /* of live_new_job(); 0: it ends nothing */
	const struct work_hooks *hooks;
	void *arg;

	/* The answer, once done. */
	enum status status;
	struct refusal refusal;
	char err[ERR_LEN];

	/* Of work.c. */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t answered;
	struct work_line *lines, **end; /* queued */
	size_t victims;
	enum { WORK_RUNS, WORK_ASKS, WORK_ANSWERED, WORK_DONE } state;
	int answer;
	int wake; /* borrowed eventfd: written when there is something to pump */
	volatile sig_atomic_t stop;
};

/* One to be filled: all but the part of work.c. What it points to becomes its own. */
struct work *work_new(void);
/* What the thread does of one that is names_only, for who knows that it takes no time. */
void work_resolve(struct work *w);
/* 0 or negative errno, after which it is still to be freed. */
int work_start(struct work *w, int wake);
/* Calls the hooks for what has come. True: done() was called and w is no more. */
bool work_pump(struct work *w);
/* Ends it soon, and truthfully; waits for that. Its lines are shown, and drop() is called instead of done(). */
void work_abort(struct work *w);
void work_free(struct work *w);

#endif
