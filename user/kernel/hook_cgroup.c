// SPDX-License-Identifier: LGPL-2.1-or-later
/* hook_cgroup.c - a child joins a new cgroup below the root of cgroup v2, where all that is refused is its own. A
 * link adds to the programs which are there already (BPF_F_ALLOW_MULTI) and takes the place of none. */
#include "kernel/hook_cgroup.h"
#include "kernel/cgroup.h"
#include "kernel/hooks.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hook_cgroup.lskel.h"

DEFINE_CLEANUP(struct hook_cgroup_bpf *, hook_cgroup_bpf__destroy)

enum { OUR_LEVEL = 0x5e7e, OUR_OPTION = 1 };

static int cgroup_dir(pid_t pid, char **ret)
{
	_free_ char *mount = NULL;
	int r = cgroup_mount(&mount);

	if (r < 0)
		return r;
	return asprintf(ret, "%s/sever-doctor-%d", mount, (int)pid) < 0 ? -ENOMEM : 0;
}

/* Makes it and joins it: 0 or -errno. */
static int join(const char *dir, int *ret_fd)
{
	_close_ int fd = -1, procs = -1;

	rmdir(dir); /* of a process long gone that had our pid */
	if (mkdir(dir, 0755) < 0)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	procs = fd < 0 ? -1 : openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int attach(struct hook_cgroup_bpf *s, int dir)
{
	const struct {
		int prog, *link;
		enum bpf_attach_type type;
	} v[] = {
		{ s->progs.doctor_create.prog_fd, &s->links.doctor_create_fd, BPF_CGROUP_INET_SOCK_CREATE },
		{ s->progs.doctor_refuse4.prog_fd, &s->links.doctor_refuse4_fd, BPF_CGROUP_INET4_CONNECT },
		{ s->progs.doctor_refuse6.prog_fd, &s->links.doctor_refuse6_fd, BPF_CGROUP_INET6_CONNECT },
		{ s->progs.doctor_label.prog_fd, &s->links.doctor_label_fd, BPF_CGROUP_SETSOCKOPT },
		{ s->progs.doctor_release.prog_fd, &s->links.doctor_release_fd, BPF_CGROUP_INET_SOCK_RELEASE },
	};

	for (size_t i = 0; i < array_size(v); i++) {
		*v[i].link = bpf_link_create(v[i].prog, dir, v[i].type, NULL);
		if (*v[i].link < 0)
			return -errno;
	}
	return 0;
}

/* Nobody need listen: the program is asked first. */
static bool refused(const struct sockaddr *to, socklen_t len)
{
	_close_ int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A host without IPv6 has nothing to refuse. */
	if (fd < 0)
		return to->sa_family == AF_INET6 && errno == EAFNOSUPPORT;
	return connect(fd, to, len) < 0 && errno == EPERM;
}

static bool both_refused(void)
{
	const struct in6_addr lo = IN6ADDR_LOOPBACK_INIT;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = lo };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(9) };

	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return refused((void *)&four, sizeof(four)) && refused((void *)&six, sizeof(six));
}

static bool labelled(void)
{
	_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && setsockopt(fd, OUR_LEVEL, OUR_OPTION, "label", sizeof("label")) == 0;
}

/* In the child. What it may load is asked before where: the answer for who may do neither is EPERM. */
static int try_inside(const char *dir)
{
	_cleanup_(hook_cgroup_bpf__destroyp) struct hook_cgroup_bpf *s = NULL;
	_close_ int fd = -1;
	int r;

	errno = 0;
	s = hook_cgroup_bpf__open_and_load();
	if (!s)
		return errno ? -errno : -EOPNOTSUPP;
	if (!dir)
		return -ENOENT;
	s->bss->our_level = OUR_LEVEL;
	r = join(dir, &fd);
	if (r == 0)
		r = attach(s, fd);
	if (r < 0)
		return r;
	if (!both_refused() || !labelled())
		return -ENODATA;
	return s->bss->saw_create && s->bss->saw_release ? 0 : -ENODATA;
}

/* The kernel may take a moment to see a dead process leave. */
static void remove_dir(const char *dir)
{
	for (int ms = 0; ms < 1000 && rmdir(dir) < 0 && errno == EBUSY; ms++)
		poll(NULL, 0, 1);
}

int try_hook_cgroup(void)
{
	_free_ char *dir = NULL;
	int status, r = cgroup_dir(getpid(), &dir);
	pid_t child;

	if (r < 0 && r != -ENOENT)
		return r;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		r = try_inside(dir);
		free(dir);
		_exit(r < -UINT8_MAX ? EOPNOTSUPP : -r); /* ENOTSUPP is such a one */
	}
	r = waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ? -EIO : -WEXITSTATUS(status);
	if (dir)
		remove_dir(dir);
	return r;
}

void hook_cgroup_clear(pid_t pid)
{
	_free_ char *dir = NULL;

	if (cgroup_dir(pid, &dir) == 0)
		remove_dir(dir);
}
