/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* live.h - the host as the tags show it: the index and the log, fed from the ring buffer. Shared by the event loop and the threads
 * that carry out requests; each holds the lock while it reads or writes what stands below it. */
#ifndef SEVER_LIVE_H
#define SEVER_LIVE_H

#include "daemon/index.h"
#include "daemon/log.h"
#include "daemon/returns.h"
#include "daemon/sittings.h"
#include "kernel/owners.h"
#include "kernel/owners_sole.h"
#include "kernel/track.h"
#include "model/request.h"

#include <pthread.h>

#define JOB_NAMES 1024 /* many more than run at once */

/* What is remembered of a request, for the events it causes. */
struct job_name {
	char id[REQUEST_ID_LEN];
	uint32_t number;
	uint32_t caller_session; /* of sittings.h: what it cuts there is admin_self; 0 none */
	bool fence;		 /* what it ends was to be kept out */
	bool runs;		 /* it keeps its place */
	struct owed {
		uint64_t cookie;
		uint32_t bytes;
	} *owed; /* what its victims still had to deliver, while it runs */
	size_t n, cap;
};

struct live {
	pthread_mutex_t lock;
	struct track *track;
	struct index index;
	struct log log;
	struct sittings sittings;
	struct returns returns;
	struct job_name jobs[JOB_NAMES]; /* by number modulo that */
	uint32_t last_job;
	struct track_losses losses; /* when the index was last brought in line */
	bool login_seen;	    /* a process has entered a session: whose flows are whose may have changed */
	bool filled;		    /* with what was there when we came */
	bool damaged;		    /* an event was lost, or there was no memory for one: the map knows better */
	bool astray;		    /* the map may be wrong as well */
	bool crowded;		    /* there are more flows than the kernel's map takes: the index is not all there is */
	int udp_err;		    /* 0, or why connected UDP is not in the index */
	uint64_t doubtful;	    /* some entries are `missing`: CLOCK_MONOTONIC ns after which they are called lost; 0 none */
	int wake;		    /* eventfd: written when the log has grown or login_seen was set */

	pthread_mutex_t resync_lock; /* one at a time; taken before the others */
	pthread_mutex_t people_lock; /* of the programs below, taken before `lock` where both are */
	struct owners_bpf *people;   /* NULL: refused */
	struct owners_sole *sole;    /* NULL: refused */
	int people_err;
};

/* Loads, pins and fills; pin_dir NULL: the tags end with us. 0 or negative errno, with a sentence in err. */
int live_open(struct live *l, const char *pin_dir, char *err);
void live_close(struct live *l);

/* The log has grown: whoever watches is to be told. */
void live_wake(struct live *l);
/* Takes in what has happened up to now. Without the lock held. 0 or negative errno. */
int live_drain(struct live *l);
/* With the lock held. */
int live_drain_locked(struct live *l);
/* With the lock held: one event into the index, and into the log: a birth if it is to be told and is not known yet. */
void live_take(struct live *l, const struct sever_event *e, bool tell);
/* Brings the index in line with the kernel's map, if events were lost, and that with the sockets, if it was more; the latter costs
 * a look at all of them. 1: there are more than the
 * index can have; 0: it has them all; negative errno: nobody knows. */
int live_resync(struct live *l);
/* Asks the kernel for each connection whether it is there still: one whose end nobody saw, nor counted as lost. 0 or negative
 * errno. */
int live_audit(struct live *l);

/* A number for a request, whose flows are then marked with it. */
uint32_t live_new_job(struct live *l, const char *id, uint32_t caller_session);
/* With the lock held: its flows are those a fence caught. */
void live_fence_job(struct live *l, uint32_t number);
/* From here on an end of theirs is the doing of this request. Those that have an outcome already are left out. */
void live_mark(struct live *l, uint32_t number, const struct flowset *set);
/* It has ended: only its name is kept. 0: none, nothing is done. */
void live_end_job(struct live *l, uint32_t number);
/* With the lock held: one of its victims has ended with so many bytes not delivered. */
void live_note_owed(struct live *l, const struct entry *e, uint32_t bytes);
/* Sets wqueue of those that were ended by that request. */
void live_owed(struct live *l, uint32_t number, struct flow *const *v, size_t n);
/* Sets the state they are in now, of those that have no outcome yet: a selection shows that of their birth. */
void live_states(const struct live *l, struct flowset *set);
const struct job_name *live_job(const struct live *l, uint32_t number);

#endif
