/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* returns.h - who was cut a moment ago, so that who comes back is known for it. Bounded: of a burst some are forgotten. No lock: live.h
 * has it. */
#ifndef SEVER_RETURNS_H
#define SEVER_RETURNS_H

#include "daemon/index.h"

#define RETURN_NS 60000000000ull /* later it is no return any more */

struct cut {
	uint64_t cookie, when; /* ns of CLOCK_MONOTONIC; cookie 0: none */
	uint8_t remote[16];
	uint32_t netns, job;
	uint16_t port;
	uint8_t protocol, direction;
};

struct returns {
	struct cut *v;
};

/* 0 or -ENOMEM. */
int returns_open(struct returns *r);
void returns_close(struct returns *r);
/* A request has ended it. */
void returns_note(struct returns *r, const struct entry *e, uint64_t now);
/* The one that was ended last, less than RETURN_NS ago, between the same client, or server, and the same port; NULL: none. */
const struct cut *returns_find(const struct returns *r, const struct entry *e, uint64_t now);

#endif
