// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_run.c - the commands a peer obeys. Each command gets one line of answer that
 * starts with "= ". A WHICH is a cookie, or nothing: all.
 *
 *	listen PROTO ADDR PORT [MODE] [backlog N] [later] [dev IF] [shared]	PROTO: tcp, udp, mptcp, unix
 *	connect PROTO ADDR PORT [MODE] [n N] [from ADDR] [sport N] [dev IF] [deaf] [later] [retry MS]
 *	accept			what waits in the backlog of listeners that accept "later"
 *	echo			bytes there and back on every connection of ours
 *	stat, ends		live=N and bytes; how connections ended, by errno
 *	cookies [FILE], listeners
 *	close WHICH, abort WHICH (RST), shut WHICH (FIN), deaf WHICH (all that arrives is dropped), hear WHICH
 *	latency MS		echoes over and over, how long they take
 *	churn MS		end and reopen connections of ours as fast as it goes
 *	storm N ADDR PORT	N connections, opened and closed one after the other as fast as it goes, both ends ours
 *	knock EVERY FOR PROTO ADDR PORT ...	a connection, made again EVERY ms after it has ended or was refused, for FOR ms
 *	trip N PID		when N more connections have ended, kill -9 PID
 *	say TEXT [nul]		on every connection of ours, with a NUL behind it or without
 *	fork [N]		a child, or N, that inherit every descriptor
 *	unlead			our first thread ends, another goes on: /proc has no descriptors of ours any more
 *	run PROGRAM...		as our child, while we hold our connections
 *	become PROGRAM...	in our place, its stdin a connection of ours
 *	take @NAME, give @NAME	every connection to another process
 *	netns FILE		move there; sockets stay where they are
 *
 * MODE of a connection: echo (accepted ones), sink (ours), hold (never read, never close), flood N (block in
 * send() until N bytes are out), slow N (read N bytes a second).
 * Events: "! end COOKIE ERRNO" (EOF: none), "! poll COOKIE EVENTS": what poll(2) says of a dead socket on hold. */
#include "peer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define MAX_WORDS 32

static int control;
static void serve(void);

