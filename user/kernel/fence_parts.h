/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_parts.h - what the files fence*.c share. */
#ifndef SEVER_FENCE_PARTS_H
#define SEVER_FENCE_PARTS_H

#include "kernel/fence.h"

/* What is pinned, by the name it has there. The links come behind the programs in the same order; those of the inbound
 * program are named after their namespaces. */
enum fence_part {
	FENCE_TRIE,
	FENCE_LEAVERS,
	FENCE_COUNTS,
	FENCE_HITS,
	FENCE_TOLD,
	FENCE_CONTROL,
	FENCE_MAPS,
	FENCE_IN = FENCE_MAPS,
	FENCE_CONNECT4,
	FENCE_CONNECT6,
	FENCE_SENDMSG4,
	FENCE_SENDMSG6,
	FENCE_CONNECT4_LINK,
	FENCE_CONNECT6_LINK,
	FENCE_SENDMSG4_LINK,
	FENCE_SENDMSG6_LINK,
	FENCE_PARTS
};
#define FENCE_LINK(prog) (FENCE_CONNECT4_LINK + ((prog)-FENCE_CONNECT4))

/* One entry of the trie. An until of 0: what is there is not known, if anything is. */
struct fence_slot {
	struct sever_fence_key key;
	struct sever_fence_entry entry;
};
struct fence_slots {
	struct fence_slot *v; /* by fence_key_order(): a prefix comes before those that it covers */
	size_t n;
};

/* Which fence is which, by id. */
struct fence_name {
	uint64_t id;
	struct sever_fence_key key;
	struct sever_fence_who who;
};
struct fence_names {
	struct fence_name *v;
	size_t n;
};

/* Which number stands for whom in the trie. None is used again, as a program may still have it in hand. */
struct fence_leaver {
	struct sever_fence_who who;
	uint32_t number;
	bool told; /* to the programs */
};
struct fence_leavers {
	struct fence_leaver *v; /* by who */
	size_t n;
};

/* An inbound link. */
struct fence_door {
	uint32_t netns;
	int link;
	bool own; /* its program knows which namespace it is */
};

struct ring_buffer;

struct fences {
	int part[FENCE_PARTS]; /* descriptors, -1 none */
	int lock;	       /* the pin directory, -1 none */
	char *pin_dir;	       /* NULL: none */
	bool taken_over;
	int out_err;
	uint32_t max;
	struct fence_door *doors;
	size_t n_doors, cap_doors;
	int *outdated; /* links of another version, which stand until ours do */
	size_t n_outdated, cap_outdated;
	struct fence_slots slots; /* what the trie holds, or may hold */
	struct fence_names names; /* what the counts hold, or may hold */
	struct fence_leavers leavers;
	uint32_t last_number;
	struct sever_fence_control control;
	struct ring_buffer *ring;
	fence_hit_cb cb; /* of the drain under way */
	void *arg;
	size_t left;
};

/* fence_pin.c. 0: all parts are open (outbound links may be missing), with the namespaces that are attached. -ENOENT:
 * nothing there that could be used. */
int fence_take_over(struct fences *f, const char *dir);
/* Opens the links of what cannot be used. */
int fence_keep_outdated(struct fences *f);
void fence_drop_outdated(struct fences *f);
/* Takes what is pinned there away and pins ours. */
int fence_pin(const struct fences *f, const char *dir, char *err);
int fence_pin_door(const struct fences *f, const struct fence_door *d, char *err);
int fence_unpin_door(const struct fences *f, uint32_t netns);
int fence_unpin(int dirfd);

/* fence_doors.c. Loads the inbound program, on the maps that are there: its descriptor, or negative errno. */
int fence_load_in(const struct fences *f, uint32_t netns);
int fence_add_door(struct fences *f, const struct fence_door *d);
/* Where it is attached, it is by a program of its own from now on. 0 or negative errno. */
int fence_own_door(struct fences *f, uint32_t netns);

/* fence_cover.c, pure. */
int fence_key_order(const struct sever_fence_key *a, const struct sever_fence_key *b);
int fence_by_key(const void *a, const void *b); /* of slots */
int fence_by_id(const void *a, const void *b);	/* of names */
int fence_by_who(const void *a, const void *b); /* of leavers */
/* Without the number of who. -EINVAL: no such fence can be. */
int fence_name_of(const struct fence *f, struct fence_name *ret, char *err);
/* What the trie has to hold for these; names and v by the same order, which does not matter. ret->v is the caller's to
 * free. */
int fence_slots_of(const struct fence *v, const struct fence_names *names, struct fence_slots *ret);

/* fence_read.c: what stands, from the counts; after a take-over. */
int fence_read_names(struct fences *f);

#endif
