// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_netns.c - namespaces belong to threads: what one of them enters is no concern of the others. */
#include "kernel/netns.h"

#include "own_net.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>

static uint32_t here(void)
{
	_close_ int fd = netns_own();
	uint32_t inode;

	assert_true(fd >= 0 && netns_inode_of_fd(fd, &inode) == 0);
	return inode;
}

static int note_it(void *arg)
{
	*(uint32_t *)arg = here();
	return 0;
}

static void *elsewhere(void *arg)
{
	uint32_t *ret = arg;
	struct netns ns = { 0 };
	const struct filter none = { 0 };

	must(own_net(), "own_net");
	ret[0] = here();
	must(netns_open_here(&ns, &none), "netns_open_here");
	must(netns_run(&ns, note_it, &ret[1]), "netns_run");
	nl_close(ns.nl);
	ret[2] = here();
	return NULL;
}

/* Of a thread that has left the first thread's namespace. */
static void test_threads(void **state)
{
	uint32_t first = here(), v[3] = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, elsewhere, v), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(v[0] && v[0] != first);
	assert_true(v[1] == v[0] && v[2] == v[0]);
	assert_true(here() == first);
}

struct stranger {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int stage;
	uint32_t home;
	struct netns_table t;
	int r;
};

static void advance(struct stranger *s, int stage)
{
	pthread_mutex_lock(&s->lock);
	s->stage = stage;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

static void wait_for(struct stranger *s, int stage)
{
	pthread_mutex_lock(&s->lock);
	while (s->stage < stage)
		pthread_cond_wait(&s->moved, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void *discover(void *arg)
{
	const struct proctab nobody = { 0 };
	const struct filter none = { 0 };
	struct stranger *s = arg;

	wait_for(s, 1);
	s->r = netns_discover(&s->t, &nobody, &none);
	advance(s, 2);
	return NULL;
}

/* It finds its own namespace, and is in it, while the first thread looks at another one. */
static void test_first_thread_is_away(void **state)
{
	struct stranger s = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
	_close_ int back = netns_own(), there = -1;
	uint32_t inode = 0;
	pthread_t thread;

	(void)state;
	s.home = here();
	assert_int_equal(pthread_create(&thread, NULL, discover, &s), 0);
	must(own_net(), "own_net");
	advance(&s, 1);
	wait_for(&s, 2);
	must(setns(back, CLONE_NEWNET), "setns");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(s.r, 0);
	assert_int_equal(s.t.self, s.home);
	there = netns_of_socket(nl_fd(netns_find(&s.t, s.t.self)->nl));
	assert_int_equal(netns_inode_of_fd(there, &inode), 0);
	assert_int_equal(inode, s.home); /* what is said to be there is */
	netns_clear(&s.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_first_thread_is_away),
	};

	alarm(60);
	return unit_run_as_root("netns", tests, NULL);
}
