/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probe.h - what this kernel and these privileges allow, found out by doing it to sockets of our own in a network
 * namespace of our own, never by asking for a version. For `sever doctor`. */
#ifndef SEVER_PROBE_H
#define SEVER_PROBE_H

#include "model/base.h"

struct probe {
	const char *name; /* "list", "owners-bpf", "owners-proc", "destroy-diag", ... stable: it is a JSON key */
	const char *what; /* a few words for people */
	bool needed;      /* false: something else does the same, only slower or narrower */
	bool used;        /* false: nothing in sever does it yet */
	int result;       /* 0 works, else negative errno */
	char detail[160]; /* why not, and what to do about it; "" when it works */
};

/* Runs every probe. *ret is malloc'ed. 0 or -ENOMEM. Destroys nothing but sockets it made. */
int probe_all(struct probe **ret, size_t *ret_n);

/* What they come to. */
struct verdict {
	size_t refused, used_refused, needed_refused;
	bool permission; /* it cannot, and nothing but permission is missing */
};
struct verdict probe_judge(const struct probe *probe, size_t n);

#endif
