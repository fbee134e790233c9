// SPDX-License-Identifier: LGPL-2.1-or-later
/* engine_diag.c - SOCK_DESTROY, the engine for nearly everything: O(1) per flow and wherever the kernel
 * has CONFIG_INET_DIAG_DESTROY. It has no destroy for MPTCP, whose subflows it would kill without effect. */
#include "kernel/engine.h"

const struct engine *const engines[] = { &engine_diag, &engine_pidfd, &engine_bpf, NULL };

/* Without a peer the request would name the server itself. */
static bool handles(const struct flow *f)
{
	return (f->proto == PROTO_TCP || f->proto == PROTO_UDP) && !f->subflow && f->remote_port &&
	       f->state != STATE_CLOSE && f->state != STATE_LISTEN;
}

static int destroy(struct netns *ns, struct flow *const *v, size_t n, const struct people *people)
{
	(void)people;
	return sockets_destroy(ns, v, n);
}

const struct engine engine_diag = {
	.name = "diag",
	.how = "netlink SOCK_DESTROY",
	.handles = handles,
	.destroy = destroy,
};
