/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lineage.h - where the cgroups are that are in use. A cgroup stays where it was made and its id is never given again, so each is
 * asked about once; one that is removed while sockets are left of it is still known. */
#ifndef SEVER_LINEAGE_H
#define SEVER_LINEAGE_H

#include "model/filter.h"

struct lineage {
	struct ancestry {
		uint64_t id;
		char *path; /* as of cgroup_path(); NULL: it was gone when it was asked about */
	} *v; /* sorted by id */
	size_t n;
};

/* Knows those in use and forgets the others; sorts the ids and drops repeats. 0 or -ENOMEM. */
int lineage_update(struct lineage *l, struct ids *in_use);
const char *lineage_path(const struct lineage *l, uint64_t id);
void lineage_clear(struct lineage *l);

#endif
