// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_conn.c - the connections of a peer: how they come, what they do, and how they end. */
#include "peer.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

struct conn conns[MAX_CONN];
unsigned int n_conns, ends[256];
unsigned long total_read, total_sent;
int epfd;
static unsigned int spare[MAX_CONN], n_spare;

bool live(const struct conn *c)
{
	return c->fd >= 0 && !c->over && !c->listener;
}

int new_socket(const struct spec *s)
{
	int fd = socket(s->to.sa.sa_family, s->type | SOCK_CLOEXEC, s->proto), on = 1;

	check(fd, "socket");
	check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	if (s->shared)
		check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), "SO_REUSEPORT");
	if (s->dev)
		check(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->dev, strlen(s->dev)), s->dev);
	return fd;
}

/* A filter that takes nothing: what arrives (SYN-ACK, ACK, RST) never reaches the connection. */
void set_deaf(int fd, bool deaf)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };

	check(setsockopt(fd, SOL_SOCKET, deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &prog, sizeof(prog)), "filter");
}

static void over(struct conn *c, int err)
{
	c->over = true;
	__atomic_add_fetch(&ends[err & 255], 1, __ATOMIC_RELAXED);
	one_more_end();
	printf("! end %llx %s\n", (unsigned long long)c->cookie, err ? strerrorname_np(err) : "EOF");
}

static void *flood(void *arg)
{
	static char block[65536];
	struct conn *c = arg;
	long left = c->spec->amount;

	while (left > 0) {
		ssize_t n = send(c->fd, block, left < 65536 ? left : 65536, MSG_NOSIGNAL);

		if (n < 0) {
			over(c, errno);
			return NULL;
		}
		left -= n;
		__atomic_add_fetch(&total_sent, n, __ATOMIC_RELAXED);
	}
	over(c, recv(c->fd, block, sizeof(block), 0) < 0 ? errno : 0);
	return NULL;
}

static void *slow(void *arg)
{
	char block[65536];
	struct conn *c = arg;
	long want = c->spec->amount / 50;

	for (;;) {
		ssize_t n = recv(c->fd, block, want < 65536 ? want : 65536, 0);

		if (n <= 0) {
			over(c, n ? errno : 0);
			return NULL;
		}
		__atomic_add_fetch(&total_read, n, __ATOMIC_RELAXED);
		wait_ms(20);
	}
}

static void watch(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = c - conns };
	enum mode mode = c->spec->mode;
	pthread_t t;

	if (!c->listener && (mode == FLOOD || mode == SLOW)) {
		check(-pthread_create(&t, NULL, mode == FLOOD ? flood : slow, c), "thread");
		return;
	}
	if (c->listener ? c->spec->later : mode == HOLD)
		ev.events = 0; /* errors and hang-ups come all the same */
	check(epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev), "epoll_ctl");
}

struct conn *add(int fd, const struct spec *s, bool listener)
{
	struct conn *c = &conns[n_spare ? spare[--n_spare] : n_conns++];
	socklen_t len = sizeof(c->cookie);

	if (n_conns == MAX_CONN)
		die("too many connections");
	*c = (struct conn){ .spec = s, .fd = fd, .listener = listener };
	check(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &c->cookie, &len), "SO_COOKIE");
	watch(c);
	return c;
}

void drop(struct conn *c)
{
	epoll_ctl(epfd, EPOLL_CTL_DEL, c->fd, NULL); /* a child may keep the socket alive */
	close(c->fd);
	c->fd = -1;
	spare[n_spare++] = c - conns;
}

int open_one(const struct spec *s)
{
	int fd = new_socket(s), flags = fcntl(fd, F_GETFL), on = 1, r;

	/* Choosing the port at connect() is much faster where thousands are in use. */
	if (s->from.sa.sa_family && !s->sport)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (s->from.sa.sa_family)
		check(bind(fd, &s->from.sa, address_len(&s->from)), "bind");
	if (s->deaf)
		set_deaf(fd, true);
	if (s->later)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	r = connect(fd, &s->to.sa, address_len(&s->to));
	if (r && !(s->later && errno == EINPROGRESS)) {
		r = -errno;
		close(fd);
		return r;
	}
	fcntl(fd, F_SETFL, flags);
	return fd;
}

