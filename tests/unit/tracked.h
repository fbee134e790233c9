/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tracked.h - a tracker, and what it told about the test's own namespaces: others open connections meanwhile. */
#ifndef SEVER_TEST_TRACKED_H
#define SEVER_TEST_TRACKED_H

#include "kernel/sockets.h"
#include "kernel/track_parts.h"
#include "own_net.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct told {
	struct sever_event *v;
	size_t n, cap;
} told;

static inline int on_told(const struct sever_event *e, void *arg)
{
	(void)arg;
	assert_int_equal(grow(&told.v, &told.cap, told.n + 1, sizeof(*told.v)), 0);
	told.v[told.n++] = *e;
	return 0;
}

static inline struct sever_event *find_event(uint32_t kind, uint64_t cookie, size_t nth)
{
	for (size_t i = 0; i < told.n; i++)
		if (told.v[i].kind == kind && told.v[i].cookie == cookie && !nth--)
			return &told.v[i];
	return NULL;
}

/* The nth event of that kind of a socket, which must come. */
static inline struct sever_event *event(struct track *t, uint32_t kind, uint64_t cookie, size_t nth)
{
	for (long ms = 0; ms < deadline_ms(); ms++) {
		struct sever_event *e;

		must(track_drain(t, 100000, on_told, NULL), "track_drain");
		e = find_event(kind, cookie, nth);
		if (e)
			return e;
		poll(NULL, 0, 1);
	}
	fail_msg("no event %u of %llx", kind, (unsigned long long)cookie);
	abort();
}

static inline struct sever_event *born(struct track *t, uint64_t cookie)
{
	return event(t, SEVER_EVENT_BIRTH, cookie, 0);
}

static inline struct sever_event *ended(struct track *t, uint64_t cookie)
{
	return event(t, SEVER_EVENT_END, cookie, 0);
}

static inline struct sever_flow flow_of(struct track *t, int fd)
{
	struct sever_flow f;

	assert_int_equal(track_read(t, cookie_of(fd), &f), 0);
	return f;
}

static inline uint32_t own_inode(void)
{
	struct stat st;

	must(stat("/proc/self/ns/net", &st), "/proc/self/ns/net");
	return st.st_ino;
}

static inline struct netns here(void)
{
	struct netns ns = { .inode = own_inode() };
	const struct filter none = { 0 };

	must(netns_open_here(&ns, &none), "netns_open_here");
	return ns;
}

static inline void leave(struct netns *ns)
{
	nl_close(ns->nl);
}

static inline struct track *opened(const struct track_options *o)
{
	char err[ERR_LEN] = "";
	struct track *t = NULL;

	told.n = 0;
	if (track_open(&t, o, err) < 0)
		fail_msg("%s", err);
	return t;
}

static inline int count_here(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	(void)cookie;
	*(unsigned int *)arg += f->netns == own_inode();
	return 0;
}

static inline unsigned int flows_here(struct track *t)
{
	unsigned int n = 0;

	must(track_walk(t, count_here, &n), "track_walk");
	return n;
}

static inline void close_pair(const struct pair *p)
{
	close(p->in);
	close(p->out);
}

/* What `sever kill` has the kernel do. */
static inline int destroyed(struct netns *ns, struct track *t, int fd)
{
	const struct sever_flow f = flow_of(t, fd);
	struct flow w, *v = &w;
	int r;

	track_to_flow(cookie_of(fd), &f, &w);
	r = sockets_destroy(ns, &v, 1);
	return r < 0 ? r : w.err;
}

static inline int no_namespace(void **state)
{
	(void)state;
	return own_net();
}

/* The programs, or a reason to skip. */
static inline bool can_track(void)
{
	const struct track_options o = { 0 };
	char err[ERR_LEN] = "";
	struct track *t = NULL;
	int r = track_open(&t, &o, err);

	track_close(t);
	if (r == -EPERM || r == -EOPNOTSUPP || r == -ENOSYS)
		return false;
	return true;
}

/* Of the whole file, where setup opens it; NULL: each test has its own. */
static struct track *t;

static inline int track_setup_here(void **state)
{
	const struct track_options o = { 0 };

	(void)state;
	t = opened(&o);
	return 0;
}

static inline int track_teardown(void **state)
{
	(void)state;
	track_close(t);
	free(told.v);
	return 0;
}

static inline int track_setup(void **state)
{
	return no_namespace(state) < 0 ? -1 : track_setup_here(state);
}

/* Ends main(). setup opens the tracker, or the tests do. */
#define track_run(name, tests, setup, teardown)                                                   \
	(geteuid() || !can_track() ? skip_all(geteuid() ? "needs root" : "BPF is refused here") : \
				     unit_run_with(name, tests, setup, teardown))

#endif
