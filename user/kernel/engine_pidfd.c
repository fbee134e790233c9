// SPDX-License-Identifier: LGPL-2.1-or-later
/* engine_pidfd.c - borrows the owner's descriptor and calls connect(AF_UNSPEC) on it, which for TCP and MPTCP is an abort:
 * reset to the peer, error to the owner. Needs CAP_SYS_PTRACE over the owner and a socket that has one. */
#include "kernel/engine.h"

#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

DEFINE_CLEANUP(DIR *, closedir)

static bool handles(const struct flow *f)
{
	return f->inode && !f->subflow && f->state != STATE_CLOSE && f->state != STATE_LISTEN;
}

/* Cookie and inode decide: pids, descriptors and inode numbers are reused, and MPTCP shares cookies, see flow_key(). */
static int abort_fd(int pidfd, int fd, const struct flow *f)
{
	_close_ int sock = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	struct stat st;

	if (sock < 0)
		return errno == EBADF ? -ENOENT : -errno;
	if (getsockopt(sock, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 || cookie != f->cookie ||
	    fstat(sock, &st) < 0 || st.st_ino != f->inode)
		return -ENOENT;
	return connect(sock, &none, sizeof(none)) < 0 ? -errno : 0;
}

static int by_inode(const void *a, const void *b)
{
	uint32_t x = (*(struct flow *const *)a)->inode, y = (*(struct flow *const *)b)->inode;

	return (x > y) - (x < y);
}

/* One look through the descriptors of a process that holds some of the flows. */
static void abort_by(uint32_t pid, struct flow **sorted, size_t n)
{
	_close_ int pidfd = syscall(SYS_pidfd_open, pid, 0);
	_cleanup_(closedirp) DIR *dir = NULL;
	struct flow key, *at = &key, **f;
	char link[64];
	struct dirent *e;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%u/fd", pid);
	dir = opendir(link);
	while (pidfd >= 0 && dir && (e = readdir(dir))) {
		len = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		if (sscanf(link, "socket:[%u]", &key.inode) != 1)
			continue;
		f = bsearch(&at, sorted, n, sizeof(*sorted), by_inode);
		if (f && (*f)->err)
			(*f)->err = abort_fd(pidfd, atoi(e->d_name), *f);
	}
}

static int destroy(struct netns *ns, struct flow *const *v, size_t n, const struct people *people)
{
	_free_ struct flow **sorted = calloc(n, sizeof(*sorted));
	_free_ bool *holds = calloc(people->procs->n + 1, sizeof(*holds));

	(void)ns;
	for (size_t i = 0; i < n; i++) {
		uint32_t set = flow_holders(v[i], people);

		v[i]->err = !sorted || !holds ? -ENOMEM : set ? -ENOENT : -ESRCH;
		for (; set && holds; set = people->holders->sets[set].parent)
			holds[people->holders->sets[set].proc] = true;
	}
	if (!sorted || !holds)
		return -ENOMEM;
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_inode);
	for (size_t i = 0; i < people->procs->n; i++)
		if (holds[i])
			abort_by(people->procs->v[i].pid, sorted, n);
	return 0;
}

const struct engine engine_pidfd = {
	.name = "pidfd",
	.how = "connect(AF_UNSPEC) on the owner's descriptor",
	.handles = handles,
	.destroy = destroy,
};
