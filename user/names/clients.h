/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clients.h - host names to addresses. Never the other way round: what a peer's DNS says of its
 * own address proves nothing. */
#ifndef SEVER_CLIENTS_H
#define SEVER_CLIENTS_H

#include "model/addr.h"

/* All addresses of a host name, through NSS, as full-length prefixes, each once; *ret is malloc'ed.
 * 0; -ESRCH there is no such name; -EAGAIN the resolver could not tell; -ENOMEM. err is a whole
 * sentence. */
int client_resolve(const char *host, struct prefix **ret, size_t *ret_n, char *err);

#endif
