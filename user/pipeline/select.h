/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* select.h - from a flow that was found to a flow that is selected: the rules that all sources share. */
#ifndef SEVER_SELECT_H
#define SEVER_SELECT_H

#include "pipeline/source.h"

struct select {
	const struct filter *filter;
	const struct netns *ns; /* of the flows that come now; NULL: the filter names no zones */
	struct flowset *frozen; /* known already, see source_ops.select; may be NULL */
	struct selection *sel;
	bool people; /* people are named, and what the likely ones hold is known */
};

/* Whether the filter means devices, which have other numbers in each namespace: `ns` is needed. */
bool select_zoned(const struct select *s);
/* Takes a copy of the flow if it may match. 0 or -ENOMEM. */
int select_flow(struct select *s, const struct flow *f);
/* The same, as sockets_dump() calls it: arg is a struct select. */
int select_dumped(const struct flow *f, void *arg);
/* The same for those of a set, which is the caller's to clear and may be empty then. */
int select_set(struct select *s, const struct netns_table *netns, struct flowset *set);
/* Once all who hold them are known: says whose they are, and drops those that do not match. */
void select_attribute(struct select *s);

#endif
