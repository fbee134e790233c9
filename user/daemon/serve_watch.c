// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_watch.c - Watch: each watcher has a place in the log and reads on from there as fast as he likes. Who is overtaken by the
 * oldest event that is kept is told how many he has lost. */
#include "daemon/decode.h"
#include "daemon/rights.h"
#include "daemon/severd.h"
#include "pipeline/resolve.h"

#include <string.h>

#define PUMP_BATCH 512	 /* events for one watcher before others are served */
#define PUMP_LOOK 16384	 /* and so many looked at, wanted or not: that is cheap */

struct watcher {
	struct watcher *next;
	struct severd *d;
	struct call *call;
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
	if (w->call)
		call_unref(w->call);
	free(w);
}

/* ---- who gets which ---- */

static bool about_flow(const struct logged *e)
{
	return e->flow.cookie;
}

static bool is_session_wanted(const struct filter *f, const struct sitting *s)
{
	for (size_t i = 0; i < f->sessions.n && s; i++)
		if (session_id_is(&f->sessions.v[i], &s->session))
			return true;
	return false;
}

/* What is said of people is judged by the owner that was known at the time. */
static bool is_flow_wanted(const struct watcher *w, const struct entry *e)
{
	const struct filter *f = &w->filter;
	struct flow flow;

	entry_to_flow(e, &flow);
	if (filter_match_socket(f, NULL, &flow) == MATCH_NO)
		return false;
	if (filter_names(f, SEL_USER) && !ids_has(&f->users, e->owner != ID_UNSET ? e->owner : e->uid))
		return false;
	if (filter_names(f, SEL_PID) && !ids_has(&f->pids, e->pid))
		return false;
	if (filter_names(f, SEL_CGROUP) && !ids_has(&f->cgroups, e->cgroup))
		return false;
	if (filter_names(f, SEL_UNIT) && !ids_has(&f->units, e->cgroup))
		return false;
	return !filter_names(f, SEL_SESSION) || is_session_wanted(f, sittings_find(&w->d->live.sittings, e->session));
}

static bool is_wanted(const struct watcher *w, const struct logged *e)
{
	const struct filter *f = &w->filter;
	const char *id = json_string_value(json_object_get(e->about, "session"));

	if (!w->all && e->uid != call_peer(w->call)->uid)
		return false;
	if (about_flow(e))
		return is_flow_wanted(w, &e->flow);
	/* A session is known by its user and its name, a request by neither. */
	if (f->named & ~(1u << SEL_USER | 1u << SEL_SESSION))
		return false;
	if (!f->named)
		return true;
	if (!id || (filter_names(f, SEL_USER) && !ids_has(&f->users, e->uid)))
		return false;
	return !filter_names(f, SEL_SESSION) || is_session_wanted(f, sittings_named(&w->d->live.sittings, id));
}

/* ---- to the caller ---- */

static json_t *lost_event(uint64_t last, uint64_t n)
{
	return json_pack("{s{sI so ss sI}}", "event", "seq", (json_int_t)last, "time", time_to_json(0), "event", "lost",
			 "count", (json_int_t)n);
}

json_t *serve_lost(struct call *c, uint64_t n, void *arg)
{
	const struct severd *d = arg;

	(void)c;
	return lost_event(d->live.log.next - 1, n);
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

	return text ? call_reply_spelled(w->call, text, len) : -ENOMEM;
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

/* A batch; with the lock of live. */
static int pump(struct watcher *w)
{
	const struct logged *e;
	int r = 0, told = 0;

	for (int n = 0; n < PUMP_LOOK && told < PUMP_BATCH && r == 0 && w->seq < w->d->live.log.next; n++) {
		if (!call_has_room(w->call)) {
			w->waits = true;
			return call_reply(w->call, NULL, true); /* -EAGAIN, and room() comes */
		}
		e = log_at(&w->d->live.log, w->seq);
		if (!e) {
			r = say_lost(w);
			continue;
		}
		if (is_wanted(w, e)) {
			r = tell_event(w, e);
			told++;
		}
		w->seq += r == 0;
	}
	return r;
}

/* Asks to come again where the batch was not enough. */
void severd_pump_watchers(struct severd *d)
{
	bool more = false;

	pthread_mutex_lock(&d->live.lock);
	for (struct watcher *w = d->watchers; w; w = w->next) {
		if (!w->waits && pump(w) == 0)
			more |= w->seq < d->live.log.next;
	}
	pthread_mutex_unlock(&d->live.lock);
	if (more)
		live_wake(&d->live);
}

static void on_hangup(struct call *c, void *arg)
{
	(void)c;
	watcher_free(arg);
}

static void on_room(struct call *c, void *arg)
{
	struct watcher *w = arg;

	(void)c;
	w->waits = false;
	live_wake(&w->d->live);
}

static const struct call_watcher watcher_hooks = { .gone = on_hangup, .room = on_room };

static int resolve_filter(const json_t *parameters, struct filter *ret, char *err)
{
	_free_ struct selector *selectors = NULL;
	struct request req = { 0 };
	int r = request_decode(parameters, &req, &selectors, err);

	if (r < 0)
		return r;
	req.verb = VERB_LIST;
	r = resolve(&req, ret, err);
	/* An end is told of in the state it came from. */
	ret->states = ~0u;
	return r;
}

int serve_watch(struct call *c, void *arg)
{
	const json_t *after = json_object_get(call_parameters(c), "after");
	struct watcher *w = calloc(1, sizeof(*w));
	struct severd *d = arg;
	char err[ERR_LEN] = "";
	int r;

	if (!w)
		return -ENOMEM;
	*w = (struct watcher){ .d = d, .all = rights_all(call_peer(c)) };
	r = resolve_filter(call_parameters(c), &w->filter, err);
	if (r < 0) {
		watcher_free(w);
		return r == -EINVAL ? decode_refuse(c, r, err) : call_fail(c, r, *err ? err : NULL);
	}
	pthread_mutex_lock(&d->live.lock);
	w->seq = after ? (uint64_t)json_integer_value(after) + 1 : d->live.log.next;
	if (w->seq > d->live.log.next)
		w->seq = d->live.log.next;
	pthread_mutex_unlock(&d->live.lock);
	w->call = call_ref(c);
	w->next = d->watchers;
	d->watchers = w;
	call_watch(c, &watcher_hooks, w);
	call_be_patient(c);
	on_room(c, w);
	return 0;
}
