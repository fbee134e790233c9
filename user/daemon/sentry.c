// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/sentry.h"
#include "daemon/fencing.h"
#include "daemon/journal.h"

#include <syslog.h>

#define PINS "fences"
#define ACCURACY_US 1000

int sentry_open(const char *state_dir, const char *pin_dir, const struct prefixes *protect, struct severd *d, char *err)
{
	struct fencing_options o = { .state_dir = state_dir, .live = &d->live, .protect = protect, .record = d->record };
	_free_ char *pins = NULL;

	if (pin_dir && asprintf(&pins, "%s/" PINS, pin_dir) < 0)
		return -ENOMEM;
	o.pin_dir = pins;
	return fencing_open(&d->fencing, &o, err);
}

int sentry_detach_all(const char *pin_dir, char *err)
{
	_free_ char *pins = NULL;
	int r;

	if (asprintf(&pins, "%s/" PINS, pin_dir) < 0)
		return -ENOMEM;
	r = fence_detach_all(pins, err);
	return r < 0 ? r : track_detach_all(pin_dir, err);
}

static int on_hits(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct sentry *s = arg;

	(void)fd;
	(void)revents;
	return fencing_drain(s->fencing) ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Again, after those that could not be told while the set changed. The kernel may be there only now. */
static void await_hits(struct sentry *s)
{
	int fd = s->hits ? -1 : fencing_fd(s->fencing);

	if (s->hits)
		sd_event_source_set_enabled(s->hits, SD_EVENT_ON);
	else if (fd >= 0)
		sd_event_add_io(sd_event_source_get_event(s->timer), &s->hits, fd, EPOLLIN, on_hits, s);
}

void sentry_look(struct sentry *s)
{
	uint64_t next = s->timer ? fencing_next(s->fencing) : 0;
	char complaint[ERR_LEN];

	if (!s->timer)
		return;
	await_hits(s);
	if (fencing_complaint(s->fencing, complaint))
		journal_say(s->journal, LOG_WARNING, complaint);
	if (next)
		sd_event_source_set_time(s->timer, next / 1000 + 1);
	sd_event_source_set_enabled(s->timer, next ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	struct sentry *s = arg;

	(void)source;
	(void)usec;
	attend_tick(s->attend);
	return 0;
}

int sentry_start(struct sentry *s, struct severd *d)
{
	int r;

	*s = (struct sentry){ .fencing = d->fencing, .attend = &d->attend, .journal = d->journal };
	r = sd_event_add_time(d->event, &s->timer, CLOCK_BOOTTIME, 0, ACCURACY_US, on_time, s);
	sentry_look(s);
	return r < 0 ? r : 0;
}

void sentry_stop(struct sentry *s)
{
	sd_event_source_disable_unref(s->timer);
	sd_event_source_disable_unref(s->hits);
	*s = (struct sentry){ 0 };
}
