/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nl.h - the one netlink loop. A socket belongs for ever to the network namespace it was opened in and goes on
 * working there whatever namespace the process moves to. */
#ifndef SEVER_NL_H
#define SEVER_NL_H

#include "model/base.h"

#include <linux/netlink.h>

struct nl;

/* Called for each message of the kernel's answer, NLMSG_ERROR included; NLMSG_DONE and
 * NLMSG_NOOP are not shown. A negative return ends the talk with that value. */
typedef int (*nl_cb)(const struct nlmsghdr *nlh, void *arg);

/* Opens a NETLINK_SOCK_DIAG socket in the calling thread's network namespace. */
int nl_open(struct nl **ret);
void nl_close(struct nl *nl);
DEFINE_CLEANUP(struct nl *, nl_close)
int nl_fd(const struct nl *nl);

/* Sends one dump request (its seq and flags are set here) and feeds the answer to cb. 0 complete; 1 the
 * kernel says the dump was interrupted by a change, or messages were lost: the answer may miss or repeat
 * sockets; negative errno, the one of an NLMSG_ERROR included. */
int nl_dump(struct nl *nl, struct nlmsghdr *req, nl_cb cb, void *arg);

/* Sends n messages (numbered here from *ret_seq on) laid out in buf. The kernel has worked through all of them
 * when the send returns. answers: each message brings an answer (a look-up), so wait for n of them;
 * else only errors come back (a destroy without NLM_F_ACK). 0; 1 answers were lost for want of buffer
 * space; negative errno. */
int nl_batch(struct nl *nl, void *buf, size_t len, size_t n, bool answers, uint32_t *ret_seq, nl_cb cb,
	     void *arg);

/* The errno of an NLMSG_ERROR message (negative, 0 for an ACK); -EBADMSG when it is cut short. */
int nl_error(const struct nlmsghdr *nlh);

#endif
