/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* author.h - what is remembered of a request besides its outcome: what was typed, and by whom. */
#ifndef SEVER_AUTHOR_H
#define SEVER_AUTHOR_H

#include "daemon/peer.h"
#include "model/request.h"

#include <jansson.h>

/* "--user alice", an array of strings; NULL: no memory, or one is not UTF-8. */
json_t *author_typed(const struct request *req);
/* The login uid of a caller, ID_UNSET unknown or none. */
uint32_t author_login(const struct peer *p);

#endif
