/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source.h - where flows come from. A source selects; everything downstream of it is the same for all. */
#ifndef SEVER_SOURCE_H
#define SEVER_SOURCE_H

#include "kernel/netns.h"
#include "kernel/owners.h"
#include "model/filter.h"

/* Sentences about what could not be seen, each once. */
struct notes {
	char **v;
	size_t n, cap;
};
int note(struct notes *notes, const char *fmt, ...) _printf_(2, 3);

/* One look at the host: the flows that matched, and the people they were attributed by. */
struct selection {
	struct flowset flows;
	struct owners owners;
	struct sessions sessions;
	struct people people; /* views of the two above */
	bool given;            /* in, of the index: people and holders were read already; nothing is to be cut by this look */
	bool lean;             /* in: who holds the flows need not be known, but for the caller's own processes */
	uint64_t boot;         /* that `since` of the flows counts from, see moment.h; 0: it is not known of any */
	uint64_t age_unknown;  /* flows --older-than could not judge */
	uint64_t unattributed; /* accepted flows in reach of which only a service's uid is known */
	bool incomplete;       /* something that might match could not be seen; the notes say what */
};
void selection_clear(struct selection *s);

struct source {
	const struct source_ops *ops;
	struct netns_table netns; /* doors for whoever destroys and looks up */
	struct owners_bpf *bpf;   /* NULL: refused, see bpf_err */
	int bpf_err;
	size_t crowd; /* flows of the whole host that its own came from, about; 0 not counted */
	struct notes notes;
};

struct source_ops {
	/* Selects what the filter matches. frozen (may be NULL): flows known already; those still there are marked
	 * `present` instead of being selected again, but for a UDP socket that has a peer once more.
	 * 0 or negative errno. */
	int (*select)(struct source *s, const struct filter *f, struct flowset *frozen, struct selection *ret);
	/* Whether each of these, all of them `tracked`, is still there: sets `present`. NULL: the kernel is to be asked. 0 or negative
	 * errno. */
	int (*lookup)(struct source *s, struct flow *const *v, size_t n);
	/* Adds to the sessions of a selection, whose flows were measured just now, what is known of their past; a flow that has become part of
	 * it counts for nothing then. NULL: nothing is known. 0 or negative errno. */
	int (*recall)(struct source *s, struct selection *sel);
	/* Reads the processes and who holds the sockets of the scope into o, whose bpf is set. 0 or negative errno. */
	int (*holders)(struct source *s, struct owners *o, struct owner_scope *scope);
	/* Some thousand orders have gone out: takes in what they have caused, before that is more than fits. NULL: nothing is kept. */
	void (*catch_up)(struct source *s);
	void (*close)(struct source *s);
};

/* Reads the kernel now: no daemon, no set-up. */
int scan_open(struct source **ret);

/* What every source has: its doors and notes. For close() of source_ops. */
void source_clear(struct source *s);
static inline void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}
DEFINE_CLEANUP(struct source *, source_close)

#endif
