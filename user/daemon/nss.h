/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nss.h - what the event loop wants to know of users and groups, asked by a thread of its own: a name service that is slow or hangs
 * costs names, and not the daemon. The loop waits for the thread for a tenth of its time at most; what comes later is there
 * when it is asked for again. */
#ifndef SEVER_NSS_H
#define SEVER_NSS_H

#include "daemon/peer.h"

#define NSS_NAME_LEN 256
#define NSS_PATIENCE_MS 100 /* of each second */

struct nss;

int nss_open(struct nss **ret);
/* Does not wait for an answer that is still to come. NULL: nothing is done. */
void nss_close(struct nss *n);

/* The name of a user, "uid:N" of one who has none; NULL: not known yet, or too long. Some are remembered, for a minute. */
const char *nss_user(struct nss *n, uint32_t uid, char ret[NSS_NAME_LEN]);
/* As rights_all(). Where the answer does not come in time, the one before it counts, and without one nobody is in the group. */
bool nss_rights(struct nss *n, const struct peer *p);

#endif
