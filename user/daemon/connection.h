/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* connection.h - one caller: what it sends, and what waits to be read by it. For wire.c alone. */
#ifndef SEVER_CONNECTION_H
#define SEVER_CONNECTION_H

#include "daemon/account.h"
#include "daemon/wire.h"
#include "varlink/frame.h"

struct connection {
	struct transport transport; /* first: a transport is its connection */
	struct wire *wire;
	struct connection *prev, *next;
	struct account *account;
	sd_event_source *io;
	int fd;
	uint32_t events; /* asked for */
	struct frame in, out;
	size_t charged;	     /* bytes that stand in the account */
	uint64_t since_ms;   /* the last time that something was done for it */
	uint64_t partial_ms; /* since when a message has been incomplete; 0: none is */
	uint64_t unread_ms;  /* since when it has read nothing of what waits; 0: nothing waits */
	bool eof;	     /* it sends no more */
	bool gone;	     /* it reads no more either */
	bool last;	     /* to be hung up on when what waits has been read */
	bool broken;	     /* to be hung up on now */
	bool inside;	     /* on_io() runs, and will ask for events at its end */
};

struct wire {
	sd_event *event;
	struct service *service;
	struct wire_limits limits;
	struct accounts accounts;
	struct connection *connections;
	sd_event_source **listeners;
	size_t n_listeners, cap_listeners;
	sd_event_source *tick;
	bool deaf; /* out of descriptors: the listeners are off until the next tick */
	struct wire_stats stats;
};

uint64_t wire_now_ms(const struct wire *w);

/* fd is taken, also on failure. */
int connection_new(struct wire *w, int fd, struct peer *peer, struct account *account);
void connection_free(struct connection *v);
/* Looks at its time limits, and lets it go on if it was held up by a full account. It may be freed. */
void connection_tick(struct connection *v, uint64_t now_ms);

#endif
