// SPDX-License-Identifier: LGPL-2.1-or-later
/* survivors.c - what is left of a session once its transport is cut.
 *
 * Theory: when the terminal goes, the kernel sends SIGHUP to those who run on it, and they die
 * unless they ignore it. Who has no terminal lives on, unless it only serves the connection: such a
 * process was started in a session of processes by who holds the transport (sftp-server, the shell
 * of `ssh host command`), and ends when its pipe does. A survivor that owns the master side of
 * terminals keeps programs alive on them: one can come back to it. What runs on those terminals
 * lives because of it and is not looked at. Names of programs decide nothing.
 *
 * What cannot be seen: a handler for SIGHUP that does not exit, and jobs that their shell disowned.
 */
#include "names/sessions.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PTMX_DEV makedev(5, 2)

struct life {
	uint32_t sid; /* the POSIX session, by its leader's pid */
	uint32_t tty; /* device number as in /proc/PID/stat, 0 none */
	bool ignores_hangup;
};

static bool contains(const uint32_t *pids, size_t n, uint32_t pid)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (pids[mid] == pid)
			return true;
		if (pids[mid] < pid)
			low = mid + 1;
		else
			n = mid;
	}
	return false;
}

/* Fields 8 to 32 of /proc/PID/stat, as proc_pid_stat(5) counts them. */
#define SKIP5 "%*s %*s %*s %*s %*s "
#define SKIP25 SKIP5 SKIP5 SKIP5 SKIP5 SKIP5

/* The second field is the name of the program, which may hold anything, ")" included: the last one
 * ends it. */
static int parse_stat(const char *stat, struct life *ret)
{
	const char *end = strrchr(stat, ')');
	unsigned long ignored;
	struct life l;
	char state;

	if (!end || sscanf(end + 1, " %c %*d %*d %u %u " SKIP25 "%lu", &state, &l.sid, &l.tty, &ignored) != 4)
		return -EBADMSG;
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	l.ignores_hangup = ignored & 1UL << (SIGHUP - 1);
	*ret = l;
	return 0;
}

static int read_life(uint32_t pid, struct life *ret)
{
	char path[64], buf[2048];
	_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return parse_stat(buf, ret);
}

/* Looks like a name first: stat() would wait for a file server that is gone. */
static bool is_ptmx(int dir, const char *fd)
{
	char target[64];
	struct stat st;
	ssize_t n = readlinkat(dir, fd, target, sizeof(target));

	if (n < 5 || n == sizeof(target) || memcmp(target + n - 5, "/ptmx", 5))
		return false;
	return fstatat(dir, fd, &st, 0) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == PTMX_DEV;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* 1 yes, 0 no, negative errno: its descriptors may not be seen. */
static int owns_terminals(uint32_t pid)
{
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d)))
		if (is_ptmx(dirfd(d), e->d_name))
			return 1;
	return 0;
}

/* "pts/3" or "tty1", as in the numbers of the kernel's devices.txt; "" for others. */
static void name_tty(uint32_t dev, char *ret, size_t size)
{
	uint32_t major = dev >> 8 & 0xfff, minor = (dev & 0xff) | (dev >> 12 & 0xfff00);

	if (major >= 136 && major <= 143)
		snprintf(ret, size, "pts/%u", (major - 136) * 256 + minor);
	else if (major == 4 && minor < 64)
		snprintf(ret, size, "tty%u", minor);
	else if (major == 4)
		snprintf(ret, size, "ttyS%u", minor - 64);
}

/* Whether its session of processes belongs to the connection: led by a holder or by a holder's
 * child. */
static bool serves_connection(const struct proctab *procs, uint32_t sid, const uint32_t *holders, size_t n)
{
	int32_t leader = proctab_find(procs, sid);

	return contains(holders, n, sid) || (leader >= 0 && contains(holders, n, procs->v[leader].ppid));
}

void session_survivors(struct sessions *s, size_t i, const struct proctab *procs, const uint32_t *holders,
		       size_t n_holders)
{
	struct session *one = s->v + i;
	bool blind = false;

	one->survives = SURVIVES_NOTHING;
	one->survivor = 0;
	for (size_t j = 0; j < procs->n; j++) {
		const struct proc *p = procs->v + j;
		struct life life;
		bool serves;
		int r;

		if (p->session != (int32_t)i || contains(holders, n_holders, p->pid) || read_life(p->pid, &life) < 0)
			continue;
		serves = serves_connection(procs, life.sid, holders, n_holders);
		if (life.tty && serves && !*one->tty)
			name_tty(life.tty, one->tty, sizeof(one->tty));
		if (life.tty ? !life.ignores_hangup : serves)
			continue;
		r = owns_terminals(p->pid);
		if (r > 0 || !one->survivor)
			one->survivor = p->pid;
		if (r > 0) {
			one->survives = SURVIVES_MULTIPLEXER;
			return;
		}
		blind |= r < 0;
		one->survives = blind ? SURVIVES_UNKNOWN : SURVIVES_DETACHED;
	}
}
