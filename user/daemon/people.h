/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* people.h - who is on this host, and what those hold who matter for whose a flow is. */
#ifndef SEVER_PEOPLE_H
#define SEVER_PEOPLE_H

#include "daemon/live.h"
#include "pipeline/source.h"

/* The processes and sessions. 0 or negative errno. */
int people_read(struct live *l, struct selection *ret);
/* Then what those hold who are logged in; with a filter also those it names; and the caller (0 none) and those who started it, lest
 * they cut themselves off. of: what of these flows, or NULL: all. 0 or negative errno. */
int people_read_holders(struct live *l, const struct filter *f, uint32_t caller, const struct flowset *of, struct selection *ret);

#endif
