// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SELF "/proc/thread-self/ns/net" /* other threads may be elsewhere */

int netns_inode_of_fd(int fd, uint32_t *ret)
{
	struct stat st;

	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int netns_inode_of_path(const char *path, uint32_t *ret)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : netns_inode_of_fd(fd, ret);
}

int netns_of_socket(int fd)
{
	int r = ioctl(fd, SIOCGSKNS);

	return r < 0 ? -errno : r;
}

/* The range a connect() without bind() takes its local port from; /proc/sys/net shows the reader's own namespace. */
static void read_ephemeral(struct netns *ns)
{
	_fclose_ FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int first, last;

	if (f && fscanf(f, "%u %u", &first, &last) == 2 && first <= last && last <= UINT16_MAX) {
		ns->ephemeral_first = first;
		ns->ephemeral_last = last;
	}
}

static uint32_t zone_index(const char *zone)
{
	char *end;
	unsigned long n;

	if (!*zone)
		return 0;
	n = strtoul(zone, &end, 10);
	return *end ? if_nametoindex(zone) : n;
}

/* An interface name means something else in every namespace, so zones are looked up in each. */
static int read_zones(struct netns *ns, const struct filter *f)
{
	size_t n = f->clients.n + f->peers.n;

	if (!n)
		return 0;
	ns->zones = calloc(n, sizeof(*ns->zones));
	if (!ns->zones)
		return -ENOMEM;
	for (size_t i = 0; i < f->clients.n; i++)
		ns->zones[i] = zone_index(f->clients.v[i].zone);
	for (size_t i = 0; i < f->peers.n; i++)
		ns->zones[f->clients.n + i] = zone_index(f->peers.v[i].zone);
	return 0;
}

int netns_open_here(struct netns *ns, const struct filter *f)
{
	int r = nl_open(&ns->nl);

	if (r < 0)
		return r;
	read_ephemeral(ns);
	return read_zones(ns, f);
}

/* Through /proc, or where that is hidden, through a socket. */
int netns_own(void)
{
	_close_ int sock = -1;
	int fd = open(SELF, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return sock < 0 ? -errno : netns_of_socket(sock);
}

static int run_in(int nsfd, int (*fn)(void *arg), void *arg)
{
	_close_ int back = netns_own();
	int r;

	if (back < 0)
		return back;
	if (setns(nsfd, CLONE_NEWNET) < 0)
		return -errno;
	r = fn(arg);
	/* Staying in a foreign namespace would make every later step lie. */
	if (setns(back, CLONE_NEWNET) < 0)
		abort();
	return r;
}

int netns_run(const struct netns *ns, int (*fn)(void *arg), void *arg)
{
	_close_ int fd = ns->nl ? netns_of_socket(nl_fd(ns->nl)) : -EBADF;

	return fd < 0 ? fd : run_in(fd, fn, arg);
}

/* A process may be entered by its pidfd where its /proc files are hidden. */
static int open_door(const struct netns_door *door)
{
	char path[64];
	int fd;

	if (door->fd >= 0)
		return fcntl(door->fd, F_DUPFD_CLOEXEC, 0);
	if (door->path)
		return open(door->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/%u/ns/net", door->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 || errno != ENOENT ? fd : (int)syscall(SYS_pidfd_open, door->pid, 0);
}

struct entry {
	struct netns *ns;
	const struct filter *filter;
	bool check; /* the door was a pidfd: see where it led */
};

static int enter(void *arg)
{
	const struct entry *e = arg;
	_close_ int here = -1;
	uint32_t inode;

	if (e->check) {
		here = netns_own();
		if (here < 0)
			return here;
		if (netns_inode_of_fd(here, &inode) < 0 || inode != e->ns->inode)
			return -ESTALE;
	}
	return netns_open_here(e->ns, e->filter);
}

int netns_open_through(struct netns *ns, const struct netns_door *door, const struct filter *f)
{
	_close_ int fd = open_door(door);
	struct entry e = { .ns = ns, .filter = f };
	uint32_t inode;

	if (fd < 0)
		return -errno;
	e.check = netns_inode_of_fd(fd, &inode) < 0;
	if (!e.check && inode != ns->inode)
		return -ESTALE;
	return run_in(fd, enter, &e);
}

void fd_limit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}
