// SPDX-License-Identifier: LGPL-2.1-or-later
/* connection.c - calls are answered in their order, so while one is being answered the next message is left in the
 * socket, whose buffer ends where the kernel says. What waits to be read by the caller is bounded by refusing replies
 * that continue; each call has one that does not, and the next call waits until most of what was said has been read.
 *
 * Everything happens in on_io(), also what a method asks for from elsewhere: that only queues, and asks for a
 * wake-up. So nobody is freed below a caller's feet. */
#include "daemon/connection.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CHUNK 65536	  /* bytes read or written in one go */
#define ROUND 16	  /* calls in one go, before others have their turn */
#define READ_ENOUGH 65536 /* bytes still unread, below which the next call is taken */

static struct connection *of(struct transport *t)
{
	return (struct connection *)t;
}

static bool is_ready(struct connection *v)
{
	return !v->transport.call && !v->last && frame_length(&v->out) < READ_ENOUGH &&
	       frame_ready(&v->in, MESSAGE_MAX);
}

/* Small messages are always read: an account that is full must not keep its owner from asking why. */
static bool may_read(struct connection *v)
{
	if (v->eof || v->last || frame_ready(&v->in, MESSAGE_MAX))
		return false;
	return frame_length(&v->in) < FRAME_IDLE || !account_is_full(&v->wire->accounts, v->account);
}

static void charge(struct connection *v)
{
	size_t now = v->in.cap + v->out.cap;

	account_move(&v->wire->accounts, v->account, v->charged, now);
	v->charged = now;
}

/* Asks for what is of use now. A message that can be handled needs a wake-up too: EPOLLOUT comes at once. */
static void ask(struct connection *v)
{
	uint32_t events = 0;

	if (v->inside)
		return;
	if (may_read(v))
		events |= EPOLLIN;
	if (frame_length(&v->out) || is_ready(v) || v->last || v->broken)
		events |= EPOLLOUT;
	if (events != v->events && sd_event_source_set_io_events(v->io, events) >= 0)
		v->events = events;
}

static bool has_room(const struct transport *t)
{
	const struct connection *v = (const struct connection *)t;
	size_t waits = frame_length(&v->out);

	return !waits || (waits < v->wire->limits.queue && !account_is_full(&v->wire->accounts, v->account));
}

static int can_send(const struct transport *t, bool must)
{
	const struct connection *v = (const struct connection *)t;

	if (v->gone || v->broken)
		return -ENOTCONN;
	return must || has_room(t) ? 0 : -EAGAIN;
}

static void queued(struct connection *v, bool first)
{
	if (first)
		v->unread_ms = wire_now_ms(v->wire);
	charge(v);
	ask(v);
}

static int send_message(struct transport *t, const json_t *message, bool must)
{
	struct connection *v = of(t);
	bool first = !frame_length(&v->out);
	int r = can_send(t, must);

	if (r < 0)
		return r;
	if (message)
		r = message_put(&v->out, message);
	if (!message || (r == -ENOMEM && must))
		v->broken = true;
	queued(v, first);
	return r;
}

static int send_spelled(struct transport *t, const char *message, size_t len, bool must)
{
	struct connection *v = of(t);
	bool first = !frame_length(&v->out);
	int r = len > MESSAGE_MAX ? -EMSGSIZE : can_send(t, must);

	if (r < 0)
		return r;
	r = frame_put(&v->out, message, len + 1);
	v->broken |= r < 0 && must;
	queued(v, first);
	return r;
}

static void on_idle(struct transport *t)
{
	of(t)->since_ms = wire_now_ms(of(t)->wire);
	ask(of(t));
}

