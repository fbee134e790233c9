// SPDX-License-Identifier: LGPL-2.1-or-later
/* owners_proc.c - owners by walking /proc, where BPF is refused. A link says "socket:[inode]": sockets are known by
 * inode, and what a kernel shows in no namespace's dump cannot be found at all. */
#include "kernel/owners.h"
#include "kernel/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(DIR *, closedir)

/* A whole small file below the directory dirfd, NUL-terminated. Its length or negative errno. */
static ssize_t slurp(int dirfd, const char *name, char *buf, size_t size)
{
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

/* "pid (comm) state ppid ..." - the name may hold blanks and brackets, so what follows is found from the end. */
static bool read_stat(int dirfd, struct proc *p)
{
	char buf[1024], *open, *close;
	unsigned long long start;
	int len;

	if (slurp(dirfd, "stat", buf, sizeof(buf)) <= 0)
		return false;
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close || close < open ||
	    sscanf(close + 1, " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &p->ppid, &start) != 2)
		return false;
	p->start = start;
	len = close - open - 1;
	snprintf(p->comm, sizeof(p->comm), "%.*s", len, open + 1);
	return true;
}

static uint32_t read_id(int dirfd, const char *name)
{
	char buf[32];
	unsigned int id;

	return slurp(dirfd, name, buf, sizeof(buf)) > 0 && sscanf(buf, "%u", &id) == 1 ? id : ID_UNSET;
}

/* The last cgroup asked about: neighbours in /proc often share it. */
struct cgroup_memo {
	char *mount;
	char path[4096];
	uint64_t id;
};

static uint64_t read_cgroup(int dirfd, struct cgroup_memo *memo)
{
	char buf[4096] = "\n", *path;

	if (!memo->mount || slurp(dirfd, "cgroup", buf + 1, sizeof(buf) - 1) <= 0)
		return 0;
	path = strstr(buf, "\n0::");
	if (!path)
		return 0;
	path += strlen("\n0::");
	path[strcspn(path, "\n")] = '\0';
	if (strcmp(path, memo->path)) {
		snprintf(memo->path, sizeof(memo->path), "%s", path);
		memo->id = cgroup_id(memo->mount, path);
	}
	return memo->id;
}

static void read_netns(struct owners *o, int dirfd, struct proc *p)
{
	char link[64];
	ssize_t n = readlinkat(dirfd, "ns/net", link, sizeof(link) - 1);

	if (n < 0) {
		o->hidden_netns += errno == EACCES || errno == EPERM;
		return;
	}
	link[n] = '\0';
	if (sscanf(link, "net:[%u]", &p->netns) != 1)
		p->netns = 0;
}

static int read_proc(struct owners *o, int dirfd, uint32_t pid, struct cgroup_memo *memo)
{
	struct proc p = { .pid = pid, .session = -1 };
	struct stat st;

	if (!read_stat(dirfd, &p) || fstat(dirfd, &st) < 0)
		return 0; /* it ended meanwhile */
	p.uid = st.st_uid;
	p.login_uid = read_id(dirfd, "loginuid");
	p.audit_session = read_id(dirfd, "sessionid");
	p.cgroup = read_cgroup(dirfd, memo);
	read_netns(o, dirfd, &p);
	return proctab_add(&o->procs, &p);
}

static bool is_pid(const char *name, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	*ret = n;
	return *name >= '1' && *name <= '9' && !*end && n <= INT32_MAX;
}

int owners_proc_procs(struct owners *o)
{
	_cleanup_(closedirp) DIR *proc = opendir("/proc");
	_free_ struct cgroup_memo *memo = calloc(1, sizeof(*memo));
	_free_ char *mount = NULL;
	struct dirent *e;
	uint32_t pid;
	int r = 0;

	if (!memo)
		return -ENOMEM;
	if (cgroup_mount(&mount) == 0)
		memo->mount = mount;
	while (proc && r == 0 && (e = readdir(proc))) {
		_close_ int dir = -1;

		if (!is_pid(e->d_name, &pid))
			continue;
		dir = openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			r = read_proc(o, dir, pid, memo);
	}
	proctab_sort(&o->procs);
	/* Whoever reads this is a process too: to see none is to see nothing. */
	o->no_procs = !o->procs.n;
	return r;
}

static int read_fds(struct owners *o, uint32_t proc)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *e;
	char link[64];
	unsigned int inode;
	ssize_t n;
	int r = 0;

	snprintf(link, sizeof(link), "/proc/%u/fd", o->procs.v[proc].pid);
	dir = opendir(link);
	if (!dir)
		o->hidden_fds += errno == EACCES || errno == EPERM;
	while (dir && r == 0 && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) == 1 && inode)
			r = holders_add(&o->holders, inode, proc);
	}
	return r;
}

int owners_proc_holders(struct owners *o, const bool *procs)
{
	int r = 0;

	o->hidden_fds = 0;
	for (uint32_t i = 0; i < o->procs.n && r == 0; i++)
		if (!procs || procs[i])
			r = read_fds(o, i);
	return r;
}
