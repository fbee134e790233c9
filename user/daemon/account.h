/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* account.h - what each uid takes of the wire: connections, and bytes that wait to be read or written. One that takes
 * all it may stops itself and nobody else. */
#ifndef SEVER_ACCOUNT_H
#define SEVER_ACCOUNT_H

#include "model/base.h"

#include <sys/types.h>

struct account {
	uid_t uid;
	size_t connections, bytes;
};

struct accounts {
	struct account **v; /* of who is connected */
	size_t n, cap;
	size_t connections;		     /* of all */
	size_t bytes;			     /* of all but root */
	size_t max_connections, max_per_uid; /* root counts for the first alone, and has a sixteenth of it to itself */
	size_t max_bytes;		     /* of all but root together, and of root */
	size_t max_bytes_per_uid;
};

/* Counts one more connection of uid. 0; -EUSERS: too many of this uid; -ENFILE: too many; -ENOMEM. */
int account_open(struct accounts *a, uid_t uid, struct account **ret);
void account_close(struct accounts *a, struct account *one);
/* What waited `before` now is `after` bytes. */
void account_move(struct accounts *a, struct account *one, size_t before, size_t after);
/* Whether its bytes are as many as they may be. */
bool account_is_full(const struct accounts *a, const struct account *one);
void accounts_clear(struct accounts *a);

#endif
