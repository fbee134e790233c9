// SPDX-License-Identifier: LGPL-2.1-or-later
/* track_pin.c - what is pinned by which name. `control` is pinned last: where it is missing, somebody did not finish. */
#include "kernel/pins.h"
#include "kernel/track_parts.h"

#include <bpf/bpf.h>

static const char *const names[PART_MAX] = {
	[PART_FLOWS] = "flows",
	[PART_EVENTS] = "events",
	[PART_LOST] = "lost",
	[PART_CONTROL] = "control",
	[PART_STATE] = "state",
	[PART_ERROR] = "error",
	[PART_CONNECT4] = "connect4",
	[PART_CONNECT6] = "connect6",
	[PART_RELEASE] = "release",
	[PART_FORK] = "fork",
	[PART_ATTACH] = "attach",
	[PART_ADOPT_TCP] = "adopt_tcp",
	[PART_ADOPT_UDP] = "adopt_udp",
	[PART_STATE_LINK] = "state_link",
	[PART_ERROR_LINK] = "error_link",
	[PART_CONNECT4_LINK] = "connect4_link",
	[PART_CONNECT6_LINK] = "connect6_link",
	[PART_RELEASE_LINK] = "release_link",
	[PART_FORK_LINK] = "fork_link",
	[PART_ATTACH_LINK] = "attach_link",
};

static bool optional(int part)
{
	return part >= PART_CONNECT4_LINK;
}

static bool fits(const struct track *t)
{
	struct bpf_map_info flows = { 0 }, control = { 0 };
	__u32 flows_len = sizeof(flows), control_len = sizeof(control), zero = 0;
	struct sever_control c;

	return bpf_obj_get_info_by_fd(t->part[PART_FLOWS], &flows, &flows_len) == 0 &&
	       bpf_obj_get_info_by_fd(t->part[PART_CONTROL], &control, &control_len) == 0 &&
	       flows.value_size == sizeof(struct sever_flow) && control.value_size == sizeof(c) &&
	       bpf_map_lookup_elem(t->part[PART_CONTROL], &zero, &c) == 0 && c.abi == SEVER_TRACK_ABI;
}

static void drop_parts(struct track *t)
{
	for (int i = 0; i < PART_MAX; i++)
		if (t->part[i] >= 0)
			close(take_fd(&t->part[i]));
}

int track_take_over(struct track *t, const char *dir)
{
	bool whole = true;

	for (int i = 0; i < PART_MAX && whole; i++) {
		int fd = pins_get(dir, names[i]);

		if (fd == -ENAMETOOLONG)
			return fd;
		t->part[i] = fd < 0 ? -1 : fd;
		whole = fd >= 0 || (optional(i) && fd == -ENOENT);
	}
	if (whole && fits(t))
		return 0;
	drop_parts(t);
	return -ENOENT;
}

int track_pin(const struct track *t, const char *dir, char *err)
{
	int r = 0;

	for (int i = 0; i < PART_MAX && r == 0; i++)
		r = i == PART_CONTROL ? 0 : pins_add(dir, names[i], t->part[i], err);
	return r < 0 ? r : pins_add(dir, names[PART_CONTROL], t->part[PART_CONTROL], err);
}

int track_unpin(int dirfd)
{
	return pins_clear(dirfd, names[PART_CONTROL]);
}

int track_detach_all(const char *dir, char *err)
{
	return pins_remove(dir, names[PART_CONTROL], err);
}
