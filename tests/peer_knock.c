// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_knock.c - a client that will not be told: whenever it is cut off it is back some milliseconds later. */
#include "peer.h"

#include <poll.h>

/* Whether the connection stands; what comes on it is of no interest. */
static bool stands(int fd, int wait)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[4096];

	return poll(&p, 1, wait) <= 0 || recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0;
}

struct knocks {
	int in, refused[256];
	long last; /* when it was let in, ms of the monotonic clock */
};

static void tell(const struct knocks *k)
{
	printf("= in=%d last=%ld", k->in, k->last);
	for (int i = 0; i < 256; i++)
		if (k->refused[i])
			printf(" %s=%d", strerrorname_np(i), k->refused[i]);
	printf("\n");
}

/* knock EVERY FOR PROTO ADDR PORT ...: as connect has them */
void do_knock(char **w)
{
	struct knocks k = { 0 };
	long every, end;
	const struct spec *s;
	int fd = -1;

	if (!w[1] || !w[2])
		die("EVERY FOR PROTO ADDR PORT");
	every = number(w + 1);
	end = now_ms() + number(w + 2);
	s = new_spec(w + 2, true);
	while (now_ms() < end) {
		if (fd >= 0 && stands(fd, every))
			continue;
		if (fd >= 0)
			close(fd);
		wait_ms(every);
		fd = open_one(s);
		if (fd >= 0) {
			k.in++;
			k.last = now_ms();
		} else {
			k.refused[-fd & 255]++;
		}
	}
	if (fd >= 0)
		close(fd);
	tell(&k);
}
