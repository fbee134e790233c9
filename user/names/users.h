/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* users.h - user names and uids, through NSS. Names are only a way to say a uid. */
#ifndef SEVER_USERS_H
#define SEVER_USERS_H

#include "model/base.h"

/* Finds the uid behind NAME, DOMAIN\NAME or NAME@REALM. A domain form is asked as typed and in its
 * other spelling (DOMAIN\NAME <-> NAME@DOMAIN); where they give different uids the name is
 * ambiguous. 0; -ESRCH no such user; -EINVAL ambiguous (err lists both); another errno when NSS
 * itself failed. err is a whole sentence. */
int user_resolve(const char *name, uint32_t *ret_uid, char *err);

/* uid -> name, remembered. A uid without a name gets "uid:N". NULL only when out of memory. Owned
 * by the cache. */
struct user_cache;
const char *user_name(struct user_cache **cache, uint32_t uid);
void user_cache_free(struct user_cache *cache);
DEFINE_CLEANUP(struct user_cache *, user_cache_free)

#endif
