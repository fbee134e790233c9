/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* leaver.h - processes with an identity of their own, which go out where they are told to. Their ids are nobody
 * else's. */
#ifndef SEVER_TEST_LEAVER_H
#define SEVER_TEST_LEAVER_H

#include "fenced.h"
#include "kernel/cgroup.h"

#include <limits.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum way { WAY_TCP, WAY_TCP_STAYS, WAY_MPTCP, WAY_FAST_OPEN, WAY_UDP, WAY_UDP_CONNECT, WAY_PING };

struct leaver {
	/* Before: 0 as we are. */
	uint32_t uid, login;
	uint32_t effective; /* the effective uid alone */
	const char *cgroup; /* a directory */
	/* Since: */
	pid_t pid;
	int fd; /* answers, and takes orders */
	uint32_t session;
};

/* What is to go, however the test ends. */
static struct {
	struct {
		pid_t pid;
		int fd;
	} leavers[8];
	char cgroups[16][PATH_MAX];
	size_t n_leavers, n_cgroups;
} made;

struct order {
	struct end from, to;
	enum way way;
};

/* 0 or -errno. A connection that stands is reset at once, or stays until its other end resets it. */
static inline int go(const struct order *o, int *ret_stays)
{
	bool stream = o->way <= WAY_FAST_OPEN;
	_close_ int fd = socket(o->to.sa.sa_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC,
				o->way == WAY_MPTCP ? IPPROTO_MPTCP : o->way == WAY_PING ? IPPROTO_ICMP : 0);
	int flags = o->way == WAY_FAST_OPEN ? MSG_FASTOPEN : 0, r;

	if (fd < 0 || (o->from.len && bind(fd, &o->from.sa, o->from.len) < 0))
		return -EIO;
	if (o->way == WAY_UDP || o->way == WAY_FAST_OPEN)
		r = sendto(fd, "x", 1, flags | MSG_NOSIGNAL, &o->to.sa, o->to.len);
	else
		r = connect(fd, &o->to.sa, o->to.len);
	if (r < 0)
		return -errno;
	if (o->way == WAY_TCP_STAYS)
		*ret_stays = take_fd(&fd);
	else if (stream)
		reset_on_close(fd);
	return 0;
}

static inline void leave_for_ever(struct leaver *l)
{
	struct order o;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (l->cgroup) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/cgroup.procs", l->cgroup);
		write_to(path, "0");
	}
	if (l->login) {
		char text[16];

		snprintf(text, sizeof(text), "%u", l->login);
		write_to("/proc/self/loginuid", text);
	}
	l->session = number_in("/proc/self/sessionid");
	if (l->uid)
		must(setresuid(l->uid, l->uid, l->uid), "setresuid");
	if (l->effective)
		must(setresuid(-1, l->effective, -1), "setresuid");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* which a new uid has ended */
	must(write(l->fd, &l->session, sizeof(l->session)), "write");
	while (read(l->fd, &o, sizeof(o)) == sizeof(o)) {
		_close_ int stays = -1;
		int r = go(&o, &stays);

		must(write(l->fd, &r, sizeof(r)), "write");
		if (stays >= 0)
			poll(&(struct pollfd){ .fd = stays }, 1, deadline_ms());
	}
	_exit(0);
}

static inline void leaver_start(struct leaver *l)
{
	int fds[2];

	assert_true(made.n_leavers < array_size(made.leavers));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
	l->pid = must(fork(), "fork");
	if (!l->pid) {
		close(fds[0]);
		l->fd = fds[1];
		leave_for_ever(l);
	}
	close(fds[1]);
	l->fd = fds[0];
	made.leavers[made.n_leavers].fd = l->fd;
	made.leavers[made.n_leavers++].pid = l->pid;
	assert_int_equal(read(l->fd, &l->session, sizeof(l->session)), sizeof(l->session));
}

/* Why there can be none here, or NULL. */
static inline const char *no_leavers(void)
{
	const struct fence_options o = { 0 };
	struct fences *own = NULL;
	int status, r;
	pid_t child;

	r = fence_open(&own, &o, NULL);
	if (r == 0)
		r = fence_outbound_error(own);
	fence_close(own);
	if (r < 0)
		return "BPF is refused here, or there is no cgroup v2";
	child = must(fork(), "fork");
	if (!child) {
		_close_ int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

		_exit(fd < 0 || write(fd, "3949", 4) != 4);
	}
	must(waitpid(child, &status, 0), "waitpid");
	return status ? "who logs in cannot be changed here" : NULL;
}

#define leaver_run(name, tests, setup, teardown)                                         \
	(geteuid() || no_leavers() ? skip_all(geteuid() ? "needs root" : no_leavers()) : \
				     unit_run_with(name, tests, setup, teardown))

/* What it met: 0 or -errno. from: NULL any. */
static inline int leaves(const struct leaver *l, enum way way, const char *from, const char *to, uint16_t port)
{
	struct order o;
	int r;

	memset(&o, 0, sizeof(o));
	o.way = way;
	o.to = end_of(to, port);
	if (from)
		o.from = end_of(from, 0);
	must(write(l->fd, &o, sizeof(o)), "write");
	assert_int_equal(read(l->fd, &r, sizeof(r)), sizeof(r));
	return r;
}

/* A new cgroup v2 below another one, or below the root: its id. */
static inline uint64_t new_cgroup(const char *above, const char *name, char path[PATH_MAX])
{
	_free_ char *mount = NULL;
	struct stat st;

	assert_true(made.n_cgroups < array_size(made.cgroups));
	must(cgroup_mount(&mount), "cgroup v2");
	if ((size_t)snprintf(path, PATH_MAX, "%s/%s-%d", above ?: mount, name, getpid()) >= PATH_MAX)
		abort();
	must(mkdir(path, 0755), path);
	strcpy(made.cgroups[made.n_cgroups++], path);
	must(stat(path, &st), path);
	return st.st_ino;
}

/* The kernel takes its time to see a dead process leave its cgroup. */
static inline int all_gone(void **state)
{
	(void)state;
	while (made.n_leavers) {
		made.n_leavers--;
		close(made.leavers[made.n_leavers].fd);
		kill(made.leavers[made.n_leavers].pid, SIGKILL);
		waitpid(made.leavers[made.n_leavers].pid, NULL, 0);
	}
	while (made.n_cgroups) {
		const char *path = made.cgroups[--made.n_cgroups];

		for (long ms = 0; rmdir(path) < 0 && ms < deadline_ms(); ms++)
			poll(NULL, 0, 1);
	}
	return 0;
}
#define leaver_test(name) cmocka_unit_test_setup_teardown(name, none_stand, all_gone)

#endif
