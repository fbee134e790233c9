/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_compile.h - what a person wants fenced becomes the fences that the kernel knows. Pure.
 *
 * Repeats of one kind are ORed and different kinds ANDed, as everywhere; each combination is a fence of its own.
 *
 *	--client A, --local-port N	who comes in from A, at our port N
 *	--peer A			who comes in from A, and who goes out to A
 *	--remote-port N			who goes out to port N
 *	--all				who comes in and who goes out
 *	--user, --session		what the user's or session's processes open; with --client or --peer only to there
 *	--cgroup, --unit		the same of the processes in there
 *	--proto, --netns		restrict the others
 *
 * What comes in for a user, session, cgroup or unit is not in the list: whose it is shows later. So the list is empty for
 * people with --local-port. */
#ifndef SEVER_FENCE_COMPILE_H
#define SEVER_FENCE_COMPILE_H

#include "kernel/fence.h"
#include "model/filter.h"

#define FENCE_PORTS_MAX 64   /* of one fence; each is one of the kernel's */
#define FENCE_LIST_MAX 4096  /* of the kernel's, for one fence */
#define FENCE_ID_BITS 16     /* the lower ones of a kernel fence's id count those of one fence, from 1 */

/* What a session or cgroup that was named is to the kernel. */
struct fence_subjects {
	struct ids sessions; /* audit sessions */
	struct ids cgroups;  /* those that were named; all below them is meant as well */
};

struct fence_list {
	struct fence *v;
	size_t n, cap;
};

/* What it cannot do, bits. */
enum fence_note {
	FENCE_NOTE_LATE = 1,	 /* who comes in is known only after log-in */
	FENCE_NOTE_CGROUP = 2,	 /* who comes in is not known to a cgroup */
	FENCE_NOTE_NO_OUT = 4,	 /* what goes out has no port of ours beforehand */
	FENCE_NOTE_REFUSED = 8,	 /* part of it is refused here, or all */
	FENCE_NOTE_LAPSED = 16,	 /* what it names is gone, or was of an earlier boot */
	FENCE_NOTE_NETNS = 32,	 /* a network namespace could not be entered */
	FENCE_NOTE_BEHIND = 64,	 /* what it names is elsewhere by now, and could not be followed */
};

/* number: of the fence; until: ns of CLOCK_BOOTTIME. *ret is zero, and the caller's to free in any case. 0; with a sentence in
 * err: -EINVAL a kind that means nothing for a fence, or a combination that no connection can have; -E2BIG more than the limits
 * above. -ENOMEM. */
int fence_compile(const struct filter *f, const struct fence_subjects *s, uint64_t number, uint64_t until,
		  struct fence_list *ret, unsigned int *ret_notes, char *err);

#endif
