// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_traffic.c - commands that talk: echo, latency, churn. */
#include "peer.h"

#include <poll.h>
#include <time.h>

static bool echoes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[8] = "";
	long end = now_ms() + 2000 * slower(), left;
	ssize_t n;

	if (send(fd, "echo it", 8, MSG_NOSIGNAL) != 8)
		return false;
	while ((left = end - now_ms()) > 0 && poll(&p, 1, left) == 1) {
		n = recv(fd, buf, 8, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		if (n == 8 && !strcmp(buf, "echo it"))
			return true;
	}
	return false;
}

void do_echo(char **w)
{
	unsigned int i, ok = 0, bad = 0;

	(void)w;
	for (i = 0; i < n_conns; i++)
		if (live(&conns[i]) && conns[i].spec->ours)
			*(echoes(conns[i].fd) ? &ok : &bad) += 1;
	printf("= ok=%u bad=%u\n", ok, bad);
}

static int by_length(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* How long a byte there and back takes, over and over, on the first connection of ours. */
void do_latency(char **w)
{
	static long us[200000];
	long end = now_ms() + number(w + 1);
	struct timespec a, b;
	unsigned int i, n = 0;

	for (i = 0; i < n_conns && !(live(&conns[i]) && conns[i].spec->ours); i++)
		;
	while (i < n_conns && now_ms() < end && n < 200000) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		if (!echoes(conns[i].fd))
			break;
		clock_gettime(CLOCK_MONOTONIC, &b);
		us[n++] = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
		wait_ms(1);
	}
	qsort(us, n, sizeof(*us), by_length);
	printf("= echoes=%u p99_us=%ld max_us=%ld\n", n, n ? us[n * 99 / 100] : -1, n ? us[n - 1] : -1);
}

void do_churn(char **w)
{
	long end = now_ms() + number(w + 1);
	unsigned int i = 0, done = 0, failed = 0;

	while (now_ms() < end) {
		struct conn *c = &conns[i++ % n_conns];
		const struct spec *s = c->spec;
		int fd;

		if (c->fd < 0 || c->listener || !s->ours)
			continue;
		act(c, done % 8 ? "abort" : "close");
		fd = open_one(s);
		if (fd >= 0)
			add(fd, s, false);
		done += fd >= 0;
		failed += fd < 0;
	}
	printf("= opened=%u failed=%u\n", done, failed);
}
