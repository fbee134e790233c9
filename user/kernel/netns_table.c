// SPDX-License-Identifier: LGPL-2.1-or-later
/* netns_table.c - finding every namespace that a process is in, a mount keeps or a held socket shows. */
#include "kernel/sockets.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

struct netns *netns_find(const struct netns_table *t, uint32_t inode)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].inode == inode)
			return &t->v[i];
	return NULL;
}

static bool left_out(const struct filter *f, uint32_t inode)
{
	return filter_names(f, SEL_NETNS) && !ids_has(&f->netns, inode);
}

/* 0, or -ENOMEM. A new entry counts as gone until somebody enters it. */
static int find_or_append(struct netns_table *t, uint32_t inode, struct netns **ret)
{
	struct netns *ns = netns_find(t, inode);
	int r;

	if (!ns) {
		r = grow(&t->v, &t->cap, t->n + 1, sizeof(*t->v));
		if (r < 0)
			return r;
		ns = &t->v[t->n++];
		*ns = (struct netns){ .inode = inode, .err = -ENOENT };
	}
	*ret = ns;
	return 0;
}

int netns_add(struct netns_table *t, const struct netns_door *door, const struct filter *f, struct netns **ret)
{
	struct netns *ns;
	int r = find_or_append(t, door->inode, &ns);

	if (r < 0)
		return r;
	if (!ns->nl && !left_out(f, door->inode))
		ns->err = door->inode == t->self ? netns_open_here(ns, f) : netns_open_through(ns, door, f);
	if (ret)
		*ret = ns;
	return ns->err == -ENOMEM ? -ENOMEM : 0;
}

/* A process whose first thread has ended is reached through another one (Linux 6.9). */
static int borrow_socket(const struct held_netns *held)
{
	_close_ int pidfd = syscall(SYS_pidfd_open, held->tid, held->tid == held->pid ? 0 : PIDFD_THREAD);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, held->fd, 0);

	return fd >= 0 ? fd : errno == ESRCH || errno == EBADF ? -ENOENT : -errno;
}

/* A failure stands in the table: there is a namespace that was not looked into. */
int netns_add_held(struct netns_table *t, const struct held_netns *held, const struct filter *f)
{
	_close_ int sock = borrow_socket(held);
	_close_ int fd = sock < 0 ? sock : netns_of_socket(sock);
	const struct netns_door door = { .inode = held->inode, .fd = fd };
	struct netns *ns;
	int r;

	if (fd >= 0 || left_out(f, held->inode))
		return netns_add(t, &door, f, NULL);
	r = find_or_append(t, held->inode, &ns);
	if (r == 0 && !ns->nl)
		ns->err = fd;
	return r;
}

static int find_self(struct netns_table *t)
{
	_close_ int fd = netns_own();
	int r = fd < 0 ? fd : netns_inode_of_fd(fd, &t->self);

	return r;
}

static int add_mounted(struct netns_table *t, const struct filter *f);

int netns_discover(struct netns_table *t, const struct proctab *procs, const struct filter *f)
{
	struct netns_door door = { .fd = -1 };
	uint32_t last = 0;
	int r = find_self(t);

	if (r < 0)
		return r;
	door.inode = t->self;
	r = netns_add(t, &door, f, NULL);
	if (r < 0)
		return r;
	if (t->v[0].err && !left_out(f, t->self))
		return t->v[0].err;
	r = add_mounted(t, f);
	for (size_t i = 0; i < procs->n && r >= 0; i++) {
		const struct proc *p = &procs->v[i];
		struct netns *known;

		if (!p->netns || p->netns == last)
			continue;
		known = netns_find(t, p->netns);
		last = known && known->nl ? p->netns : 0;
		if (last)
			continue;
		door = (struct netns_door){ .inode = p->netns, .pid = p->pid, .fd = -1 };
		r = netns_add(t, &door, f, NULL);
	}
	return r;
}

/* mountinfo writes blanks, tabs, newlines and backslashes as \ooo. */
static void unescape(char *s)
{
	char *to = s;
	unsigned int c;

	for (; *s; s++) {
		if (*s == '\\' && sscanf(s + 1, "%3o", &c) == 1 && strlen(s) >= 4) {
			*to++ = c;
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* Namespaces kept alive by a mount: `ip netns`, container runtimes. */
static int add_mounted(struct netns_table *t, const struct filter *f)
{
	_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_free_ char *line = NULL;
	size_t cap = 0;
	int r = 0;

	while (mounts && r >= 0 && getline(&line, &cap, mounts) > 0) {
		char root[32], path[4096];
		struct netns_door door = { .fd = -1, .path = path };
		struct netns *ns;

		if (sscanf(line, "%*d %*d %*s %31s %4095s", root, path) != 2 ||
		    sscanf(root, "net:[%u]", &door.inode) != 1)
			continue;
		unescape(path);
		r = netns_add(t, &door, f, &ns);
		if (r >= 0 && !ns->name) {
			ns->name = strdup(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
			r = ns->name ? 0 : -ENOMEM;
		}
	}
	return r;
}

void netns_clear(struct netns_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		nl_close(t->v[i].nl);
		listeners_free(t->v[i].listeners);
		free(t->v[i].zones);
		free(t->v[i].name);
	}
	free(t->v);
	memset(t, 0, sizeof(*t));
}
