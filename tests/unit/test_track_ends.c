// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_track_ends.c - how real connections end, as the programs in the kernel tell it: why, and what came across. */
#include "tracked.h"

#include <linux/sockios.h>
#include <sys/prctl.h>

static void check_end(uint64_t cookie, int cause, int err, uint64_t sent, uint64_t received)
{
	const struct sever_event *e = ended(t, cookie);
	struct sever_flow f;

	assert_int_equal(e->cause, cause);
	assert_int_equal(e->err, err);
	assert_int_equal(e->sent, sent);
	assert_int_equal(e->received, received);
	assert_int_equal(e->queued, 0);
	assert_int_equal(e->flow.netns, own_inode());
	assert_true(e->flow.local_port && e->flow.remote_port);
	assert_int_equal(track_read(t, cookie, &f), -ENOENT);
	assert_null(find_event(SEVER_EVENT_END, cookie, 1));
}

/* 5 bytes out, 3 bytes in, and read: what is unread makes a close() a reset. */
static struct pair talked(int l, uint64_t *in, uint64_t *out)
{
	struct pair p = connected(l, "127.0.0.2", 0);
	char buf[8];

	*in = cookie_of(p.in);
	*out = cookie_of(p.out);
	assert_int_equal(send(p.out, "12345", 5, 0), 5);
	assert_int_equal(recv(p.in, buf, 5, MSG_WAITALL), 5);
	assert_int_equal(send(p.in, "123", 3, 0), 3);
	assert_int_equal(recv(p.out, buf, 3, MSG_WAITALL), 3);
	return p;
}

static void test_ends(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct netns ns = here();
	uint64_t in, out;
	struct pair p = talked(l, &in, &out);

	(void)state;
	assert_int_equal(destroyed(&ns, t, p.in), 0);
	check_end(in, SEVER_CAUSE_DESTROYED, ECONNABORTED, 3, 5);
	check_end(out, SEVER_CAUSE_RESET, ECONNRESET, 5, 3);
	assert_int_equal(ended(t, out)->acked, 5);
	assert_int_equal(ended(t, in)->acked, 3);
	close_pair(&p);

	p = talked(l, &in, &out);
	reset_on_close(p.out);
	close(p.out);
	check_end(out, SEVER_CAUSE_LOCAL, 0, 5, 3);
	check_end(in, SEVER_CAUSE_RESET, ECONNRESET, 3, 5);
	close(p.in);

	p = talked(l, &in, &out);
	close(p.out);
	assert_int_equal(recv(p.in, &in, 0, 0), 0);
	assert_int_equal(flow_of(t, p.in).state, STATE_CLOSE_WAIT);
	in = cookie_of(p.in);
	close(p.in);
	check_end(out, SEVER_CAUSE_LOCAL, 0, 5, 3);
	check_end(in, SEVER_CAUSE_PEER, 0, 3, 5);
	assert_int_equal(ended(t, out)->acked, 5);
	assert_int_equal(ended(t, in)->acked, 3);
	leave(&ns);
	close(l);
}

static uint64_t pending(int fd, unsigned long what)
{
	int n = 0;

	must(ioctl(fd, what, &n), "ioctl");
	return n;
}

/* Fills a connection whose other end does not read, until no more is taken on either side. */
static uint64_t stalled(const struct pair *p)
{
	static const char zeros[4096];
	uint64_t written = 0;
	long ms = 0;
	ssize_t n;

	while ((n = send(p->out, zeros, sizeof(zeros), MSG_DONTWAIT)) > 0)
		written += n;
	assert_int_equal(errno, EAGAIN);
	for (; pending(p->in, SIOCINQ) + pending(p->out, SIOCOUTQ) != written && ms < deadline_ms(); ms++)
		poll(NULL, 0, 1);
	assert_true(ms < deadline_ms());
	return written;
}

static int on_queue(const struct flow *f, void *arg)
{
	*(uint32_t *)arg = f->wqueue;
	return 0;
}

/* What `sever list` shows of it. */
static uint32_t send_queue(struct netns *ns, int fd)
{
	const struct sever_flow f = flow_of(t, fd);
	struct flow w, *v = &w;
	uint32_t queue = 0;

	track_to_flow(cookie_of(fd), &f, &w);
	must(sockets_lookup(ns, &v, 1, on_queue, &queue), "sockets_lookup");
	return queue;
}

