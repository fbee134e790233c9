// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_watch.c - Watch: each watcher has a place in the log and reads on from there as fast as he likes. Who is overtaken by the
 * oldest event that is kept is told how many he has lost. */
#include "daemon/severd.h"
#include "daemon/wanted.h"

#include <string.h>

#define WATCHES_PER_UID 16 /* of one uid other than root */
/* What all watchers cost before others are served: one for an event that is passed over, TOLD for one that is put into words. */
#define PUMP_UNITS 16384
#define TOLD 8

struct watcher {
	struct watcher *next;
	struct severd *d;
	struct call *call; /* NULL: hung up */
	struct work *work; /* that looks up the names of the filter; NULL: done */
	uint64_t seq; /* the next one */
	struct filter filter;
	bool all; /* may see everything */
	bool waits; /* for room */
};

static void watcher_free(struct watcher *w)
{
	struct watcher **at = &w->d->watchers;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	filter_clear(&w->filter);
	if (w->call) {
		call_watch(w->call, NULL, NULL);
		call_unref(w->call);
	}
	free(w);
}

/* ---- to the caller ---- */

/* n 0: nobody knows. */
static json_t *lost_event(uint64_t last, uint64_t n)
{
	return json_pack("{s{sI so ss so}}", "event", "seq", (json_int_t)last, "time", time_to_json(0), "event", "lost",
			 "count", n ? json_integer(n) : json_null());
}

static int tell(struct watcher *w, json_t *event)
{
	_cleanup_(json_decrefp) json_t *p = event;

	return p ? call_reply(w->call, p, true) : -ENOMEM;
}

static int tell_event(struct watcher *w, const struct logged *e)
{
	size_t len = 0;
	_free_ char *text = event_spell(w->d, w->seq, e, &len);

	return text ? call_reply_spelled(w->call, text, len, true) : -ENOMEM;
}

static int say_lost(struct watcher *w)
{
	uint64_t first = w->d->live.log.first;
	/* What a severd before this one has told, nobody has counted. */
	int r = tell(w, lost_event(first - 1, w->seq < w->d->live.log.began ? 0 : first - w->seq));

	if (r == 0)
		w->seq = first;
	return r;
}

/* For so many units of work; with the lock of live. */
static int pump(struct watcher *w, int units)
{
	const struct logged *e;
	bool wanted;
	int r = 0;

	while (units > 0 && r == 0 && w->seq < w->d->live.log.next) {
		if (!call_has_room(w->call)) {
			w->waits = true;
			return call_reply(w->call, NULL, true); /* -EAGAIN, and room() comes */
		}
		e = log_at(&w->d->live.log, w->seq);
		wanted = e && (w->all || e->uid == call_peer(w->call)->uid) && event_is_wanted(e, &w->filter, &w->d->live.sittings);
		units -= wanted ? TOLD : 1;
		if (!e) {
			r = say_lost(w);
			continue;
		}
		r = wanted ? tell_event(w, e) : 0;
		r = r == -EMSGSIZE ? 0 : r; /* no message could hold it */
		w->seq += r == 0;
	}
	return r;
}

/* Asks to come again where its share was not enough. */
void severd_pump_watchers(struct severd *d)
{
	bool more = false;
	int n = 1, share;

	for (const struct watcher *w = d->watchers; w; w = w->next)
		n++;
	share = PUMP_UNITS / n > TOLD ? PUMP_UNITS / n : TOLD;
	for (struct watcher *w = d->watchers; w; w = w->next) {
		if (w->waits)
			continue;
		pthread_mutex_lock(&d->live.lock);
		more |= pump(w, share) == 0 && w->seq < d->live.log.next;
		pthread_mutex_unlock(&d->live.lock);
	}
	if (more)
		live_wake(&d->live);
}

static void on_hangup(struct call *c, void *arg)
{
	struct watcher *w = arg;

	w->call = NULL;
	call_unref(c);
	if (w->work)
		w->work->stop = 1;
	else
		watcher_free(w);
}

static void on_room(struct call *c, void *arg)
{
	struct watcher *w = arg;

	(void)c;
	w->waits = false;
	live_wake(&w->d->live);
}

static const struct call_watcher watcher_hooks = { .gone = on_hangup, .room = on_room };

/* ---- the method ---- */

static void on_resolved(struct work *work, void *arg)
{
	struct watcher *w = arg;

	w->work = NULL;
	if (!w->call || work->status != STATUS_OK) {
		if (w->call)
			severd_answer(w->call, work->status, &work->refusal, work->err, NULL);
		watcher_free(w);
		return;
	}
	w->filter = work->filter;
	work->filter = (struct filter){ 0 };
	/* An end is told of in the state it came from. */
	w->filter.states = ~0u;
	w->next = w->d->watchers;
	w->d->watchers = w;
	live_wake(&w->d->live);
}

static void on_drop(void *arg)
{
	watcher_free(arg);
}

static const struct work_hooks work_hooks = { .done = on_resolved, .drop = on_drop };

/* Whether NSS, or the tree of cgroups, is to be asked. */
static bool takes_time(const struct request *req)
{
	for (const struct selector *s = req->selectors; s < req->selectors + req->n_selectors; s++)
		if ((s->kind == SEL_USER && s->user.form != USER_UID) || s->kind == SEL_CGROUP || s->kind == SEL_UNIT)
			return true;
	return false;
}

static bool has_room(const struct severd *d, uid_t uid)
{
	int n = 0;

	for (const struct watcher *w = d->watchers; w && uid; w = w->next)
		n += call_peer(w->call)->uid == uid;
	return n < WATCHES_PER_UID;
}

static struct watcher *watcher_new(struct severd *d, struct call *c)
{
	const json_t *after = json_object_get(call_parameters(c), "after");
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct watcher){ .d = d, .all = severd_may_all(d, c), .call = call_ref(c) };
	pthread_mutex_lock(&d->live.lock);
	w->seq = after ? (uint64_t)json_integer_value(after) + 1 : d->live.log.next;
	/* The clock was set back since: what was told after that number nobody knows, so all there is comes again. */
	if (w->seq > d->live.log.next)
		w->seq = 0;
	pthread_mutex_unlock(&d->live.lock);
	call_watch(c, &watcher_hooks, w);
	call_may_lag(c); /* he loses events instead */
	return w;
}

static int begin(struct watcher *w, struct work *work, struct call *c)
{
	int r;

	work->names_only = true;
	work->hooks = &work_hooks;
	work->arg = w;
	if (!takes_time(&work->request)) {
		work_resolve(work);
		on_resolved(work, w);
		work_free(work);
		return 0;
	}
	w->work = work;
	r = severd_begin(w->d, work, c);
	if (r < 0) {
		watcher_free(w);
		work_free(work);
	}
	return r;
}

int serve_watch(struct call *c, void *arg)
{
	struct severd *d = arg;
	struct watcher *w;
	struct work *work;
	int r = severd_read(c, &work);

	if (!work)
		return r;
	r = has_room(d, call_peer(c)->uid) ? 0 : -EBUSY;
	w = r == 0 ? watcher_new(d, c) : NULL;
	if (w)
		return begin(w, work, c);
	work_free(work);
	return r < 0 ? r : -ENOMEM;
}
