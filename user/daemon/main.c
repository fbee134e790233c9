// SPDX-License-Identifier: LGPL-2.1-or-later
/* main.c - severd: opens everything, says READY, and turns the loop until it is told to end. */
#include "daemon/chronicle.h"
#include "daemon/config.h"
#include "daemon/door.h"
#include "daemon/journal.h"
#include "daemon/memory.h"
#include "daemon/nss.h"
#include "daemon/options.h"
#include "daemon/record.h"
#include "daemon/sentry.h"
#include "daemon/severd.h"
#include "daemon/wire.h"
#include "kernel/bpffs.h"
#include "kernel/netns.h"
#include "report/escape.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#define DRAIN_US 20000	 /* how late an event is told at most, while the ring has room */

static const struct io_sever methods_of_ours = {
	.list = serve_list,
	.kill = serve_kill,
	.watch = serve_watch,
	.get_request = serve_get_request,
	.doctor = serve_doctor,
	.fence_add = serve_fence_add,
	.fence_list = serve_fence_list,
	.fence_lift = serve_fence_lift,
};

struct timers {
	struct severd d;
	const struct daemon_options *options;
	struct config config;
	struct sentry sentry;
	sd_event_source *drain;
};

static int on_ring(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct timers *t = arg;

	(void)s;
	(void)fd;
	(void)revents;
	live_drain(&t->d.live);
	return 0;
}

static int on_drain(sd_event_source *s, uint64_t usec, void *arg)
{
	struct timers *t = arg;

	(void)usec;
	live_drain(&t->d.live);
	sentry_look(&t->sentry);
	return sd_event_source_set_time_relative(s, DRAIN_US);
}

/* The log has grown. */
static int on_news(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct timers *t = arg;
	eventfd_t n;
	bool login;

	(void)s;
	(void)revents;
	eventfd_read(fd, &n);
	pthread_mutex_lock(&t->d.live.lock);
	login = t->d.live.login_seen;
	t->d.live.login_seen = false;
	pthread_mutex_unlock(&t->d.live.lock);
	if (login)
		attend_soon(&t->d.attend);
	sentry_look(&t->sentry);
	chronicle_pump(&t->d);
	severd_pump_watchers(&t->d);
	return 0;
}

static int on_works(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct timers *t = arg;
	eventfd_t n;

	(void)s;
	(void)revents;
	eventfd_read(fd, &n);
	severd_pump_works(&t->d);
	return 0;
}

/* What cannot be read leaves things as they are. */
static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct timers *t = arg;
	char err[ERR_LEN] = "";
	int r = config_read(t->options->config, &t->config, err);

	(void)s;
	(void)si;
	if (r == 0)
		r = fencing_protect(t->d.fencing, &t->config.protect);
	if (r < 0)
		journal_say(t->d.journal, LOG_WARNING, *err ? err : strerror(-r));
	return 0;
}

static int open_loop(struct timers *t, char *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct severd *d = &t->d;
	sigset_t mask;
	int r = sd_event_new(&d->event);

	sigemptyset(&mask);
	for (size_t i = 0; i < array_size(signals); i++)
		sigaddset(&mask, signals[i]);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Without a handler it ends the loop, with what would be the handler's as its result. */
	for (size_t i = 0; i < array_size(signals) && r >= 0; i++) {
		bool hangup = signals[i] == SIGHUP;

		r = sd_event_add_signal(d->event, NULL, signals[i], hangup ? on_hangup : NULL, hangup ? t : NULL);
	}
	if (r >= 0)
		r = sd_event_add_io(d->event, NULL, d->wake, EPOLLIN, on_works, t);
	if (r >= 0)
		r = sd_event_add_io(d->event, NULL, d->live.wake, EPOLLIN, on_news, t);
	if (r >= 0)
		r = sd_event_add_io(d->event, NULL, track_fd(d->live.track), EPOLLIN, on_ring, t);
	if (r >= 0)
		r = sd_event_add_time_relative(d->event, &t->drain, CLOCK_MONOTONIC, DRAIN_US, 1000, on_drain, t);
	if (r >= 0)
		r = sd_event_source_set_enabled(t->drain, SD_EVENT_ON);
	if (r >= 0)
		r = sentry_start(&t->sentry, d);
	if (r >= 0)
		r = attend_start(&d->attend, &d->live, d->fencing);
	if (r >= 0)
		r = sd_event_set_watchdog(d->event, true);
	return r < 0 ? fail(r, err, "the event loop: %s", strerror(-r)) : 0;
}

