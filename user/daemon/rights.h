/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rights.h - who may do what. root and the group `sever` may do all; others may see and disconnect what belongs to their own login
 * uid. */
#ifndef SEVER_RIGHTS_H
#define SEVER_RIGHTS_H

#include "daemon/peer.h"
#include "model/flow.h"

/* Asks NSS, which may take its time: not for the event loop, see nss.h. False: there is no group `sever`. */
bool rights_group(gid_t *ret);
/* The group is looked up each time: it may be made, or change, while the daemon runs. */
bool rights_all(const struct peer *p);
/* For who has not all: whether a flow is his. A uid alone is no proof: services accept for others. */
bool rights_flow(const struct peer *p, const struct flow *f);

#endif
