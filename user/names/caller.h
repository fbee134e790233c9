/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* caller.h - the session this very process runs in. The environment is not asked: it proves nothing. */
#ifndef SEVER_CALLER_H
#define SEVER_CALLER_H

#include "model/session.h"

/* Fills id with the logind session, or makes it "" and fills *ret_audit with the audit session. 0, or -ESRCH. */
/* pid 0: this very process. */
int session_of_caller(uint32_t pid, char id[SESSION_ID_LEN], uint32_t *ret_audit);

#endif
