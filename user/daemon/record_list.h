/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_list.h - the requests of the record in memory: the lines of the file, as they are, within the limits of record.h.
 * They are read when somebody asks, so that a request costs what it costs on the disk, however its JSON is built. */
#ifndef SEVER_RECORD_LIST_H
#define SEVER_RECORD_LIST_H

#include "daemon/record.h"

#include <sys/uio.h>

enum { ASKED, ENDED, LINES };

struct record_entry {
	char id[REQUEST_ID_LEN];
	uint32_t uid;
	struct iovec line[LINES]; /* ENDED is empty of one that is not done */
};

struct record_list {
	struct record_entry *v; /* oldest first */
	size_t n, cap;
};

static inline bool record_entry_is_done(const struct record_entry *e)
{
	return e->line[ENDED].iov_base;
}

/* NULL: none. The pointer is good until the list changes, or is made ready to. */
struct record_entry *record_list_find(const struct record_list *l, const char *id);
/* Whether one more of uid may be unfinished, and be of len bytes. */
bool record_list_has_room(const struct record_list *l, uint32_t uid, size_t len);
/* Makes sure that record_list_add() will not need memory. 0 or -ENOMEM. */
int record_list_reserve(struct record_list *l);
/* Both take *text, and then forget what is too much: the oldest of the same uid, or of all. */
void record_list_add(struct record_list *l, const char *id, uint32_t uid, char **text, size_t len);
void record_list_finish(struct record_list *l, struct record_entry *e, char **text, size_t len);
void record_list_clear(struct record_list *l);

#endif