/* The second one was closed behind what it still owes: its FIN is in the queue, too, and is no byte of anybody's. */
static void test_undelivered(void **state)
{
	int l = listener("127.0.0.1", 0, 5), small = 4096;
	struct netns ns = here();

	(void)state;
	must(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), "SO_RCVBUF");
	for (uint32_t fin = 0; fin < 2; fin++) {
		struct pair p = connected(l, "127.0.0.2", 0);
		uint64_t written = stalled(&p), out = cookie_of(p.out), in = cookie_of(p.in);
		const struct sever_event *e;
		uint32_t queue, left;

		if (fin)
			must(shutdown(p.out, SHUT_WR), "shutdown");
		queue = send_queue(&ns, p.out);
		assert_int_equal(pending(p.out, SIOCOUTQ), queue + fin);
		assert_int_equal(destroyed(&ns, t, p.out), 0);
		e = ended(t, out);
		assert_int_equal(e->cause, SEVER_CAUSE_DESTROYED);
		assert_int_equal(e->state, fin ? STATE_FIN_WAIT1 : STATE_ESTABLISHED);
		left = e->queued;
		assert_true(left);
		assert_int_equal(left, queue);
		assert_int_equal(e->acked + left, written);
		assert_true(e->sent >= e->acked && e->sent <= written);
		e = ended(t, in);
		assert_int_equal(e->received, written - left);
		assert_int_equal(e->queued, 0);
		close_pair(&p);
	}
	leave(&ns);
	close(l);
}

/* The process is killed: its end of the connection goes as by close(), and its peer's with it. */
static void test_killed(void **state)
{
	int l = listener("127.0.0.1", 0, 5), ready[2], in;
	struct sever_event *e;
	uint64_t out = 0;
	pid_t child;

	(void)state;
	must(pipe(ready), "pipe");
	child = must(fork(), "fork");
	if (!child) {
		struct end to = { .len = sizeof(to.v6) };
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		getsockname(l, &to.sa, &to.len);
		if (connect(fd, &to.sa, to.len) == 0) {
			out = cookie_of(fd);
			dprintf(ready[1], "%8s", "");
			if (write(ready[1], &out, sizeof(out)) < 0)
				_exit(1);
		}
		for (;;)
			pause();
	}
	in = must(accept(l, NULL, NULL), "accept");
	assert_int_equal(read(ready[0], &out, 8), 8);
	assert_int_equal(read(ready[0], &out, 8), 8);
	assert_int_equal(born(t, out)->flow.pid, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(recv(in, &child, 1, 0), 0);
	out = cookie_of(in);
	close(in);
	e = ended(t, out);
	assert_int_equal(e->cause, SEVER_CAUSE_PEER);
	close(l);
	close(ready[0]);
	close(ready[1]);
}

/* Refused, given up, connected to itself, and connected again: one socket, one cookie, several flows. */
static void test_connects(void **state)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	int l = listener("127.0.0.1", 0, 5), fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct end to = end_of("127.0.0.1", 1), self = end_of("127.0.0.5", 7777);
	uint64_t cookie = cookie_of(fd);

	(void)state;
	assert_int_equal(connect(fd, &to.sa, to.len), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(ended(t, cookie)->cause, SEVER_CAUSE_REFUSED);
	assert_int_equal(ended(t, cookie)->state, STATE_SYN_SENT);
	assert_int_equal(ended(t, cookie)->queued, 0);
	assert_int_equal(ended(t, cookie)->flow.remote_port, 1);
	must(getsockname(l, &to.sa, &to.len), "getsockname");
	must(connect(fd, &to.sa, to.len), "connect");
	assert_int_equal(event(t, SEVER_EVENT_BIRTH, cookie, 1)->flow.local_port, port_of(fd));
	assert_int_equal(event(t, SEVER_EVENT_BIRTH, cookie, 1)->flow.flags, 0);
	assert_int_equal(flow_of(t, fd).remote_port, port_of(l));
	must(connect(fd, &none, sizeof(none)), "AF_UNSPEC");
	assert_int_equal(event(t, SEVER_EVENT_END, cookie, 1)->cause, SEVER_CAUSE_LOCAL);
	must(connect(fd, &to.sa, to.len), "connect");
	event(t, SEVER_EVENT_BIRTH, cookie, 2);
	close(fd);
	close(l);
	fd = bound(&self, SOCK_STREAM);
	must(connect(fd, &self.sa, self.len), "connect");
	assert_int_equal(flow_of(t, fd).direction, SEVER_DIR_OUT);
	assert_int_equal(flow_of(t, fd).state, STATE_ESTABLISHED);
	cookie = cookie_of(fd);
	reset_on_close(fd);
	close(fd);
	ended(t, cookie);
	assert_null(find_event(SEVER_EVENT_BIRTH, cookie, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_undelivered),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_connects),
	};

	return track_run("track_ends", tests, track_setup, track_teardown);
}
