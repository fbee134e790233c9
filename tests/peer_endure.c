// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_endure.c - what the tests of endurance need: connections that come and go without a pause, a kill in the middle of
 * something, callers who say nothing or nonsense, and what BPF objects this host has. */
#include "peer.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/syscall.h>

#define SOURCES 250 /* addresses, so that ports in TIME_WAIT do not run out */

static int storm_listener(const char *addr, const char *port, union address *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	check(fd, "socket");
	parse_address(addr, atoi(port), ret);
	check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	check(bind(fd, &ret->sa, address_len(ret)), "bind");
	check(listen(fd, 16), "listen");
	return fd;
}

/* One of eight is closed, by either end; the others are reset. */
static void storm_one(int listener, const union address *to, long i)
{
	struct linger now = { 1, 0 };
	union address from = { .in = { .sin_family = AF_INET } };
	int on = 1, theirs, ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.in.sin_addr.s_addr = htonl(0x7f010000 | (i % SOURCES + 1));
	check(ours, "socket");
	setsockopt(ours, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	check(bind(ours, &from.sa, sizeof(from.in)), "bind");
	check(connect(ours, &to->sa, sizeof(to->in)), "connect");
	theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	check(theirs, "accept");
	if (i % 8)
		setsockopt(i % 3 ? ours : theirs, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(i % 3 ? ours : theirs);
	close(i % 3 ? theirs : ours);
}

/* Both ends in one thread: two processes would spend their time waking each other. */
void do_storm(char **w)
{
	union address to;
	long n, start = now_ms();
	int listener;

	if (!w[1] || !w[2] || !w[3])
		die("N ADDR PORT");
	listener = storm_listener(w[2], w[3], &to);
	n = number(w + 1);
	for (long i = 0; i < n; i++)
		storm_one(listener, &to, i);
	close(listener);
	printf("= stormed %ld in %ld ms\n", n, now_ms() - start);
}

static unsigned int trip_at;
static int trip_pid;

void do_trip(char **w)
{
	if (!w[1] || !w[2])
		die("N PID");
	trip_pid = number(w + 2);
	__atomic_store_n(&trip_at, number(w + 1), __ATOMIC_SEQ_CST);
	printf("= armed\n");
}

void one_more_end(void)
{
	if (__atomic_load_n(&trip_at, __ATOMIC_SEQ_CST) && !__atomic_sub_fetch(&trip_at, 1, __ATOMIC_SEQ_CST))
		kill(trip_pid, SIGKILL);
}

/* The NUL behind a text ends a message of varlink. */
void do_say(char **w)
{
	bool nul = w[1] && w[2] && !strcmp(w[2], "nul");
	unsigned int i, n = 0;

	for (i = 0; i < n_conns && w[1]; i++)
		if (live(&conns[i]) && conns[i].spec->ours &&
		    send(conns[i].fd, w[1], strlen(w[1]) + nul, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
			n++;
	printf("= said %u\n", n);
}

/* The commands of bpf(2) that go from id to id, which do not change. */
int list_bpf(void)
{
	static const struct {
		const char *name;
		int next;
	} kinds[] = { { "prog", 11 }, { "map", 12 }, { "link", 31 } };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct {
			uint32_t start, next, flags;
		} attr = { 0 };

		while (syscall(SYS_bpf, kinds[i].next, &attr, sizeof(attr)) == 0) {
			printf("%s %u\n", kinds[i].name, attr.next);
			attr.start = attr.next;
		}
		if (errno != ENOENT)
			die("bpf");
	}
	return 0;
}
