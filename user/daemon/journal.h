/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* journal.h - what severd did, for those who ask later: records with fixed fields (severd(8)) to journald, or as lines to
 * stderr where there is no journald.
 *
 * Nothing here ever waits. What cannot be taken at once is kept, and given as soon as it can be; what would be more than is
 * kept is counted, and the count is a record of its own in that place. Requests are kept a little longer than connections.
 * libsystemd's sd_journal_sendv() is not used because it does wait, as long as journald does not read. */
#ifndef SEVER_JOURNAL_H
#define SEVER_JOURNAL_H

#include "daemon/journal_fields.h"

#include <systemd/sd-event.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_QUEUE (24u << 20) /* bytes kept: some 60,000 connections */

struct journal;

/* Decides where all records go: to stderr if asked to, or if nobody listens at JOURNAL_SOCKET. 0 or negative errno. */
int journal_open(bool to_stderr, struct journal **ret);
/* The same at any socket (NULL: none), with any descriptor for stderr, which stays the caller's, and any bound. */
int journal_open_at(const char *socket, int fd, size_t queue, struct journal **ret);
/* From now on what was kept is given when the loop sees room for it. Without, with the next record and at the end. */
int journal_attach(struct journal *j, sd_event *event);
/* Gives what is kept, for a second at most. */
void journal_close(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_close)

bool journal_is_stderr(const struct journal *j);
/* Bytes kept; records lost since the start. */
size_t journal_waiting(const struct journal *j);
uint64_t journal_lost(const struct journal *j);

void journal_accepted(struct journal *j, const struct recorded *r, uint64_t matched);
void journal_done(struct journal *j, const struct recorded *r);
void journal_cut(struct journal *j, const struct journal_cut *c);
void journal_fence(struct journal *j, enum journal_fence what, const json_t *fence);
/* A sentence about severd itself. priority as in syslog(3). */
void journal_say(struct journal *j, int priority, const char *sentence);

#endif
