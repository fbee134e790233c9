/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service.h - from a message to the method it calls, and what org.varlink.service itself answers. No I/O.
 *
 * For who writes the methods: fill a struct io_sever; call.h says how a call is answered. */
#ifndef SEVER_SERVICE_H
#define SEVER_SERVICE_H

#include "daemon/transport.h"

/* Each gets the arg of struct service. Return 0; a negative errno of a hook that has not answered is answered by
 * call_fail(). A hook that is NULL is answered with MethodNotImplemented. */
typedef int (*method_hook)(struct call *c, void *arg);

struct io_sever {
	method_hook list, kill, watch, get_request, doctor, fence_add, fence_list, fence_lift;
};

/* Oneway calls at once; more are dropped. Nobody waits for them, so nothing else would stop a caller. */
#define ONEWAY_MAX 256

struct service {
	const struct io_sever *io;
	void *arg;
	unsigned int n_oneway;	 /* being done */
	uint64_t n_calls, n_bad; /* since the start: calls, what was no call */
};

/* Answers what can be answered at once, and calls a hook for the rest. t->call is set while the answer is due.
 * Neither text nor t is freed. 0; -EBADMSG, -ENOMEM: t is to be closed as soon as what was sent to it has gone out. */
int service_handle(struct service *s, struct transport *t, const char *text, size_t len);
/* Says that a message of more than MESSAGE_MAX bytes came. */
int service_too_large(struct service *s, struct transport *t);

#endif
