/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* track.h - the flows of all network namespaces as bpf/track.bpf.c writes them down: one map, and events of births and
 * ends. The map is the truth; events only tell what changed, and may be lost, which is counted. TCP, and UDP while
 * connected; MPTCP connections are not here, see SEVER_FLOW_SUBFLOW. Processes that seem to begin a session of a user
 * are told among the events, see SEVER_EVENT_LOGIN. */
#ifndef SEVER_TRACK_H
#define SEVER_TRACK_H

#include "kernel/netns.h"
#include "model/flow.h"

#include "sever/abi.h"

struct track;

struct track_options {
	const char *pin_dir; /* in a bpffs, made if need be; NULL: the programs end with the process */
	uint32_t max_flows;  /* 0: by the memory of the host. Each one that is not used costs 16 bytes */
	uint32_t ring_bytes; /* 0: 4 MiB, 23,000 events. Rounded up to what the kernel takes */
};

/* Loads and attaches the programs, or takes over those that a process before us left in pin_dir, with their map and
 * with the events nobody has read. What another version left, or did not finish, is replaced. One process at a time:
 * -EBUSY. Flows that exist already are not there before track_adopt(). err: ERR_LEN bytes or NULL. */
int track_open(struct track **ret, const struct track_options *o, char *err);
/* What is pinned goes on working. */
void track_close(struct track *t);
DEFINE_CLEANUP(struct track *, track_close)
/* Ends what is pinned in pin_dir and removes the directory. 0, also where there is none; -EBUSY: in use. */
int track_detach_all(const char *pin_dir, char *err);

bool track_taken_over(const struct track *t);
/* 0, or why connected UDP is not tracked: -ENOENT no cgroup v2 is mounted ... */
int track_udp_error(const struct track *t);
/* 0, or why not all of SEVER_EVENT_LOGIN are told. Without audit sessions only cgroups are: that is no error. */
int track_login_error(const struct track *t);

/* -ENOENT: no such flow. */
int track_read(const struct track *t, uint64_t cookie, struct sever_flow *ret);

/* Shows every flow, one that is there all the time once. A negative answer ends the walk. 0 or negative errno. */
typedef int (*track_flow_cb)(uint64_t cookie, const struct sever_flow *f, void *arg);
int track_walk(const struct track *t, track_flow_cb cb, void *arg);

/* Readable when the ring is half full and after a LOGIN, but not for each event: to be drained by a timer as well. */
int track_fd(const struct track *t);
/* Shows the events since the last time, at most max. The birth of an outbound TCP flow, told before its local port was
 * known, is completed from the map. A negative answer ends it, that event being taken. Their number, or -errno. */
typedef int (*track_event_cb)(const struct sever_event *e, void *arg);
int track_drain(struct track *t, size_t max, track_event_cb cb, void *arg);

/* What the programs could not do since they were loaded. Whoever sees one grow asks for track_sync(). */
struct track_losses {
	uint64_t events; /* not told: the ring was full */
	uint64_t flows;	 /* not kept: the map was full, or there was no memory */
	uint64_t runs;	 /* of programs that were interrupted by themselves: births, changes or ends */
};
int track_losses(const struct track *t, struct track_losses *ret);

/* Puts the flows of a namespace that are not in the map there, ADOPTED, each with an event, and completes the pending
 * ones. Neither a birth nor an end meanwhile is undone. The ring may be too small for so many events: walk, then. One
 * pass at a time; the cost is that of looking at all sockets of the host, whichever namespaces they are in. */
int track_adopt(struct track *t, const struct netns *ns);
/* The same for those of n namespaces that there is a way into, and takes out the flows that the kernel no longer has, which
 * gone() is told. Another thread may read and drain meanwhile. Not to be done without need: the kernel's iterator counts a
 * handshake that is just being put into the table and has no count yet (bpf_iter_tcp_established_batch() uses sock_hold(),
 * where look-ups use refcount_inc_not_zero()), and once in hours of passes without a pause that was warned of on 6.18. */
int track_sync(struct track *t, struct netns *ns, size_t n, track_flow_cb gone, void *arg);
/* Only that: asks for each flow by its cookie, and needs no look at all sockets. */
int track_audit(struct track *t, struct netns *ns, size_t n, track_flow_cb gone, void *arg);

/* Identity, ends, state, direction, uid, cgroup: what a scan would show of it. */
void track_to_flow(uint64_t cookie, const struct sever_flow *f, struct flow *ret);

#endif
