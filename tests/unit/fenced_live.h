/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fenced_live.h - fences of people on a host whose connections are known. */
#ifndef SEVER_TEST_FENCED_LIVE_H
#define SEVER_TEST_FENCED_LIVE_H

#include "fencing_scene.h"
#include "kernel/track.h"

static struct live live;

static struct pair pairs[100];

/* More than the index takes, for it is made small. */
static inline void crowd(int l)
{
	const struct track_options small = { .max_flows = array_size(pairs) };

	for (size_t i = 0; i < array_size(pairs); i++)
		pairs[i] = connected(l, "127.0.0.6", 0);
	track_close(live.track);
	must(track_open(&live.track, &small, err), err);
	index_clear(&live.index);
	live.astray = true;
	assert_true(live_resync(&live) > 0);
}

static inline void disperse(void)
{
	for (size_t i = 0; i < array_size(pairs); i++) {
		reset_on_close(pairs[i].out);
		close(pairs[i].out);
		close(pairs[i].in);
	}
}

static inline int setup_live(void **state)
{
	if (live_open(&live, NULL, err) < 0)
		fail_msg("%s", err);
	return setup(state);
}

static inline int teardown_live(void **state)
{
	teardown(state);
	live_close(&live);
	return 0;
}

#endif
