/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fence_pinned.h - fences in a bpffs of the test's own, and who dies while they are up. */
#ifndef SEVER_TEST_FENCE_PINNED_H
#define SEVER_TEST_FENCE_PINNED_H

#include "fenced.h"

#include <sys/mount.h>

static char base[] = "/tmp/sever-fence-XXXXXX", dir[64];

static inline struct fence_options pinned(void)
{
	return (struct fence_options){ .pin_dir = dir, .max_fences = 256 };
}

/* Puts up fences and is killed. */
static inline void put_up_and_die(const struct fence *v, size_t n)
{
	const struct fence_options o = pinned();
	pid_t child = must(fork(), "fork");
	int status;

	if (!child) {
		_close_ int here = netns_own();

		/* What fails is told by how it ends: an assertion would run the tests after it, here. */
		if (fence_open(&f, &o, NULL) == 0 && fence_attach(f, here, NULL) == 0 && fence_replace(f, v, n, NULL) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static inline void taken_over(void)
{
	const struct fence_options o = pinned();

	f = opened(&o);
	assert_true(fence_taken_over(f));
}

static inline void detach(void)
{
	fence_close(f);
	f = NULL;
	assert_int_equal(fence_detach_all(dir, NULL), 0);
	assert_int_equal(access(dir, F_OK), -1);
}

static inline int pins_setup(void **state)
{
	(void)state;
	if (own_net() < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	if (!mkdtemp(base) || mount("bpf", base, "bpf", 0, NULL) < 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/fences", base);
	return 0;
}

static inline int pins_teardown(void **state)
{
	(void)state;
	return umount2(base, MNT_DETACH) < 0 || rmdir(base) < 0 ? -1 : 0;
}

#endif
