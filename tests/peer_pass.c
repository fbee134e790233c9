// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_pass.c - commands that let other processes hold our connections: fork, run, become, give and take. */
#include "peer.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

void do_fork(char **w)
{
	long n = w[1] ? number(w + 1) : 1;
	pid_t pid = 0;

	for (; n > 0; n--) {
		pid = fork();
		check(pid, "fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	printf("= %d\n", pid);
}

/* A program as our child, so that we are its ancestor; its output goes where it says. */
void do_run(char **w)
{
	int status = 0;
	pid_t pid = fork();

	check(pid, "fork");
	if (pid == 0) {
		execvp(w[1], w + 1);
		_exit(127);
	}
	check(waitpid(pid, &status, 0), "waitpid");
	printf("= exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The program takes our place, its stdin is a connection of ours, and all else we held is closed. */
void do_become(char **w)
{
	unsigned int i;

	for (i = 0; i < n_conns && !live(&conns[i]); i++)
		;
	check(i < n_conns ? dup2(conns[i].fd, STDIN_FILENO) : -1, "stdin");
	printf("! became\n");
	execvp(w[1], w + 1);
	die(w[1]);
}

/* One descriptor a datagram, then an empty one. */
void do_give(char **w)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "";
	struct iovec iov = { "c", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	union address to;
	unsigned int i, n = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	parse_address(w[1], 0, &to);
	check(connect(fd, &to.sa, address_len(&to)), w[1]);
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	for (i = 0; i < n_conns; i++) {
		if (!live(&conns[i]))
			continue;
		memcpy(CMSG_DATA(c), &conns[i].fd, sizeof(int));
		check(sendmsg(fd, &m, 0), "sendmsg");
		n++;
	}
	close(fd);
	printf("= gave %u\n", n);
}

void received(int fd)
{
	static struct spec s = { .type = SOCK_STREAM, .mode = HOLD };
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	int got;

	check(recvmsg(fd, &m, MSG_CMSG_CLOEXEC), "recvmsg");
	if (!CMSG_FIRSTHDR(&m))
		return;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	s.netns = own_netns();
	printf("! took %llx\n", (unsigned long long)add(got, &s, false)->cookie);
}

void do_take(char **w)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = MAX_CONN + 1 };
	union address own;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	parse_address(w[1], 0, &own);
	check(bind(fd, &own.sa, address_len(&own)), w[1]);
	ev.data.u64 |= (uint64_t)fd << 32;
	check(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
	printf("= taking\n");
}
