/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* search.h - one selection from the index under way. */
#ifndef SEVER_SEARCH_H
#define SEVER_SEARCH_H

#include "daemon/live.h"
#include "pipeline/select.h"

struct search {
	struct select select;
	struct live *live;
	struct filter wide;   /* the filter, in any state: that of an entry is the one it was born in */
	uint64_t now;	      /* ns since boot */
	uint64_t boot;	      /* see moment.h */
	struct flowset found; /* still to be judged, when their namespaces are open */
	struct flowset unsure; /* accepted, and by whom is not known yet: their uid is the listener's */
	struct ids netns;     /* where candidates are */
	size_t n_settled;     /* candidates that nobody seemed to own, and somebody does */
	bool mptcp;	      /* a candidate lies below an MPTCP connection */
	uint32_t pending;     /* bits 1 << enum proto: of candidates whose local end is not known yet */
	bool states;	      /* the states they are in now are asked for */
	bool held_seen;	      /* what people hold was shown already */
	bool given;	      /* no doors are needed but to see what the index has not */
	bool late;	      /* nobody is named: who holds them is asked of what was found alone */
	bool asked_everyone;  /* all who hold the candidates are known */
	size_t n_open;	      /* handles that were named and may be something the index has not */
	struct opener {
		uint64_t cookie;
		int32_t proc;
	} *openers; /* where late: who opened the candidates, and is still there */
	size_t n_openers, cap_openers;
};

/* Looks at every descriptor of the host, for the candidates and the handles that were named: shows the way into a namespace that no
 * process is in, and what a handle means that is no connection. */
int search_everyone(struct source *s, struct search *q);
/* Where the filter names states that the index does not follow: selects who is in one of those. Before the candidates are looked for:
 * who is let in meanwhile is among them then, by the cookie he had before. The other way round he would be in neither. */
int search_half(struct source *s, struct search *q);
/* Doors to where the candidates are; to everywhere only where what the index has not may match. */
int search_doors(struct source *s, struct search *q);
/* Selects the rest of what the index has not. */
int search_elsewhere(struct source *s, struct search *q);
/* Where late: whose of them what was selected is, unless everyone was asked. */
int search_holders(struct search *q, uint32_t caller);
/* For a listing, whose flows are attributed: all who hold them, and who holds what nobody does that has a log-in. Whose a flow is stays. */
int search_other_holders(struct source *s, struct search *q);
/* Asks the kernel whose the unsure ones are, and keeps the answer. */
int search_uids(struct source *s, struct search *q);
/* When it came to be, and how old it is, where somebody saw that. */
void search_birth(const struct search *q, const struct entry *e, struct flow *f);
/* With the lock of live: fills found, unsure and netns. 0 or negative errno. */
int search_candidates(struct search *q);

#endif