static void receive(struct connection *v)
{
	size_t room;
	ssize_t n;
	char *at;

	if (frame_space(&v->in, frame_length(&v->in) < FRAME_IDLE / 2 ? FRAME_IDLE / 2 : CHUNK, &at, &room) < 0) {
		v->broken = true;
		return;
	}
	n = recv(v->fd, at, room, MSG_DONTWAIT);
	if (n > 0)
		frame_added(&v->in, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		v->eof = true;
}

static void handle_calls(struct connection *v)
{
	char *text;
	size_t len;
	int r = 0;

	for (int i = 0; i < ROUND && r == 0 && is_ready(v); i++) {
		r = frame_next(&v->in, MESSAGE_MAX, &text, &len);
		r = r < 0 ? service_too_large(v->wire->service, &v->transport) :
			    service_handle(v->wire->service, &v->transport, text, len);
		v->since_ms = wire_now_ms(v->wire);
		v->partial_ms = 0;
	}
	v->last |= r < 0;
	frame_trim(&v->in);
}

static void transmit(struct connection *v)
{
	size_t waits = frame_length(&v->out);
	ssize_t n;

	if (!waits)
		return;
	n = send(v->fd, v->out.b + v->out.start, waits < CHUNK ? waits : CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		v->gone = true;
		frame_clear(&v->out);
	}
	if (n <= 0)
		return;
	frame_drop(&v->out, n);
	frame_trim(&v->out);
	v->since_ms = wire_now_ms(v->wire);
	v->unread_ms = frame_length(&v->out) ? v->since_ms : 0;
}

/* Who is gone is not answered, but what came in whole before is done: a oneway call need not wait for us. */
static bool is_over(struct connection *v)
{
	if (v->broken)
		return true;
	if (v->gone)
		return v->last || v->transport.call || (!is_ready(v) && !may_read(v));
	if (v->last)
		return !frame_length(&v->out);
	return v->eof && !v->transport.call && !frame_length(&v->out) && !is_ready(v);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct connection *v = arg;

	(void)source;
	(void)fd;
	v->inside = true;
	v->gone |= (revents & (EPOLLHUP | EPOLLERR)) != 0;
	if (v->gone)
		frame_clear(&v->out);
	if ((revents & EPOLLIN || v->gone) && may_read(v))
		receive(v);
	handle_calls(v);
	transmit(v);
	if (!v->gone && frame_length(&v->out) < v->wire->limits.queue / 2)
		transport_room(&v->transport);
	charge(v);
	if (is_over(v)) {
		connection_free(v);
		return 0;
	}
	if (frame_length(&v->in) && !v->partial_ms && !frame_ready(&v->in, MESSAGE_MAX))
		v->partial_ms = wire_now_ms(v->wire);
	v->inside = false;
	ask(v);
	return 0;
}

void connection_tick(struct connection *v, uint64_t now_ms)
{
	const struct wire_limits *l = &v->wire->limits;
	bool busy = v->transport.call || frame_length(&v->out);

	if ((v->partial_ms && !v->transport.call && now_ms - v->partial_ms >= l->message_ms) ||
	    (v->unread_ms && !v->transport.may_lag && now_ms - v->unread_ms >= l->message_ms) ||
	    (!busy && now_ms - v->since_ms >= l->idle_ms)) {
		v->wire->stats.expired++;
		connection_free(v);
		return;
	}
	ask(v);
}

int connection_new(struct wire *w, int fd, struct peer *peer, struct account *account)
{
	struct connection *v = calloc(1, sizeof(*v));
	int r;

	if (!v) {
		close(fd);
		account_close(&w->accounts, account);
		return -ENOMEM;
	}
	*v = (struct connection){ .wire = w, .fd = fd, .account = account, .events = EPOLLIN };
	v->transport = (struct transport){
		.peer = peer_ref(peer), .has_room = has_room, .send = send_message, .send_spelled = send_spelled,
		.idle = on_idle
	};
	v->since_ms = wire_now_ms(w);
	v->next = w->connections;
	if (v->next)
		v->next->prev = v;
	w->connections = v;
	r = sd_event_add_io(w->event, &v->io, fd, v->events, on_io, v);
	if (r < 0)
		connection_free(v);
	return r < 0 ? r : 0;
}

void connection_free(struct connection *v)
{
	struct wire *w = v->wire;

	v->gone = true;
	transport_gone(&v->transport);
	sd_event_source_disable_unref(v->io);
	close(v->fd);
	if (v->prev)
		v->prev->next = v->next;
	else
		w->connections = v->next;
	if (v->next)
		v->next->prev = v->prev;
	account_move(&w->accounts, v->account, v->charged, 0);
	account_close(&w->accounts, v->account);
	peer_unref(v->transport.peer);
	frame_clear(&v->in);
	frame_clear(&v->out);
	free(v);
}
