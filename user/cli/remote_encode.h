/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remote_encode.h - a request as parameters of io.sever's methods. What means something to this process only (a host
 * name, "self", the path of a namespace) is turned into what means the same to everybody. */
#ifndef SEVER_REMOTE_ENCODE_H
#define SEVER_REMOTE_ENCODE_H

#include "model/request.h"

#include <jansson.h>

/* 0; -ENOMEM; with a sentence in err what resolve() returns for a name that leads nowhere; -EINVAL: a text that is no
 * UTF-8. *ret is a new reference. */
int encode_kill(const struct request *req, json_t **ret, char *err);
int encode_list(const struct request *req, json_t **ret, char *err);
int encode_fence_add(const struct request *req, json_t **ret, char *err);
int encode_fence_list(const struct request *req, json_t **ret, char *err);
/* id: NULL for the selectors. */
int encode_fence_lift(const struct request *req, const char *id, json_t **ret, char *err);
/* after: UINT64_MAX for none. */
int encode_watch(const struct request *req, uint64_t after, json_t **ret, char *err);

#endif
