// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/work.h"
#include "daemon/relay.h"
#include "daemon/rights.h"
#include "daemon/source_index.h"
#include "daemon/thread.h"
#include "daemon/work_fence.h"
#include "pipeline/resolve.h"

#include <string.h>
#include <sys/eventfd.h>

#define PUMP_BATCH 512

struct work_line {
	struct work_line *next;
	size_t len;
	char text[];
};

/* ---- in the thread ---- */

static int on_line(const char *text, size_t len, void *arg)
{
	struct work_line *line = malloc(sizeof(*line) + len);
	struct work *w = arg;
	bool first;

	if (!line)
		return -ENOMEM;
	*line = (struct work_line){ .len = len };
	memcpy(line->text, text, len);
	pthread_mutex_lock(&w->lock);
	first = !w->lines;
	*w->end = line;
	w->end = &line->next;
	pthread_mutex_unlock(&w->lock);
	if (first)
		eventfd_write(w->wake, 1);
	return 0;
}

/* Whether connected UDP may be meant. */
static bool wants_udp(const struct request *req)
{
	uint32_t protos = 0;

	for (size_t i = 0; i < req->n_selectors; i++)
		if (req->selectors[i].kind == SEL_PROTO)
			protos |= req->selectors[i].protos;
	return !protos || protos & 1u << PROTO_UDP;
}

static int open_source(void *arg, struct source **ret)
{
	const struct work *w = arg;
	bool states = w->request.verb == VERB_LIST || w->request.dry_run;

	return source_of_all(w->live, w->request.caller, w->job, states, wants_udp(&w->request), ret);
}

static bool may(void *arg, const struct flow *f)
{
	struct work *w = arg;
	bool yes = rights_flow(w->peer, f);

	w->hidden += !yes && f->cookie; /* 0: a session that has no flow */
	return yes;
}

static int accept_victims(void *arg, struct selection *victims, char *err)
{
	struct work *w = arg;
	int r;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < victims->flows.n; i++)
		w->victims += victims->flows.v[i].outcome == OUT_NONE;
	w->state = WORK_ASKS;
	pthread_mutex_unlock(&w->lock);
	eventfd_write(w->wake, 1);
	live_mark(w->live, w->job, &victims->flows); /* while the request is written down */
	pthread_mutex_lock(&w->lock);
	while (w->state == WORK_ASKS && !w->stop)
		pthread_cond_wait(&w->answered, &w->lock);
	r = w->state == WORK_ANSWERED ? w->answer : -EINTR;
	w->state = WORK_RUNS;
	pthread_mutex_unlock(&w->lock);
	if (r == 0)
		work_begun(w);
	if (r == 0 && !w->totals_only)
		live_states(w->live, &victims->flows);
	if (r == 0)
		return 0;
	return fail(r, err, "nothing was touched: the request could not be recorded (%s)%s", strerrordesc_np(-r),
		    w->request.fence_ms ? "" : "; --direct does it without a record");
}

static void carry_out(struct work *w)
{
	struct access access = { .open = open_source, .accept = accept_victims, .arg = w };
	struct relay relay;

	if (w->fencing) {
		access.fence = work_fence;
		access.lift = work_lift;
	}
	if (!rights_all(w->peer))
		access.may = may;
	w->status = STATUS_KERNEL;
	if (relay_open(&relay, on_line, w) < 0) {
		snprintf(w->err, sizeof(w->err), "out of memory");
		return;
	}
	relay.totals_only = w->totals_only;
	w->status = w->request.verb == VERB_LIST ? list(&w->request, &access, &relay.report, w->err) :
						   terminate(&w->request, &access, &relay.report, w->err);
	w->refusal = relay.refusal;
	relay_close(&relay);
}

void work_resolve(struct work *w)
{
	int r = resolve(&w->request, &w->filter, &w->refusal.missing, w->err);

	w->status = r < 0 ? status_of_errno(r) : STATUS_OK;
}

static void *run(void *arg)
{
	struct work *w = arg;

	if (w->body)
		w->body(w);
	else if (w->names_only)
		work_resolve(w);
	else
		carry_out(w);
	live_end_job(w->live, w->job);
	pthread_mutex_lock(&w->lock);
	w->state = WORK_DONE;
	pthread_mutex_unlock(&w->lock);
	eventfd_write(w->wake, 1);
	return NULL;
}

/* ---- in the event loop ---- */

struct work *work_new(void)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->answered, NULL);
	w->end = &w->lines;
	return w;
}

int work_start(struct work *w, int wake_fd)
{
	w->wake = wake_fd;
	w->request.stop = &w->stop;
	return thread_start(&w->thread, run, w);
}

static void answer(struct work *w)
{
	int r = w->hooks->accepted(w, w->victims, w->arg);

	pthread_mutex_lock(&w->lock);
	w->answer = r;
	w->state = WORK_ANSWERED;
	pthread_cond_signal(&w->answered);
	pthread_mutex_unlock(&w->lock);
}

/* It stays the first one until drop_line(); NULL: none now. */
static const struct work_line *next_line(struct work *w, int *ret_state)
{
	const struct work_line *line;

	pthread_mutex_lock(&w->lock);
	*ret_state = w->state;
	line = w->lines;
	pthread_mutex_unlock(&w->lock);
	return line;
}

static void drop_line(struct work *w)
{
	struct work_line *line;

	pthread_mutex_lock(&w->lock);
	line = w->lines;
	w->lines = line->next;
	if (!w->lines)
		w->end = &w->lines;
	pthread_mutex_unlock(&w->lock);
	free(line);
}

bool work_pump(struct work *w)
{
	const struct work_line *line;
	int state, n = 0;

	while ((line = next_line(w, &state))) {
		/* Others have something to say, too. */
		if (n++ == PUMP_BATCH) {
			eventfd_write(w->wake, 1);
			return false;
		}
		if (w->hooks->line(w, line->text, line->len, w->arg) == -EAGAIN)
			return false;
		drop_line(w);
	}
	if (state == WORK_ASKS)
		answer(w);
	if (state != WORK_DONE)
		return false;
	pthread_join(w->thread, NULL);
	w->hooks->done(w, w->arg);
	work_free(w);
	return true;
}

void work_abort(struct work *w)
{
	const struct work_line *line;
	int state;

	pthread_mutex_lock(&w->lock);
	w->stop = 1;
	pthread_cond_signal(&w->answered);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	/* Who is not ready for a line does without. */
	while ((line = next_line(w, &state))) {
		if (w->hooks->line)
			w->hooks->line(w, line->text, line->len, w->arg);
		drop_line(w);
	}
	w->hooks->drop(w->arg);
	work_free(w);
}

void work_free(struct work *w)
{
	while (w->lines)
		drop_line(w);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->answered);
	json_decref(w->parameters);
	free(w->selectors);
	filter_clear(&w->filter);
	if (w->peer)
		peer_unref(w->peer);
	free(w);
}
