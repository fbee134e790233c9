// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/connection.h"
#include "varlink/interface.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define ACCEPT_ROUND 16 /* callers let in in one go, before those that are in have their turn */

const struct wire_limits wire_limits_default = {
	.connections = 1024,
	.per_uid = 64,
	.queue = 1u << 20,
	.memory = 64u << 20,
	.memory_per_uid = 16u << 20,
	.message_ms = 10000,
	.idle_ms = 60000,
};

uint64_t wire_now_ms(const struct wire *w)
{
	uint64_t us = 0;

	sd_event_now(w->event, CLOCK_MONOTONIC, &us);
	return us / 1000;
}

/* Often enough that no limit is exceeded by half. */
static uint64_t tick_us(const struct wire *w)
{
	uint64_t ms = w->limits.message_ms < w->limits.idle_ms ? w->limits.message_ms : w->limits.idle_ms;

	ms = ms / 2 < 1000 ? ms / 2 : 1000;
	return 1000 * (ms ? ms : 1);
}

static void hear(struct wire *w, bool on)
{
	for (size_t i = 0; i < w->n_listeners; i++)
		sd_event_source_set_enabled(w->listeners[i], on ? SD_EVENT_ON : SD_EVENT_OFF);
	w->deaf = !on;
}

/* One timer for all: the limits need not be kept to the millisecond, and a thousand timers would be armed for every
 * call. It is off while nobody is connected. */
static int on_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct wire *w = arg;
	struct connection *next;

	(void)usec;
	if (w->deaf)
		hear(w, true);
	for (struct connection *v = w->connections; v; v = next) {
		next = v->next;
		connection_tick(v, wire_now_ms(w));
	}
	if (!w->connections && !w->deaf)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	sd_event_source_set_time_relative(source, tick_us(w));
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void start_tick(struct wire *w)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(w->tick, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(w->tick, tick_us(w));
	sd_event_source_set_enabled(w->tick, SD_EVENT_ONESHOT);
}

/* An answer that fits into any socket buffer, before a call was made. */
static void turn_away(struct wire *w, int fd)
{
	static const char busy[] =
		"{\"error\":\"" IO_SEVER ".Busy\",\"parameters\":{\"message\":\"too many connections\"}}";

	w->stats.refused++;
	send(fd, busy, sizeof(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int wire_serve(struct wire *w, int taken)
{
	_cleanup_(peer_unrefp) struct peer *peer = NULL;
	_close_ int fd = taken;
	struct account *account;
	int r = peer_of(fd, &peer);

	if (r == 0)
		r = account_open(&w->accounts, peer->uid, &account);
	if (r < 0) {
		turn_away(w, fd);
		return r;
	}
	r = connection_new(w, take_fd(&fd), peer, account);
	if (r < 0)
		return r;
	w->stats.accepted++;
	start_tick(w);
	return 0;
}

/* A level-triggered listener that cannot accept would wake us for ever. */
static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static int on_connect(sd_event_source *source, int listener, uint32_t revents, void *arg)
{
	struct wire *w = arg;
	int fd;

	(void)source;
	(void)revents;
	for (int i = 0; i < ACCEPT_ROUND; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			wire_serve(w, fd);
			continue;
		}
		if (is_shortage(errno)) {
			hear(w, false);
			start_tick(w);
		}
		break;
	}
	return 0;
}

int wire_listen(struct wire *w, int taken)
{
	_close_ int fd = taken;
	sd_event_source *source;
	int r = grow(&w->listeners, &w->cap_listeners, w->n_listeners + 1, sizeof(*w->listeners));

	/* systemd hands over a socket that blocks: accept() would wait for the next caller, and everybody with it. */
	if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r == 0)
		r = sd_event_add_io(w->event, &source, fd, EPOLLIN, on_connect, w);
	if (r < 0)
		return r;
	w->listeners[w->n_listeners++] = source;
	sd_event_source_set_io_fd_own(source, true);
	take_fd(&fd);
	return 0;
}

int wire_new(sd_event *event, struct service *service, const struct wire_limits *limits, struct wire **ret)
{
	_cleanup_(wire_freep) struct wire *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->event = sd_event_ref(event);
	w->service = service;
	w->limits = limits ? *limits : wire_limits_default;
	w->accounts.max_connections = w->limits.connections;
	w->accounts.max_per_uid = w->limits.per_uid;
	w->accounts.max_bytes = w->limits.memory;
	w->accounts.max_bytes_per_uid = w->limits.memory_per_uid;
	r = sd_event_add_time_relative(event, &w->tick, CLOCK_MONOTONIC, tick_us(w), 0, on_tick, w);
	if (r == 0)
		r = sd_event_source_set_enabled(w->tick, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = take_ptr(&w);
	return 0;
}

void wire_free(struct wire *w)
{
	for (size_t i = 0; i < w->n_listeners; i++)
		sd_event_source_disable_unref(w->listeners[i]);
	free(w->listeners);
	while (w->connections)
		connection_free(w->connections);
	sd_event_source_disable_unref(w->tick);
	sd_event_unref(w->event);
	accounts_clear(&w->accounts);
	free(w);
}

struct wire_stats wire_stats(const struct wire *w)
{
	struct wire_stats s = w->stats;

	s.connections = w->accounts.connections;
	for (const struct connection *v = w->connections; v; v = v->next)
		s.bytes += v->charged;
	return s;
}