static void reconnect(const struct spec *s)
{
	int fd;

	wait_ms(s->retry - 1);
	fd = open_one(s);
	if (fd >= 0)
		printf("! again %llx\n", (unsigned long long)add(fd, s, false)->cookie);
}

static void ended(struct conn *c, int err)
{
	const struct spec *s = c->spec;

	epoll_ctl(epfd, EPOLL_CTL_DEL, c->fd, NULL);
	over(c, err);
	if (s->mode == HOLD || s->type != SOCK_STREAM)
		return;
	drop(c);
	if (s->retry)
		reconnect(s);
}

/* A socket on hold: errors only, and the descriptor stays open. */
static void held_ready(struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN | POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0;

	poll(&p, 1, 0);
	printf("! poll %llx %s%s%s%s\n", (unsigned long long)c->cookie, p.revents & POLLIN ? "IN," : "",
	       p.revents & POLLOUT ? "OUT," : "", p.revents & POLLERR ? "ERR," : "", p.revents & POLLHUP ? "HUP" : "");
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	ended(c, err);
}

void readable(struct conn *c)
{
	char buf[4096];
	union address from;
	socklen_t len = sizeof(from);
	ssize_t n;

	if (c->spec->mode == HOLD) {
		held_ready(c);
		return;
	}
	n = recvfrom(c->fd, buf, sizeof(buf), MSG_DONTWAIT, &from.sa, &len);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0 || (n == 0 && c->spec->type == SOCK_STREAM)) {
		ended(c, n < 0 ? errno : 0);
		return;
	}
	__atomic_add_fetch(&total_read, n, __ATOMIC_RELAXED);
	if (c->spec->mode == ECHO)
		sendto(c->fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT, c->spec->type == SOCK_DGRAM ? &from.sa : NULL, len);
}

int accept_all(struct conn *l, int max)
{
	int fd, n = 0;

	errno = EAGAIN;
	while (n < max && (fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		add(fd, l->spec, false);
		n++;
	}
	if (n == 0 && errno != EAGAIN)
		ended(l, errno);
	return n;
}

long number(char **w)
{
	return *w ? strtol(*w, NULL, 0) : 0;
}

static void take_words(struct spec *s, char **w)
{
	static const char *const modes[] = { "echo", "sink", "hold", "flood", "slow" };
	int i;

	for (; *w; w++) {
		for (i = 0; i < 5; i++)
			if (!strcmp(*w, modes[i]))
				s->mode = i;
		if (!strcmp(*w, "later"))
			s->later = true;
		else if (!strcmp(*w, "deaf"))
			s->deaf = true;
		else if (!strcmp(*w, "shared"))
			s->shared = true;
		if (!w[1])
			return;
		if (!strcmp(*w, "backlog"))
			s->backlog = number(w + 1);
		else if (!strcmp(*w, "flood") || !strcmp(*w, "slow"))
			s->amount = number(w + 1);
		else if (!strcmp(*w, "n"))
			s->n = number(w + 1);
		else if (!strcmp(*w, "sport"))
			s->sport = number(w + 1);
		else if (!strcmp(*w, "retry"))
			s->retry = number(w + 1) + 1;
		else if (!strcmp(*w, "dev"))
			s->dev = strdup(w[1]);
		else if (!strcmp(*w, "from"))
			parse_address(w[1], 0, &s->from);
	}
}

struct spec *new_spec(char **w, bool ours)
{
	struct spec *s = calloc(1, sizeof(*s));

	if (!s || !w[1] || !w[2] || !w[3])
		die("PROTO ADDR PORT");
	s->type = strcmp(w[1], "udp") ? SOCK_STREAM : SOCK_DGRAM;
	s->proto = strcmp(w[1], "mptcp") ? 0 : IPPROTO_MPTCP;
	s->mode = ours ? SINK : ECHO;
	s->ours = ours;
	s->n = 1;
	s->backlog = 8192;
	s->netns = own_netns();
	parse_address(w[2], number(w + 3), &s->to);
	take_words(s, w + 4);
	if (s->sport && !s->from.sa.sa_family)
		parse_address(s->to.sa.sa_family == AF_INET ? "0.0.0.0" : "::", 0, &s->from);
	if (s->sport)
		s->from.in.sin_port = htons(s->sport); /* at the same place in sockaddr_in6 */
	return s;
}
