/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* job.h - one termination under way, handed from step to step of terminate.c. */
#ifndef SEVER_JOB_H
#define SEVER_JOB_H

#include "pipeline/pipeline.h"

struct job {
	const struct request *req;
	const struct access *access;
	struct report *report;
	char *err; /* ERR_LEN bytes: the sentence that explains the status */
	struct filter filter;
	struct source *source;
	struct selection frozen; /* who is to die; its people stay as they were */
	struct selection after;  /* what matched once they were dead; of a listing: what led to a `backend` */
	uint64_t frozen_us;      /* CLOCK_MONOTONIC when the list was frozen */
	uint64_t deadline_us;
	bool orphaned; /* the processes that started this one are not all to be seen */
	struct refusal refusal;
	bool already; /* see struct summary */
	char fence[FENCE_ID_LEN]; /* that keeps out who is to die; "" none */
	bool awaited; /* what was to follow death has come */
	bool proven; /* a second selection found every victim gone */
};

void job_clear(struct job *j);
/* Something failed as a whole, with negative errno r. Says so in j->err, unless it was explained already, and
 * returns the status to exit with. */
enum status job_broken(struct job *j, int r, const char *doing);

/* Selects who is to die, with a mark on what carries the caller; the time begins to run. 0 or negative errno. */
int job_freeze(struct job *j);

/* Whether who asks may know of it. */
bool job_may_see(const struct job *j, const struct flow *f);

uint64_t now_us(void);
bool job_stopped(const struct job *j); /* by a signal */
bool job_over(const struct job *j);    /* stopped, or out of time */

/* A list of flows to work on, borrowed from the frozen set. */
struct worklist {
	struct flow **v;
	size_t n;
};
/* The flows of the frozen set for which want() says so; *ret's memory is the caller's. 0 or -ENOMEM. */
int worklist_make(struct job *j, bool (*want)(const struct flow *f), struct worklist *ret);
/* Calls fn for each run of the list that lies in one namespace, after sorting it by namespace. */
int worklist_by_netns(struct job *j, struct worklist *w,
		      int (*fn)(struct job *j, struct netns *ns, struct flow **v, size_t n));

/* guard.c: marks the flows that carry the caller. Then what no one may do without saying so: STATUS_OK, or STATUS_GUARD
 * with the reason in err and every flow `spared`. The caller's own flows are spared alone. */
int guard_mark_self(struct job *j);
enum status guard_check(struct job *j);
/* That, with this note for each flow. */
enum status guard_refuse(struct job *j, enum guard guard, const char *note);

/* fence_first.c: of a request that the guards have let pass, keeps out whom it means, then freezes and asks the guards again. Where this is
 * not STATUS_OK no fence stands. */
enum status fence_first(struct job *j);
/* What was put up for this request comes down, if anything. */
void fence_take_back(struct job *j);

/* destroy.c: orders each flow's end by the next engine that handles it, and the next where one refuses. Stores the answer in
 * flow->err and the engine in flow->engine; says nothing of life or death. */
int destroy_order(struct job *j, struct worklist *w);
/* Whether some engine has not had its turn. */
bool destroy_can_retry(const struct flow *f);

/* confirm.c: looks each flow up by its cookie and sets `present`. */
int confirm_lookup(struct job *j, struct worklist *w);
/* The same, by the source where it can: says nothing of what is still to be delivered. */
int confirm_dead(struct job *j, struct worklist *w);
/* Selects once more into j->after and sets `present` of every frozen flow that is still there. */
int confirm_select(struct job *j);
/* Settles dead, stale, alive, denied or unsupported by err and present. */
void confirm_settle(struct job *j, struct worklist *w);
/* Unsupported, with the reason. */
void confirm_unsupported(struct flow *f);

/* await.c: waits until nobody holds the dead any more, and where asked until their sessions have ended, or until the time is up; j->err says
 * what is missing. 0 or negative errno. */
int await(struct job *j);

/* drain.c: waits until the flows have delivered what they had to send, ordering each end as it comes to that, or until
 * the time is up. */
int drain(struct job *j, struct worklist *w);

/* decorate.c: fills the names of users, cgroups and namespaces of a flow. */
struct names {
	struct user_cache *users;
	struct cgroup_cache *cgroups;
};
void decorate(struct names *names, const struct source *source, struct flow *f);
const char *decorate_user(struct names *names, uint32_t uid); /* NULL for ID_UNSET */
void names_clear(struct names *names);

/* measure.c: fills what the flows of the frozen set have carried, where the source did not say. 0 or negative errno; what has gone
 * meanwhile stays as it was. */
int measure(struct job *j);

/* rows.c: reports the frozen set as sessions, users or clients. */
int rows_report(struct job *j, struct names *names, uint64_t *ret_n);

#endif