static void do_listen(char **w)
{
	const struct spec *s = new_spec(w, false);
	int fd = new_socket(s);

	check(bind(fd, &s->to.sa, address_len(&s->to)), "bind");
	if (s->type == SOCK_STREAM) {
		check(listen(fd, s->backlog), "listen");
		check(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	}
	printf("= %llx@%lu\n", (unsigned long long)add(fd, s, true)->cookie, s->netns);
}

static void do_connect(char **w)
{
	const struct spec *s = new_spec(w, true);
	int i, fd;

	for (i = 0; i < s->n; i++) {
		fd = open_one(s);
		if (fd < 0) {
			printf("= error %s after %d\n", strerrorname_np(-fd), i);
			return;
		}
		add(fd, s, false);
	}
	printf("= connected %d\n", s->n);
}

static void do_accept(char **w)
{
	unsigned int i, last = n_conns;
	int n = 0, max = w[1] ? number(w + 1) : MAX_CONN;

	for (i = 0; i < last; i++)
		if (conns[i].fd >= 0 && conns[i].listener && conns[i].spec->later)
			n += accept_all(&conns[i], max - n);
	printf("= accepted %d\n", n);
}

static void do_stat(char **w)
{
	unsigned int i, n = 0;

	(void)w;
	for (i = 0; i < n_conns; i++)
		n += live(&conns[i]);
	printf("= live=%u read=%lu sent=%lu\n", n, __atomic_load_n(&total_read, __ATOMIC_RELAXED),
	       __atomic_load_n(&total_sent, __ATOMIC_RELAXED));
}

static void do_ends(char **w)
{
	const char *sep = "";
	int i;

	(void)w;
	printf("= ");
	for (i = 0; i < 256; i++) {
		if (!ends[i])
			continue;
		printf("%s%s=%u", sep, i ? strerrorname_np(i) : "EOF", ends[i]);
		sep = " ";
	}
	printf("\n");
}

static void print_cookies(FILE *f, bool listeners, const char *sep)
{
	unsigned int i;
	const char *s = "";

	for (i = 0; i < n_conns; i++) {
		const struct conn *c = &conns[i];

		if (listeners ? c->listener && c->fd >= 0 : live(c)) {
			fprintf(f, "%s%llx@%lu", s, (unsigned long long)c->cookie, c->spec->netns);
			s = sep;
		}
	}
	fprintf(f, "\n");
}

static void do_cookies(char **w)
{
	FILE *f = w[1] ? fopen(w[1], "we") : stdout;

	if (!f)
		die(w[1]);
	if (w[1]) {
		print_cookies(f, false, "\n");
		fclose(f);
		printf("= written\n");
	} else {
		printf("= ");
		print_cookies(f, false, " ");
	}
}

static void do_listeners(char **w)
{
	(void)w;
	printf("= ");
	print_cookies(stdout, true, " ");
}

void act(struct conn *c, const char *verb)
{
	struct linger now = { 1, 0 };

	if (!strcmp(verb, "shut"))
		shutdown(c->fd, SHUT_WR);
	else if (!strcmp(verb, "deaf") || !strcmp(verb, "hear"))
		set_deaf(c->fd, *verb == 'd');
	else {
		if (*verb == 'a')
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		drop(c);
	}
}

/* Also on what has ended and is still held. */
static void do_act(char **w)
{
	uint64_t cookie = w[1] ? strtoull(w[1], NULL, 16) : 0;
	unsigned int i, n = 0;

	for (i = 0; i < n_conns; i++) {
		struct conn *c = &conns[i];

		if (c->fd >= 0 && (cookie ? c->cookie == cookie : !c->listener)) {
			act(c, w[0]);
			n++;
		}
	}
	printf("= %s %u\n", w[0], n);
}

static void do_netns(char **w)
{
	enter_netns(w[1]);
	printf("= moved\n");
}

static void *go_on(void *arg)
{
	char link[64];

	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* of each thread its own */
	while (readlink("/proc/self/ns/net", link, sizeof(link)) > 0)
		wait_ms(1);
	printf("= first thread ended\n");
	serve();
	return NULL;
}

static void do_unlead(char **w)
{
	pthread_t t;

	(void)w;
	check(-pthread_create(&t, NULL, go_on, NULL), "thread");
	syscall(SYS_exit, 0);
}

static void do_stop(char **w)
{
	(void)w;
	printf("= bye\n");
	exit(0);
}

static void obey(char **words)
{
	static const struct {
		const char *name;
		void (*fn)(char **w);
	} commands[] = {
		{ "listen", do_listen },   { "connect", do_connect },
		{ "accept", do_accept },   { "echo", do_echo },
		{ "latency", do_latency }, { "churn", do_churn },
		{ "stat", do_stat },	   { "ends", do_ends },
		{ "cookies", do_cookies }, { "listeners", do_listeners },
		{ "close", do_act },	   { "abort", do_act },
		{ "shut", do_act },	   { "deaf", do_act },
		{ "hear", do_act },	   { "fork", do_fork },
		{ "run", do_run },	   { "become", do_become },
		{ "give", do_give },	   { "take", do_take },
		{ "netns", do_netns },	   { "unlead", do_unlead },
		{ "storm", do_storm },	   { "trip", do_trip },
		{ "say", do_say },	   { "knock", do_knock },
		{ "quit", do_stop },
	};
	size_t i;

	for (i = 0; words[0] && i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(words[0], commands[i].name)) {
			commands[i].fn(words);
			return;
		}
	}
	printf("= error no such command\n");
}

static void obey_lines(void)
{
	char buf[4096], *line, *next, *words[MAX_WORDS + 1];
	ssize_t n = read(control, buf, sizeof(buf) - 1);
	int k;

	check(n, "control fifo");
	buf[n] = 0;
	for (line = buf; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = 0;
		memset(words, 0, sizeof(words));
		for (k = 0; k < MAX_WORDS && (words[k] = strtok(k ? NULL : line, " ")); k++)
			;
		obey(words);
	}
}

static void serve(void)
{
	struct epoll_event ev[64];
	int i, n;

	while ((n = epoll_wait(epfd, ev, 64, -1)) >= 0 || errno == EINTR) {
		for (i = 0; i < n; i++) {
			unsigned int which = ev[i].data.u32;

			if (which == MAX_CONN)
				obey_lines();
			else if (which > MAX_CONN)
				received(ev[i].data.u64 >> 32);
			else if (conns[which].fd < 0 || conns[which].over)
				continue;
			else if (conns[which].listener && conns[which].spec->type == SOCK_STREAM)
				accept_all(&conns[which], MAX_CONN);
			else
				readable(&conns[which]);
		}
	}
	die("epoll_wait");
}

int run(int ctl, char **command)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = MAX_CONN };

	control = ctl;
	epfd = epoll_create1(EPOLL_CLOEXEC);
	check(epoll_ctl(epfd, EPOLL_CTL_ADD, ctl, &ev), "epoll_ctl");
	obey(command);
	serve();
	return 1;
}
