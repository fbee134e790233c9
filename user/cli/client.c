// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/client.h"
#include "varlink/frame.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define CHUNK 65536

struct client {
	int fd;
	struct frame in, out;
	const volatile sig_atomic_t *stop;
	int reader; /* who reads what we print; -1: does not matter */
};

static uint64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int client_adopt(int taken, struct client **ret)
{
	_close_ int fd = taken;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = take_fd(&fd);
	c->reader = -1;
	*ret = c;
	return 0;
}

/* connect() to a full backlog waits, for as long as a send would. */
int client_open(const char *path, unsigned int timeout_ms, struct client **ret, char *err)
{
	const struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r;

	if (fd < 0)
		return fail(-errno, err, "no socket: %m");
	if (!*path || strlen(path) >= sizeof(a.sun_path))
		return fail(-EINVAL, err, "%s: not a path of less than %zu bytes", path, sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const void *)&a, sizeof(a)) < 0) {
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		return fail(r, err, "%s: %s", path, strerrordesc_np(-r));
	}
	r = client_adopt(take_fd(&fd), ret);
	return r < 0 ? fail(r, err, "out of memory") : 0;
}

void client_close(struct client *c)
{
	close(c->fd);
	frame_clear(&c->in);
	frame_clear(&c->out);
	free(c);
}

void client_stop_on(struct client *c, const volatile sig_atomic_t *stop)
{
	c->stop = stop;
}

void client_stop_on_hangup(struct client *c, int fd)
{
	c->reader = fd;
}

/* ppoll(), but for a stop that was asked for before it: a signal comes before or during it, never in between. */
static int poll_unless_stopped(struct client *c, struct pollfd *p, nfds_t n, int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000l };
	sigset_t all, before;
	int r;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	r = c->stop && *c->stop ? -EINTR : ppoll(p, n, ms < 0 ? NULL : &t, &before) < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r == -EINTR && !(c->stop && *c->stop) ? 0 : r;
}

/* Waits for events, or for any signal, until deadline_ms; 0: for ever. */
static int wait_for(struct client *c, short events, uint64_t deadline_ms, char *err)
{
	struct pollfd p[] = { { .fd = c->fd, .events = events }, { .fd = c->reader } };
	uint64_t now = now_ms();
	int r, left = -1;

	if (deadline_ms && deadline_ms <= now)
		return fail(-ETIMEDOUT, err, "severd does not answer in time");
	if (deadline_ms)
		left = (int)(deadline_ms - now);
	r = poll_unless_stopped(c, p, array_size(p), left);
	if (r == -EINTR)
		return fail(r, err, "interrupted");
	if (r < 0)
		return fail(r, err, "cannot wait for severd: %s", strerrordesc_np(-r));
	return p[1].revents ? fail(-ESHUTDOWN, err, "nobody reads the answer any more") : 0;
}

static int send_all(struct client *c, uint64_t deadline_ms, char *err)
{
	ssize_t n;
	int r;

	while (frame_length(&c->out)) {
		n = send(c->fd, c->out.b + c->out.start, frame_length(&c->out), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			frame_drop(&c->out, n);
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			break;
		r = errno == EAGAIN ? wait_for(c, POLLOUT, deadline_ms, err) :
		    errno == EINTR  ? 0 :
				      fail(-errno, err, "cannot write to severd: %m");
		if (r < 0)
			return r;
	}
	frame_clear(&c->out);
	return 0;
}

int client_call(struct client *c, const char *method, const json_t *parameters, unsigned int flags,
		unsigned int timeout_ms, char *err)
{
	_cleanup_(json_decrefp) json_t *message = json_pack("{ss}", "method", method);
	int r = message ? 0 : -1;

	if (r == 0 && parameters)
		r = json_object_set(message, "parameters", (json_t *)parameters);
	if (r == 0 && flags & CALL_MORE)
		r = json_object_set_new(message, "more", json_true());
	if (r == 0 && flags & CALL_ONEWAY)
		r = json_object_set_new(message, "oneway", json_true());
	r = r < 0 ? -ENOMEM : message_put(&c->out, message);
	if (r < 0)
		return fail(r, err, r == -EMSGSIZE ? "that is more than one call of severd takes" : "out of memory");
	return send_all(c, timeout_ms ? now_ms() + timeout_ms : 0, err);
}

static int read_reply(const char *text, size_t len, struct reply *ret, char *err)
{
	_cleanup_(json_decrefp) json_t *message = NULL;
	json_t *parameters, *error;
	int r = message_parse(text, len, &message, err);

	if (r < 0)
		return r;
	parameters = json_object_get(message, "parameters");
	error = json_object_get(message, "error");
	if ((error && !json_string_length(error)) ||
	    (parameters && !json_is_object(parameters) && !json_is_null(parameters)))
		return fail(-EBADMSG, err, "severd's answer is no varlink");
	parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
	if (!parameters)
		return -ENOMEM;
	*ret = (struct reply){ .parameters = parameters };
	ret->continues = !error && json_is_true(json_object_get(message, "continues"));
	if (error)
		snprintf(ret->error, sizeof(ret->error), "%s", json_string_value(error));
	return 0;
}

static int receive(struct client *c, char *err)
{
	size_t room;
	ssize_t n;
	char *at;

	if (frame_space(&c->in, CHUNK, &at, &room) < 0)
		return fail(-ENOMEM, err, "out of memory");
	n = recv(c->fd, at, room, MSG_DONTWAIT);
	if (n > 0)
		frame_added(&c->in, n);
	else if (n == 0 || errno == ECONNRESET)
		return fail(-EPIPE, err, "severd hung up");
	else if (errno != EAGAIN && errno != EINTR)
		return fail(-errno, err, "cannot read from severd: %m");
	return 0;
}

bool client_ready(struct client *c)
{
	return frame_ready(&c->in, MESSAGE_MAX);
}

int client_next(struct client *c, unsigned int timeout_ms, struct reply *ret, char *err)
{
	uint64_t deadline = timeout_ms ? now_ms() + timeout_ms : 0;
	char *text;
	size_t len;
	int r;

	for (;;) {
		r = frame_next(&c->in, MESSAGE_MAX, &text, &len);
		if (r < 0)
			return fail(-EBADMSG, err, "severd's answer is longer than a message may be");
		if (r > 0)
			return read_reply(text, len, ret, err);
		r = wait_for(c, POLLIN, deadline, err);
		if (r == 0)
			r = receive(c, err);
		if (r < 0)
			return r;
	}
}

void reply_clear(struct reply *r)
{
	json_decref(r->parameters);
	*r = (struct reply){ 0 };
}
