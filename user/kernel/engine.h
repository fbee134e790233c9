/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine.h - the ways to end a flow, in the order they are tried. Each answers per flow, in flow->err; what a flow is
 * dead by is not an engine's word but the look-up that follows. */
#ifndef SEVER_ENGINE_H
#define SEVER_ENGINE_H

#include "kernel/owners.h"
#include "kernel/sockets.h"

struct engine {
	const char *name;
	const char *how; /* for people */
	/* Whether the engine knows this kind of flow at all. */
	bool (*handles)(const struct flow *f);
	/* Tries to end n flows of one namespace. Stores in each flow's err: 0 the kernel said done; -ENOENT no such
	 * socket; another negative errno. people: who holds them. Returns 0, or negative errno when nothing could be
	 * tried (then every err is that). */
	int (*destroy)(struct netns *ns, struct flow *const *v, size_t n, const struct people *people);
};

extern const struct engine engine_diag, engine_pidfd, engine_bpf;
/* In order, NULL at the end. */
extern const struct engine *const engines[];

#endif
