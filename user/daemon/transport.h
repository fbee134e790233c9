/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* transport.h - between a call and what carries it: a connection, or a test. Not for methods. */
#ifndef SEVER_TRANSPORT_H
#define SEVER_TRANSPORT_H

#include "daemon/call.h"

/* One caller, whose calls are answered in their order. */
struct transport {
	struct peer *peer;
	struct call *call;			     /* that is being answered; NULL: ready for the next */
	bool may_lag;				     /* see call_may_lag(): until the next call */
	bool (*has_room)(const struct transport *t); /* for a reply that continues */
	/* 0; -EAGAIN: no room, never where must; -EMSGSIZE; -ENOMEM; -ENOTCONN. NULL: hang up, the caller would wait
	 * in vain. */
	int (*send)(struct transport *t, const json_t *message, bool must);
	/* The same for a message that is spelled already, its NUL not counted. */
	int (*send_spelled)(struct transport *t, const char *message, size_t len, bool must);
	void (*idle)(struct transport *t); /* the call was answered */
};

struct service;

/* The call holds a reference until it is answered or its transport is gone. oneway: it has no transport. */
int call_new(struct service *s, struct transport *t, const char *method, json_t *parameters, bool more, bool oneway,
	     struct call **ret);
/* Runs the hook. */
void call_run(struct call *c, int (*hook)(struct call *c, void *arg), void *arg);

/* There is room again for t->call, if there is one. */
void transport_room(struct transport *t);
/* The caller is gone. */
void transport_gone(struct transport *t);

#endif
