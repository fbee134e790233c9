// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_trace.c - what goes wrong between a program and the kernel: its orders to destroy sockets are lost, or its
 * rights go in the middle of its work. It is stopped as it enters send; in the second case it is made to call
 * setresuid() first, and what the kernel then says to it is the kernel's own answer. */
#include "peer.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#ifdef __x86_64__
/* The size of the message, when a call is about to send orders to destroy sockets; else 0. */
static size_t order_size(pid_t pid, const struct user_regs_struct *r)
{
	struct nlmsghdr h = { 0 };
	long word;

	if (r->orig_rax != SYS_sendto || r->rdx < sizeof(h))
		return 0;
	word = ptrace(PTRACE_PEEKDATA, pid, r->rsi, 0);
	memcpy(&h, &word, sizeof(word));
	return h.nlmsg_len <= r->rdx && h.nlmsg_type == SOCK_DESTROY ? r->rdx : 0;
}

/* Continues to the next entry or exit of a system call, or to the end. */
static int step(pid_t pid, struct user_regs_struct *ret)
{
	int status;

	do {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		check(waitpid(pid, &status, 0), "waitpid");
	} while (WIFSTOPPED(status) && WSTOPSIG(status) != (SIGTRAP | 0x80));
	if (WIFSTOPPED(status))
		ptrace(PTRACE_GETREGS, pid, 0, ret);
	return status;
}

static pid_t start_traced(char **argv)
{
	int status;
	pid_t pid = fork();

	check(pid, "fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[0], argv);
		_exit(127);
	}
	check(waitpid(pid, &status, 0), "waitpid");
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	return pid;
}

static int result(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What a call is to return instead of being made; 0: it is to be made. */
static long instead(pid_t pid, const struct user_regs_struct *r, bool all)
{
	if (all && (r->orig_rax == SYS_bpf || r->orig_rax == SYS_pidfd_getfd))
		return -ENOSYS;
	return order_size(pid, r);
}

/* Says so, once the first order is lost: from then on the list of victims is settled. */
static void mark(pid_t pid, const struct user_regs_struct *r)
{
	const char *file = getenv("SWALLOWED");

	if (file && order_size(pid, r))
		close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

int swallow(bool all, char **argv)
{
	struct user_regs_struct r;
	pid_t pid = start_traced(argv);
	int status;
	long value;

	while (WIFSTOPPED(status = step(pid, &r))) { /* entry */
		value = instead(pid, &r, all);
		if (value) {
			mark(pid, &r);
			r.orig_rax = -1;
			ptrace(PTRACE_SETREGS, pid, 0, &r);
		}
		status = step(pid, &r);
		if (WIFSTOPPED(status) && value) {
			r.rax = value;
			ptrace(PTRACE_SETREGS, pid, 0, &r);
		}
		if (!WIFSTOPPED(status))
			break;
	}
	return result(status);
}

/* Stopped at the entry of a system call: setresuid() instead, then that call again. */
static void become_first(pid_t pid, const struct user_regs_struct *wanted, unsigned int uid)
{
	struct user_regs_struct r = *wanted;

	r.orig_rax = SYS_setresuid;
	r.rdi = r.rsi = r.rdx = uid;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
	step(pid, &r);
	r = *wanted;
	r.rip -= 2; /* the syscall instruction */
	r.rax = wanted->orig_rax;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
}

int demote(unsigned int uid, long n, char **argv)
{
	struct user_regs_struct r;
	pid_t pid = start_traced(argv);
	int status;

	while (WIFSTOPPED(status = step(pid, &r))) { /* entry */
		if (order_size(pid, &r) && --n == 0) {
			become_first(pid, &r, uid);
			ptrace(PTRACE_DETACH, pid, 0, 0);
			check(waitpid(pid, &status, 0), "waitpid");
			break;
		}
		if (!WIFSTOPPED(status = step(pid, &r)))
			break;
	}
	return result(status);
}
#else
int swallow(bool all, char **argv)
{
	(void)all, (void)argv;
	return 126;
}

int demote(unsigned int uid, long n, char **argv)
{
	(void)uid, (void)n, (void)argv;
	return 126;
}
#endif
