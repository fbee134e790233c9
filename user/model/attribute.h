/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attribute.h - whose flow is it. The rule of the project, in one place and without I/O. */
#ifndef SEVER_ATTRIBUTE_H
#define SEVER_ATTRIBUTE_H

#include "model/flow.h"
#include "model/holders.h"

struct people {
	const struct proctab *procs;
	const struct sessions *sessions;
	const struct holders *holders;
	bool by_inode;    /* holders are keyed by socket inode, not by flow_key() */
};

/* Fills user, login_uid, user_known, shared_with, session, proc, via and transport of f, whose direction is
 * known already. Precedence: session of a holder, login uid of a holder, uid of the socket. Among several sessions
 * the one whose leader holds the flow wins, then the one that began first.
 *
 * A flow of a session is its transport when it was not opened from here and either the leader holds it or a process
 * outside the session does: the service that accepted it. What only the session's own processes hold (a remote
 * forwarding, a server she started) is a session flow. */
void flow_attribute(struct flow *f, const struct people *p);

/* The login uid a process acts for: its session's, else its own; ID_UNSET none. */
uint32_t proc_login(const struct people *p, const struct proc *proc);

/* One as a session would have it, for the rights and filters that judge flows; its cookie is 0. */
struct flow flow_of_session(const struct sessions *all, size_t i);

/* The set of processes that hold f; 0 nobody was seen. */
uint32_t flow_holders(const struct flow *f, const struct people *p);

#endif
