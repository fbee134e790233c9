/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* request_id.h - the name of a request, which whoever retries it gives again. */
#ifndef SEVER_REQUEST_ID_H
#define SEVER_REQUEST_ID_H

#include "model/request.h"

/* A random (version 4) UUID. 0, or -EIO. */
int request_id_make(char ret[REQUEST_ID_LEN]);

/* Reads any UUID and copies it in lower case, so that one request has one spelling. 0, or -EINVAL. */
int request_id_read(const char *text, char ret[REQUEST_ID_LEN]);

#endif
