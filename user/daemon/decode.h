/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode.h - the parameters of List, Kill and Watch as a request, the same that a command line becomes. */
#ifndef SEVER_DECODE_H
#define SEVER_DECODE_H

#include "daemon/call.h"
#include "model/request.h"

/* parameters: what call_parameters() gives, that is, params_check() has passed them. Texts of *ret are borrowed from
 * them: keep a reference. *ret_selectors, which ret->selectors is, is to be freed. Of Kill ret->id is the request's
 * UUID, in lower case, or "" where the caller gave none; cursor, limit and after are not looked at. 0; -ENOMEM;
 * -EINVAL: err says "PARAMETER: why", to be handed to decode_refuse(). Both outputs are untouched on failure. */
int request_decode(const json_t *parameters, struct request *ret, struct selector **ret_selectors, char *err);

/* Answers with what request_decode() returned. 0 or negative errno, as call_error(). */
int decode_refuse(struct call *c, int r, const char *err);

#endif
