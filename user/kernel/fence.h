/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence.h - keeps new connections out, by bpf/fence_in.bpf.c and fence.bpf.c. What is established is left alone. No
 * policy is here: whoever calls gives each fence its id, and remembers it.
 *
 * Inbound, in each network namespace that is attached: a TCP client gets ECONNREFUSED, a UDP packet is not delivered
 * (its sender is told by ICMP that the port is unreachable, as if nobody were there). It goes by the address the
 * packet comes from and by our port: so an unconnected UDP socket of ours gets no answers from there either, nor the
 * ICMP errors. Multicast and broadcasts are let through, and what a firewall or tc hands to a socket before anybody
 * looks for one. A handshake that has begun goes on, and what waits in a backlog is let in: list and end it after
 * fence_settle().
 *
 * Outbound, in the whole host: connect() and sendto() give EPERM, with TCP Fast Open and MPTCP as well. A uid is that of
 * the process, and the one in whose name it acts while it asks. Not seen are sockets that others connected and handed
 * over, the kernel's own, raw ones, and the protocols beside TCP and UDP. */
#ifndef SEVER_FENCE_H
#define SEVER_FENCE_H

#include "model/addr.h"

#include "sever/abi.h"

struct fences;

#define FENCE_FOR_EVER UINT64_MAX

/* What is not named is 0. `remote` has no zone: its prefix counts on every link. */
struct fence {
	uint64_t id;	      /* the caller's, never 0; not used again for another fence while both might be known */
	uint64_t until;	      /* ns of CLOCK_BOOTTIME, as in the initial time namespace; from then on it is down */
	uint64_t subject;     /* login uid, uid, audit session, id of a cgroup v2; 0 for IN and OUT */
	uint32_t netns;	      /* inode. The number of one that is gone may be given to another: lift it in time */
	uint16_t port;	      /* the server's: of our own end for IN, of the other for OUT */
	uint8_t kind;	      /* enum sever_fence_kind */
	uint8_t protocol;     /* IPPROTO_TCP, with MPTCP, or IPPROTO_UDP */
	struct prefix remote; /* the client for IN, the server for OUT; family 0: any of both */
};

struct fence_options {
	const char *pin_dir; /* in a bpffs, made if need be, its parent is there; NULL: fences end with the process */
	uint32_t max_fences; /* 0: 16384. What is not used costs nothing */
};

/* Loads the programs and attaches the outbound ones to the root of cgroup v2, or takes over what a process before us
 * left in pin_dir. Fences that stand go on standing, with their counts, until the first fence_replace(); also those
 * that another version left, which are not counted with ours. One process at a time: -EBUSY. Nothing is inbound
 * before fence_attach(), unless a namespace was attached before. err: ERR_LEN bytes or NULL. */
int fence_open(struct fences **ret, const struct fence_options *o, char *err);
/* What is pinned stands, and ends when its time comes. */
void fence_close(struct fences *f);
DEFINE_CLEANUP(struct fences *, fence_close)
/* Takes down what is pinned in pin_dir and removes the directory. 0, also where there is none; -EBUSY: in use. */
int fence_detach_all(const char *pin_dir, char *err);

/* Whether anything is pinned there that may stand, whoever left it. */
bool fence_pinned(const char *pin_dir);

bool fence_taken_over(const struct fences *f);
/* Whether any stands that was put up before, or may; also one that has ended since. */
bool fence_any(const struct fences *f);
/* 0, or why there can be no outbound fences: -ENOENT no cgroup v2 is mounted ... */
int fence_outbound_error(const struct fences *f);

/* Inbound fences are up in this network namespace from now on. The descriptor is borrowed, and the namespace is not
 * kept alive. 0, also where they are already; negative errno. */
int fence_attach(struct fences *f, int netns, char *err);
bool fence_attached(const struct fences *f, uint32_t netns_inode);
/* It was attached and is gone, even if another one has its number by now. True until fence_prune(). */
bool fence_gone(const struct fences *f, uint32_t netns_inode);
/* Forgets the namespaces that are gone; each holds a descriptor. Their number, or negative errno. */
int fence_prune(struct fences *f);

/* From now on these fences stand and no others; 0: none. Those that stood before and are among them are not down for
 * a moment, and keep their counts; of the others the counts are gone. Where two overlap, each address is kept out as
 * long as the longer one says.
 *
 * -EINVAL: a fence is not one that can be (err says which), or an id is there twice;
 * -EEXIST: an id stands for something else; -E2BIG: more than max_fences; -EOPNOTSUPP and those of
 * fence_outbound_error(): outbound fences cannot be had. All these change nothing. After another error what is in
 * both stands, of the rest some or none; what is said the next time comes true as if nothing had been. */
int fence_replace(struct fences *f, const struct fence *v, size_t n, char *err);
/* Waits until each packet that was let pass before this call has become a connection that can be listed, or has not:
 * some milliseconds. 0 or negative errno. What a process was about to do after its connect() was allowed may take it
 * any time. */
int fence_settle(void);

struct fence_stats {
	uint64_t count;	    /* refused: each packet, each call */
	uint64_t last;	    /* the last one, in ns of CLOCK_BOOTTIME, and whom; 0 none */
	struct addr remote; /* client or server */
	uint16_t remote_port;
	uint16_t local_port; /* 0 outbound */
};
/* -ENOENT: no such fence stands. */
int fence_stats(const struct fences *f, uint64_t id, struct fence_stats *ret);

/* Readable when fence_drain() has something to show. */
int fence_fd(const struct fences *f);
/* Shows hits: of each fence at most one a second, of all of them 100, each with the count so far; the rest is in the
 * counts only. Those of fences that were lifted meanwhile may be among them. A negative answer ends it, that hit being
 * taken. Their number, or negative errno. */
typedef int (*fence_hit_cb)(const struct sever_fence_hit *h, void *arg);
int fence_drain(struct fences *f, size_t max, fence_hit_cb cb, void *arg);

#endif
