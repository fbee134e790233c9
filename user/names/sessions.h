/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sessions.h - which log-in session each process belongs to. logind knows where systemd runs
 * (sd-login reads its files, no bus); the audit session id of a process is the same on every host
 * with pam_loginuid. */
#ifndef SEVER_SESSIONS_H
#define SEVER_SESSIONS_H

#include "model/proc.h"
#include "model/session.h"

/* Fills *ret and the `session` of every process of a sorted table. A process in a logind session
 * belongs to that one; else one with an audit session id to the logind session whose leader has the
 * same id, and where there is none, or several, to "audit:N"; else, and where that is the one of the
 * user's systemd, to none. The leader of a session is its oldest process, and its audit session is
 * that of the session. 0 or negative errno; logind not running is no error, but -ELIBACC is one: it runs and cannot be asked,
 * because libsystemd cannot be loaded. */
int sessions_read(struct proctab *procs, struct sessions *ret);

/* Fills `survives`, `survivor` (and tty where unknown) of session number i, by looking at its
 * processes in /proc. holders: sorted pids that hold a transport flow of it and so end with it.
 * Unknown: somebody survives, but it may not be seen whether he owns terminals. (survivors.c) */
void session_survivors(struct sessions *s, size_t i, const struct proctab *procs,
		       const uint32_t *holders, size_t n_holders);

#endif
