/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sockets.h - the sockets of one network namespace: list them, look one up, destroy some. */
#ifndef SEVER_SOCKETS_H
#define SEVER_SOCKETS_H

#include "kernel/diag.h"
#include "kernel/netns.h"

/* Takes each flow of a dump; it may keep a copy. Negative: stop with that error. */
typedef int (*flow_cb)(const struct flow *f, void *arg);

struct listeners;

/* Listening TCP ports and unconnected UDP ones, to tell accepted flows from opened ones. 0; 1 some may be missing; negative
 * errno. */
int listeners_read(struct netns *ns, struct listeners **ret);
void listeners_free(struct listeners *l);
DEFINE_CLEANUP(struct listeners *, listeners_free)
/* In: a listener of this namespace has the local address. Out: none has, the local port is one that connect() picks and the
 * remote port is none of these or is listened on here. Else unknown: the listener may have gone. */
enum direction listeners_direction(const struct listeners *l, const struct netns *ns, const struct flow *f);

/* Shows each socket the filter's cheap half may match and some more, with netns and direction set, MPTCP before the TCP
 * sockets below it (which are left out wherever MPTCP can be listed). A socket may be shown twice. 0; 1 the answer may miss sockets although
 * it was asked for three times; negative errno. */
int sockets_dump(struct netns *ns, const struct filter *f, flow_cb cb, void *arg);

/* One protocol, as asked for and unfiltered; directions are left unknown. No handler for it but TCP's is no error. */
int sockets_dump_raw(struct netns *ns, struct diag_dump *d, flow_cb cb, void *arg);

/* Looks each flow up by its cookie and shows what was found; what is gone is not shown. 0 or negative errno. */
int sockets_lookup(struct netns *ns, struct flow *const *v, size_t n, flow_cb cb, void *arg);

/* The same, and what TCP has counted of each is known. */
int sockets_measure(struct netns *ns, struct flow *const *v, size_t n, flow_cb cb, void *arg);

/* Orders the kernel to destroy each flow, by tuple and cookie, and stores each answer in flow->err: 0 done,
 * -ENOENT, -EPERM, -EOPNOTSUPP ... MPTCP is not for this. 0; negative errno when nothing was sent. */
int sockets_destroy(struct netns *ns, struct flow *const *v, size_t n);

#endif
