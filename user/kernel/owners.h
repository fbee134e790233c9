/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* owners.h - the processes of the host and the sockets they hold: by BPF iterators (200,000 sockets in 0.1 s), else
 * by walking /proc. */
#ifndef SEVER_OWNERS_H
#define SEVER_OWNERS_H

#include "model/holders.h"
#include "model/proc.h"

/* A socket in a namespace that no process seems to be in; the way to it is the descriptor. */
struct held_netns {
	uint32_t inode, pid, tid, fd;
};

struct other_socket {
	uint64_t cookie;
	uint32_t netns;
	uint16_t family, protocol;
};

struct owners_bpf;

struct owners {
	struct proctab procs; /* sorted */
	struct holders holders;
	struct held_netns *held;
	size_t n_held, cap_held;
	struct other_socket *others; /* wanted cookies that are no TCP, UDP or MPTCP socket */
	size_t n_others, cap_others;
	struct owners_bpf *bpf; /* borrowed; NULL: /proc is walked */
	int bpf_err;            /* why not BPF, 0 it is used */
	bool by_ticks;          /* procs start in clock ticks (/proc) instead of nanoseconds (BPF) since boot */
	bool by_inode;          /* holders are keyed by socket inode (/proc) instead of cookie (BPF) */
	bool no_procs;          /* /proc is hidden: not even the processes are known */
	bool confined;          /* we see only a pid namespace of our own */
	bool filtered;          /* /proc leaves processes out (hidepid=, subset=) and we may not see past that */
	uint64_t hidden_fds, hidden_netns; /* processes whose descriptors, whose namespace were refused */
};

/* Loads the programs. They can be shared by any number of struct owners, one after the other; negative errno: BPF is
 * refused here. */
int owners_bpf_open(struct owners_bpf **ret);
void owners_bpf_close(struct owners_bpf *b);

/* Reads the processes; o->bpf is set by the caller, where there is one. 0 even where nothing can be seen (no_procs); negative errno for lack of memory. */
int owners_read_procs(struct owners *o);

/* Which holders are asked for. Without procs and wanted: all. */
struct owner_scope {
	const bool *procs;      /* by index into procs: only what these hold; NULL all */
	const uint64_t *pids;   /* instead of procs: the same by pid; NULL all */
	size_t n_pids;
	const uint64_t *wanted; /* cookies: these sockets will do (BPF then stays quiet about the others); NULL all */
	size_t n_wanted;
	const uint32_t *known;  /* with wanted: namespaces that need no report in `held` */
	size_t n_known;
};

/* Reads who holds what; what was read before is dropped. Sockets of processes that appeared since are passed over.
 * 0 or negative errno. */
int owners_read_holders(struct owners *o, const struct owner_scope *scope);
void owners_clear(struct owners *o);

/* The start of a process, or of a session that it opened, in microseconds since boot. */
uint64_t owners_start_us(const struct owners *o, uint64_t start);

/* "bpf", "proc" or "none". */
const char *owners_how(const struct owners *o);

/* The two ways, behind owners_*(). */
int owners_bpf_procs(struct owners *o);
int owners_bpf_holders(struct owners *o, const struct owner_scope *scope);
int owners_proc_procs(struct owners *o);
bool owners_proc_visible(void); /* whether /proc shows as much as ourselves */
int owners_proc_holders(struct owners *o, const bool *procs);

#endif
