/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* track_parts.h - what the files track*.c share. */
#ifndef SEVER_TRACK_PARTS_H
#define SEVER_TRACK_PARTS_H

#include "kernel/track.h"

/* What is pinned, by the name it has there. The links come behind the programs in the same order. */
enum part {
	PART_FLOWS,
	PART_EVENTS,
	PART_LOST,
	PART_CONTROL,
	PART_MAPS,
	PART_STATE = PART_MAPS,
	PART_ERROR,
	PART_CONNECT4,
	PART_CONNECT6,
	PART_RELEASE,
	PART_FORK,
	PART_ATTACH,
	PART_HOOKS, /* so many have links; the others are iterators */
	PART_ADOPT_TCP = PART_HOOKS,
	PART_ADOPT_UDP,
	PART_STATE_LINK,
	PART_ERROR_LINK,
	PART_CONNECT4_LINK,
	PART_CONNECT6_LINK,
	PART_RELEASE_LINK,
	PART_FORK_LINK,
	PART_ATTACH_LINK,
	PART_MAX
};
#define PART_LINK(prog) (PART_STATE_LINK + ((prog) - PART_STATE))

struct ring_buffer;

struct track {
	int part[PART_MAX]; /* descriptors, -1 none */
	int lock;	    /* the pin directory, -1 none */
	bool taken_over;
	int udp_err, login_err;
	uint16_t pass;
	struct ring_buffer *ring;
	track_event_cb cb; /* of the drain under way */
	void *arg;
	size_t left;
};

/* track_pin.c */
/* 0: all parts are open (links of cgroup hooks may be missing). -ENOENT: nothing there that could be used. */
int track_take_over(struct track *t, const char *dir);
int track_pin(const struct track *t, const char *dir, char *err);
int track_unpin(int dirfd);

/* Writes the entry of PART_CONTROL. */
int track_control(const struct track *t);

#endif