static int serve(struct timers *t, const struct daemon_options *o, char *err)
{
	struct service service = { .io = &methods_of_ours, .arg = &t->d };
	_cleanup_(wire_freep) struct wire *wire = NULL;
	_cleanup_(door_close) struct door door = DOOR_CLOSED;
	int r = door_open(o->socket, &door, err);

	if (r < 0)
		return r;
	r = wire_new(t->d.event, &service, NULL, &wire);
	if (r == 0)
		r = wire_listen(wire, take_fd(&door.fd));
	if (r < 0)
		return fail(r, err, "%s: %s", o->socket, strerror(-r));
	if (sd_notify(0, "READY=1") <= 0)
		fputs("severd: ready\n", stderr);
	r = journal_attach(t->d.journal, t->d.event);
	if (r >= 0)
		r = sd_event_loop(t->d.event);
	sd_notify(0, "STOPPING=1");
	severd_quit(&t->d);
	return r < 0 ? fail(r, err, "the event loop: %s", strerror(-r)) : 0;
}

static int run(struct timers *t, const struct daemon_options *o, char *err)
{
	struct severd *d = &t->d;
	int r = o->pin_dir ? bpffs_for(o->pin_dir, err) : 0;

	if (r == 0)
		r = journal_open(false, &d->journal);
	if (r == 0)
		r = record_open(o->state_dir, &d->record, err);
	if (r == 0 && record_complaint(d->record))
		journal_say(d->journal, LOG_WARNING, record_complaint(d->record));
	if (r == 0)
		r = nss_open(&d->nss);
	if (r == 0)
		r = live_open(&d->live, o->pin_dir, err);
	if (r < 0)
		return r;
	chronicle_begin(d);
	r = sentry_open(o->state_dir, o->pin_dir, &t->config.protect, d, err);
	if (r == 0)
		r = memory_settle(d);
	if (r == 0)
		r = open_loop(t, err);
	if (r == 0)
		r = serve(t, o, err);
	attend_stop(&d->attend);
	sentry_stop(&t->sentry);
	fencing_close(d->fencing);
	sd_event_source_unref(t->drain);
	live_close(&d->live);
	return r;
}

/* As severd(8) has them; the unit does not try again what would fail again. */
static int status_of(int r)
{
	switch (r) {
	case 0:
		return STATUS_OK;
	case -EMEDIUMTYPE: /* a --pin-dir in no bpffs */
		return STATUS_USAGE;
	case -EPERM:
	case -EACCES:
		return STATUS_DENIED;
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -EINVAL:
		return STATUS_KERNEL;
	default:
		return 1;
	}
}

static void complain(const char *sentence)
{
	fputs("severd: ", stderr);
	escape_put(stderr, sentence);
	fputc('\n', stderr);
}

/* Whoever started us may have closed them: what is opened next must not be taken for them. */
static void have_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct daemon_options o;
	struct timers t = { .d.wake = -1, .options = &o };
	char err[ERR_LEN] = "";
	int r;

	have_standard_files();
	r = daemon_options(argc, argv, &o);
	if (r >= 0)
		return r;
	signal(SIGPIPE, SIG_IGN);
	fd_limit_raise();
	if (!o.detach_all && config_read(o.config, &t.config, err) < 0) {
		complain(err);
		return STATUS_USAGE;
	}
	r = o.detach_all ? sentry_detach_all(o.pin_dir, err) : run(&t, &o, err);
	if (t.d.record)
		record_close(t.d.record);
	if (t.d.journal)
		journal_close(t.d.journal);
	nss_close(t.d.nss);
	sd_event_unref(t.d.event);
	config_clear(&t.config);
	closep(&t.d.wake);
	if (r < 0)
		complain(*err ? err : strerror(-r));
	return status_of(r);
}
