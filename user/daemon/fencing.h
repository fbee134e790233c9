/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fencing.h - the fences that people put up: numbered, remembered in the file `fences` of the state directory, told of in the log,
 * and handed to the kernel, which ends each on time whether or not we are there.
 *
 * A fence's end is counted on CLOCK_BOOTTIME, so that a clock that is set neither lengthens nor shortens it. Over a boot its
 * remaining time is what it was when last written down, every FENCING_SAVE_S seconds and at the end: while the host is down
 * none of it goes by. What it names by a number of the old boot (session, inode of a namespace) it names no more, and says so.
 * Cgroups and units are followed by their names.
 *
 * Any thread may call these, but none of them with the lock of live held. */
#ifndef SEVER_FENCING_H
#define SEVER_FENCING_H

#include "daemon/lineage.h"
#include "daemon/live.h"
#include "kernel/fence.h"

#include <jansson.h>

#define FENCING_MAX 10000
#define FENCING_PARTS_MAX 65536 /* of the kernel's, for all of them */
#define FENCING_SAVE_S 10
#define FENCING_DAYS_MAX 366

struct fencing;
struct record;
struct selection;

struct fencing_options {
	const char *state_dir; /* is there, and ours alone */
	const char *pin_dir;   /* see fence_options; NULL: they end with us */
	struct live *live;     /* who is told, and knows whose connections are whose; NULL: nobody */
	const struct prefixes *protect; /* no fence keeps these out; may be NULL */
	struct record *record; /* which kills have begun; NULL: none of those that a fence waits for */
};

/* Takes up what was left, but for what a kill has left that had not begun. Where the kernel refuses fences it is opened all the
 * same, and each new one is refused with the reason. 0 or negative errno with a sentence in err. */
int fencing_open(struct fencing **ret, const struct fencing_options *o, char *err);
/* What could not be taken up or written down since it was asked last, or can be again, in sentences for who runs the host. Whether
 * there is any; it does not wait, and may say later what it cannot now. */
bool fencing_complaint(struct fencing *f, char ret[ERR_LEN]);
/* They stand on, if they are pinned. */
void fencing_close(struct fencing *f);
DEFINE_CLEANUP(struct fencing *, fencing_close)

/* From now on; of the fences that stand none is taken down for it. Waits for nothing. */
int fencing_protect(struct fencing *f, const struct prefixes *protect);

/* Who puts one up, or lifts it. */
struct fence_author {
	uint32_t uid, login_uid; /* ID_UNSET: never logged in */
	uint32_t pid;		 /* 0 unknown */
};

/* Puts up a fence for what the selectors of the request say, for its fence_ms, with its reason; id "" unless it is part of a
 * kill. It stands, inbound where fencing_attach() has been, and what was under way before has settled, when this returns 0; else
 * nothing stands and nothing is remembered. Looks up names and waits for the disk: not for the event loop. Rights are the caller's
 * business, guards are not (everyone without `yes`, protected addresses, the connections of req->caller without include_self):
 * *ret_why says which one refused it, and what is not there.
 *
 * job: number of the request, 0 none. *ret: a Fence of io.sever, the caller's. With a sentence in err: -EINVAL, -E2BIG, -ESRCH,
 * -EAGAIN as fence_resolve() and fence_compile(); -ECANCELED a guard; -EOPNOTSUPP the kernel cannot; -EBUSY too many; what the
 * disk or the kernel said. A dry run is refused for the same reasons, and does nothing; *ret is left as it is. */
int fencing_add(struct fencing *f, const struct request *req, const struct fence_author *by, uint32_t job, json_t **ret,
		struct refusal *ret_why, char *err);

/* What a request comes to for what fencing_add() returned. */
enum status fencing_status(int r);

/* Takes down the fence of that id, or where it is NULL those that were put up with just these selectors, as typed, in any
 * order; req may be NULL with an id. *ret: an array of Fence, the caller's. -ENOENT: none; what the disk or the kernel said, and
 * they stand as before. */
int fencing_lift(struct fencing *f, const char *id, const struct request *req, const struct fence_author *by, uint32_t job,
		 json_t **ret, char *err);
/* The kill that a fence came with has been recorded: from now on it stands by itself. Where that never comes it is taken back, at
 * the latest by the severd that takes up what this one has left. */
void fencing_begun(struct fencing *f, const char *request);
/* The fence was for what is not to be: it is down when this returns, and the file forgets it as soon as the disk takes that. Nobody
 * has lifted it. */
void fencing_take_back(struct fencing *f, const char *id, uint32_t job);

/* Those that stand, soonest end first; with selectors those put up with just these. *ret is the caller's. 0 or -ENOMEM. */
int fencing_list(struct fencing *f, const struct request *req, json_t **ret);

/* Whether any stands that names a user, session, cgroup or unit; that names addresses or ports alone. Costs nothing. */
bool fencing_any_people(const struct fencing *f);
bool fencing_any_place(const struct fencing *f);

/* The fence that a flow falls under: of several the one that stands longest. */
struct fence_match {
	char id[FENCE_ID_LEN];
	char request[REQUEST_ID_LEN]; /* "" none */
};

/* Whom the fences that name people mean of those who are here at one moment. */
struct meant {
	struct filter any; /* selects what may fall under one of them; nothing is named in it where there are none */
	struct subject {
		enum sel kind; /* SEL_USER, SEL_SESSION, SEL_CGROUP */
		uint64_t id;   /* uid, index of the session, id of the cgroup */
		uint64_t fence;
	} *v; /* sorted */
	size_t n, cap;
	struct ids fences; /* their numbers */
};
void meant_clear(struct meant *m);

/* cgroups: is the caller's, for the next time. 0 or -ENOMEM; *ret is to be cleared in any case. */
int fencing_mean(struct fencing *f, const struct people *people, struct lineage *cgroups, struct meant *ret);
/* Calls fn for what a look has found with m->any and a fence is to end: what came after it had gone up, or became whose it is
 * since. What the first look at a fence finds otherwise was there before, and is left alone from then on. Not what has a protected
 * address at its other end. By one thread alone. 0 or negative errno, also of fn. */
typedef int (*fencing_caught)(const struct flow *flow, const struct fence_match *by, void *arg);
int fencing_judge(struct fencing *f, const struct meant *m, const struct selection *found, fencing_caught fn, void *arg);
/* The same for what was found in namespaces in which nobody was kept out till now, by the fences that name places. What is half open
 * is ended whenever it began. */
int fencing_judge_places(struct fencing *f, const struct selection *found, fencing_caught fn, void *arg);

/* Inbound fences hold in all these namespaces, too, from now on: those of the processes, those mounted and those of `held`. 0 or
 * negative errno; adds to *ret_new the inodes of those that are new, sorted. */
int fencing_attach(struct fencing *f, const struct owners *o, struct ids *ret_new);
/* These are new the next time as well: who came in there before is still to be ended. */
void fencing_attach_again(struct fencing *f, const struct ids *netns);
/* Cgroups and units that were made anew are fenced from now on, those that are gone no more. */
void fencing_follow(struct fencing *f);

/* When fencing_tick() has something to do, ns of CLOCK_BOOTTIME; 0: not until something changes. Costs nothing. */
uint64_t fencing_next(const struct fencing *f);
/* Tells of those that have ended, and has it written down that time goes by. Takes its time where there are many, but does not
 * wait for the disk. */
void fencing_tick(struct fencing *f);
/* Readable when there are hits to be told; -1: not as yet. */
int fencing_fd(const struct fencing *f);
/* Does not wait. Whether it could be done now. */
bool fencing_drain(struct fencing *f);

#endif
