// SPDX-License-Identifier: LGPL-2.1-or-later
/* owners_proc.c - owners by walking /proc, where BPF is refused. A link says "socket:[inode]": sockets are known by
 * inode, and what a kernel shows in no namespace's dump cannot be found at all. */
#include "kernel/owners.h"
#include "kernel/caps.h"
#include "kernel/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(DIR *, closedir)

/* Whether it is us who lack something: then what could not be read may well be there. */
static bool starved(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

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
	char state;
	int len;

	if (slurp(dirfd, "stat", buf, sizeof(buf)) <= 0)
		return false;
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close || close < open ||
	    sscanf(close + 1, " %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &state, &p->ppid, &start) != 3)
		return false;
	p->start = start;
	p->zombie = state == 'Z';
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

/* The inode of the initial pid namespace, the same on every kernel (include/linux/proc_ns.h:PROC_PID_INIT_INO). */
#define INIT_PIDNS 0xeffffffcu

static bool is_confined(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != INIT_PIDNS;
}

/* hidepid= hides the processes of others from whoever may not trace them. */
static bool is_filtered(void)
{
	_fclose_ FILE *f = cap_effective(CAP_SYS_PTRACE) ? NULL : fopen("/proc/self/mountinfo", "re");
	_free_ char *line = NULL;
	bool filtered = false;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		const char *hide = strstr(line, "hidepid=");

		if (strstr(line, " / /proc ") && strstr(line, " - proc "))
			filtered = strstr(line, "subset=pid") ||
				   (hide && hide[8] != '0' && strncmp(hide + 8, "off", 3));
	}
	return filtered;
}

int owners_proc_procs(struct owners *o)
{
	_cleanup_(closedirp) DIR *proc = opendir("/proc");
	_free_ struct cgroup_memo *memo = calloc(1, sizeof(*memo));
	_free_ char *mount = NULL;
	struct dirent *e;
	uint32_t pid;
	int r;

	if (!memo)
		return -ENOMEM;
	r = cgroup_mount(&mount);
	if (starved(r))
		return r;
	memo->mount = mount;
	r = 0;
	while (proc && r == 0 && (e = readdir(proc))) {
		_close_ int dir = -1;

		if (!is_pid(e->d_name, &pid))
			continue;
		dir = openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0)
			r = read_proc(o, dir, pid, memo);
		else if (starved(-errno))
			r = -errno;
	}
	o->confined = is_confined();
	o->filtered = is_filtered();
	proctab_sort(&o->procs);
	/* Whoever reads this is a process too: to see none is to see nothing. */
	o->no_procs = !o->procs.n;
	return r;
}

bool owners_proc_visible(void)
{
	return access("/proc/self/fd", F_OK) == 0;
}

/* Whether a process that is still there keeps its descriptors from us: hidepid= makes it look gone. */
static bool hides(uint32_t pid, int err)
{
	if (err == ENOENT)
		return kill(pid, 0) == 0 || errno == EPERM;
	return err == EACCES || err == EPERM;
}

static int read_fds(struct owners *o, uint32_t proc)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct proc *p = &o->procs.v[proc];
	struct dirent *e;
	char link[64];
	unsigned int inode;
	ssize_t n;
	int r = 0;

	p->hidden = false;
	snprintf(link, sizeof(link), "/proc/%u/fd", p->pid);
	dir = opendir(link);
	if (!dir && starved(-errno))
		return -errno;
	if (!dir)
		p->hidden = hides(p->pid, errno);
	while (dir && r == 0 && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (n <= 0) {
			p->hidden |= n < 0 && errno == EACCES;
			continue;
		}
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) == 1 && inode)
			r = holders_add(&o->holders, inode, proc);
	}
	o->hidden_fds += p->hidden;
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
