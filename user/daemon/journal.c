// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/journal.h"

#include "daemon/journal_sink.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define RESERVE (1u << 20) /* of the queue, for requests */
#define AT_ONCE 256	   /* records that the loop gives before it looks after others */
#define CLOSE_US 1000000

_Static_assert(LINE_BYTES <= PIPE_BUF, "a line is written as a whole");

struct journal {
	struct sink sink;
	struct fields fields;
	struct buffer out;   /* one record */
	struct buffer queue; /* records, each with its length before it, from `start` on */
	size_t start, limit;
	uint64_t missing; /* lost since the last record that says so */
	uint64_t lost;
	bool blocked; /* the last attempt came too early */
	sd_event_source *io;
};

int journal_open_at(const char *socket, int fd, size_t queue, struct journal **ret)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->limit = queue;
	sink_open(&j->sink, socket, fd);
	*ret = j;
	return 0;
}

int journal_open(bool to_stderr, struct journal **ret)
{
	return journal_open_at(to_stderr ? NULL : JOURNAL_SOCKET, STDERR_FILENO, JOURNAL_QUEUE, ret);
}

static int transmit(struct journal *j, const char *text, size_t len)
{
	int r = sink_send(&j->sink, text, len);

	j->blocked = r == -EAGAIN;
	return r;
}

static void lose(struct journal *j)
{
	j->missing++;
	j->lost++;
}

static int spell(struct journal *j)
{
	j->out.len = 0;
	if (j->fields.failed)
		return -ENOMEM;
	if (j->sink.is_socket)
		return fields_native(&j->fields, &j->out);
	return fields_line(&j->fields, clock_ns(CLOCK_REALTIME) / 1000, &j->out);
}

/* 0: all that was kept is given. -EAGAIN: some is left. */
static int flush(struct journal *j, size_t max)
{
	uint32_t len;
	int r;

	for (; j->start < j->queue.len && max > 0; max--) {
		memcpy(&len, j->queue.text + j->start, sizeof(len));
		r = transmit(j, j->queue.text + j->start + sizeof(len), len);
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			lose(j);
		j->start += sizeof(len) + len;
	}
	if (j->start < j->queue.len)
		return -EAGAIN;
	j->start = j->queue.len = 0;
	if (j->queue.cap > RESERVE) {
		free(j->queue.text);
		j->queue = (struct buffer){ 0 };
	}
	return 0;
}

/* Says how many are missing, once there is nothing before it. */
static int tell_missing(struct journal *j)
{
	int r;

	if (!j->missing)
		return 0;
	fields_lost(&j->fields, j->missing);
	r = spell(j);
	r = r < 0 ? r : transmit(j, j->out.text, j->out.len);
	if (r == 0)
		j->missing = 0;
	return r;
}

static int catch_up(struct journal *j, size_t max)
{
	int r = flush(j, max);

	return r < 0 ? r : tell_missing(j);
}

/* Only while something waits for room: there is room most of the time, and always where nobody listens any more. */
static void arm(struct journal *j)
{
	bool waits = j->start < j->queue.len || (j->missing && j->blocked);

	if (j->io)
		sd_event_source_set_enabled(j->io, waits ? SD_EVENT_ON : SD_EVENT_OFF);
}

static bool keep(struct journal *j, size_t limit)
{
	uint32_t len = j->out.len;
	struct buffer *q = &j->queue;

	if (q->len - j->start + sizeof(len) + len > limit)
		return false;
	if (j->start > q->len / 2) {
		memmove(q->text, q->text + j->start, q->len - j->start);
		q->len -= j->start;
		j->start = 0;
	}
	if (grow(&q->text, &q->cap, q->len + sizeof(len) + len, 1) < 0)
		return false;
	memcpy(q->text + q->len, &len, sizeof(len));
	memcpy(q->text + q->len + sizeof(len), j->out.text, len);
	q->len += sizeof(len) + len;
	return true;
}

/* Gives, keeps or loses what stands in j->fields. Once some are missing, connections are lost until that could be said: one
 * gap is better than many. */
static void deliver(struct journal *j, bool request)
{
	bool waits;
	int r;

	if (spell(j) < 0) {
		lose(j);
		return;
	}
	waits = j->start < j->queue.len || j->missing;
	r = waits ? -EAGAIN : transmit(j, j->out.text, j->out.len);
	if (r == -EAGAIN && (request || !j->missing) && keep(j, j->limit + (request ? RESERVE : 0)))
		r = 0;
	if (r < 0)
		lose(j);
	arm(j);
}

void journal_accepted(struct journal *j, const struct recorded *r, uint64_t matched)
{
	catch_up(j, AT_ONCE);
	fields_accepted(&j->fields, r, matched);
	deliver(j, true);
}

void journal_done(struct journal *j, const struct recorded *r)
{
	catch_up(j, AT_ONCE);
	fields_done(&j->fields, r);
	deliver(j, true);
}

void journal_cut(struct journal *j, const struct journal_cut *c)
{
	catch_up(j, AT_ONCE);
	fields_cut(&j->fields, c);
	deliver(j, false);
}

void journal_fence(struct journal *j, enum journal_fence what, const json_t *fence)
{
	catch_up(j, AT_ONCE);
	fields_fence(&j->fields, what, fence);
	deliver(j, what != JOURNAL_FENCE_HIT);
}

void journal_say(struct journal *j, int priority, const char *sentence)
{
	catch_up(j, AT_ONCE);
	fields_say(&j->fields, priority, sentence);
	deliver(j, true);
}

static int on_room(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct journal *j = arg;

	(void)s;
	(void)fd;
	(void)revents;
	catch_up(j, AT_ONCE);
	arm(j);
	return 0;
}

int journal_attach(struct journal *j, sd_event *event)
{
	int r = sd_event_add_io(event, &j->io, j->sink.fd, EPOLLOUT, on_room, j);

	if (r < 0)
		return r == -EPERM ? 0 : r; /* a file, which always has room */
	arm(j);
	return 0;
}

void journal_close(struct journal *j)
{
	struct pollfd p = { .fd = j->sink.fd, .events = POLLOUT };
	uint64_t end = clock_ns(CLOCK_MONOTONIC) / 1000 + CLOSE_US;

	while (catch_up(j, SIZE_MAX) == -EAGAIN && clock_ns(CLOCK_MONOTONIC) / 1000 < end)
		poll(&p, 1, 10);
	sd_event_source_disable_unref(j->io);
	sink_close(&j->sink);
	fields_clear(&j->fields);
	free(j->out.text);
	free(j->queue.text);
	free(j);
}

bool journal_is_stderr(const struct journal *j)
{
	return !j->sink.is_socket;
}

size_t journal_waiting(const struct journal *j)
{
	return j->queue.len - j->start;
}

uint64_t journal_lost(const struct journal *j)
{
	return j->lost;
}
