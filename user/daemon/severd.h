/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* severd.h - what the methods of io.sever share. All of it belongs to the thread of the event loop. */
#ifndef SEVER_SEVERD_H
#define SEVER_SEVERD_H

#include "daemon/attend.h"
#include "daemon/call.h"
#include "daemon/live.h"
#include "daemon/service.h"
#include "daemon/work.h"

#include <systemd/sd-event.h>

/* Each selector may be compared with each flow, or looked up: who is not root does not get to keep all others waiting. */
#define SELECTORS_MAX 256

struct record;
struct fencing;
struct journal;
struct nss;
struct watcher;

struct severd {
	sd_event *event;
	struct live live;
	struct attend attend;
	struct record *record;
	struct fencing *fencing;
	struct journal *journal;
	uint64_t chronicled;	  /* number of the next event for the journal */
	struct work *works;	  /* being carried out */
	size_t n_works;
	int wake;		  /* eventfd of the works */
	struct watcher *watchers;
	struct nss *nss;	  /* names for events, and who is in the group */
};

/* The methods; arg is the struct severd. */
int serve_list(struct call *c, void *arg);
int serve_kill(struct call *c, void *arg);
int serve_watch(struct call *c, void *arg);
int serve_get_request(struct call *c, void *arg);
int serve_doctor(struct call *c, void *arg);
int serve_fence_add(struct call *c, void *arg);
int serve_fence_list(struct call *c, void *arg);
int serve_fence_lift(struct call *c, void *arg);

/* Whether the caller may see and do everything. */
bool severd_may_all(const struct severd *d, const struct call *c);
/* The parameters of a call as a work to be begun. NULL: the caller was told why not, or the negative errno says it. */
int severd_read(struct call *c, struct work **ret);
/* Starts a work, which is then among the works, with the caller of c as who asks for it. -EBUSY: there are too many. */
int severd_begin(struct severd *d, struct work *w, struct call *c);
/* Logs that a request was accepted or is done, for who watches. summary: NULL, or borrowed. */
void severd_tell(struct severd *d, enum event what, uint32_t job, uint32_t uid, json_t *summary);
/* Shows what the works have to say; what has happened, to those who watch. */
void severd_pump_works(struct severd *d);
void severd_pump_watchers(struct severd *d);
/* Ends all that is under way. */
void severd_quit(struct severd *d);

/* RFC 3339 with microseconds; 0: now. */
json_t *time_to_json(uint64_t us);
/* A record of the log as a whole reply of Watch, to be freed; NULL: no memory. With the lock of live. */
char *event_spell(struct severd *d, uint64_t seq, const struct logged *e, size_t *ret_len);

/* A sentence and what else there is as the answer of a request that ended with that status; `more` members are taken over. */
int severd_answer(struct call *c, enum status status, const struct refusal *why, const char *sentence, json_t *more);

#endif
