// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/severd.h"
#include "daemon/decode.h"
#include "daemon/nss.h"
#include "names/caller.h"
#include "varlink/interface.h"

#include <string.h>

bool severd_may_all(const struct severd *d, const struct call *c)
{
	return nss_rights(d->nss, call_peer(c));
}

static int refuse_crowd(struct call *c)
{
	char err[ERR_LEN];

	fail(0, err, "selectors: more than %d, which only root may give", SELECTORS_MAX);
	return decode_refuse(c, -EINVAL, err);
}

int severd_read(struct call *c, struct work **ret)
{
	bool crowd = call_peer(c)->uid && json_array_size(json_object_get(call_parameters(c), "selectors")) > SELECTORS_MAX;
	struct work *w;
	char err[ERR_LEN] = "";
	int r;

	*ret = NULL;
	if (crowd)
		return refuse_crowd(c);
	w = work_new();
	if (!w)
		return -ENOMEM;
	w->parameters = json_incref(call_parameters(c));
	r = request_decode(w->parameters, &w->request, &w->selectors, err);
	if (r < 0) {
		work_free(w);
		return decode_refuse(c, r, err);
	}
	*ret = w;
	return 0;
}

static bool has_room(const struct severd *d, uid_t uid)
{
	size_t others = 0, own = 0;

	for (const struct work *w = d->works; w; w = w->next) {
		others += w->peer->uid != 0;
		own += w->peer->uid == uid;
	}
	return d->n_works < WORK_MAX && (!uid || (others < WORK_OTHERS && own < WORK_PER_UID));
}

/* A listing ends nothing: it needs no number, and must not displace those of the requests that do. */
static void number(struct live *l, struct work *w)
{
	const struct sitting *s;
	char id[SESSION_ID_LEN] = "";
	uint32_t audit = ID_UNSET;

	if (w->request.verb == VERB_LIST)
		return;
	/* Where the caller sits, so that what he does to himself is called so. */
	if (w->peer->pid)
		session_of_caller(w->peer->pid, id, &audit);
	pthread_mutex_lock(&l->lock);
	s = *id ? sittings_named(&l->sittings, id) : sittings_audited(&l->sittings, audit);
	w->job = live_new_job(l, w->request.id, s ? s->number : 0);
	pthread_mutex_unlock(&l->lock);
}

int severd_begin(struct severd *d, struct work *w, struct call *c)
{
	const struct peer *p = call_peer(c);
	int r;

	if (!has_room(d, p->uid))
		return -EBUSY;
	w->live = &d->live;
	w->fencing = d->fencing;
	w->attend = &d->attend;
	w->peer = peer_ref((struct peer *)p);
	/* Nobody's own connection is cut by mistake, nor is ours: who cannot be seen is taken for this process. */
	w->request.caller = p->pid;
	number(&d->live, w);
	r = work_start(w, d->wake);
	if (r < 0) {
		live_end_job(&d->live, w->job);
		return r;
	}
	w->next = d->works;
	d->works = w;
	d->n_works++;
	return 0;
}

void severd_tell(struct severd *d, enum event what, uint32_t job, uint32_t uid, json_t *summary)
{
	struct logged *e;

	pthread_mutex_lock(&d->live.lock);
	e = log_add(&d->live.log, what);
	e->job = job;
	e->uid = uid;
	log_about(&d->live.log, e, json_incref(summary));
	pthread_mutex_unlock(&d->live.lock);
	live_wake(&d->live);
}

void severd_pump_works(struct severd *d)
{
	struct work **at = &d->works, *next;

	while (*at) {
		next = (*at)->next;
		if (work_pump(*at)) {
			*at = next;
			d->n_works--;
		} else {
			at = &(*at)->next;
		}
	}
}

void severd_quit(struct severd *d)
{
	struct work *next;

	for (struct work *w = d->works; w; w = next) {
		next = w->next;
		work_abort(w);
	}
	d->works = NULL;
	d->n_works = 0;
}

int severd_answer(struct call *c, enum status status, const struct refusal *why, const char *sentence, json_t *more)
{
	static const char *const names[] = {
		[STATUS_NO_MATCH] = "NotFound",		[STATUS_USAGE] = "InvalidParameter",
		[STATUS_PARTIAL] = "Partial",		[STATUS_DENIED] = "PermissionDenied",
		[STATUS_KERNEL] = "KernelCannot",	[STATUS_GUARD] = "Guard",
		[STATUS_NO_DAEMON] = "Busy",
	};
	_cleanup_(json_decrefp) json_t *p = more ? more : json_object();
	const char *name = status < array_size(names) && names[status] ? names[status] : "Failed";
	char full[64];

	if (!p)
		return -ENOMEM;
	if (status == STATUS_NO_MATCH)
		json_object_set_new(p, "what", json_string(why->missing ? why->missing : "match"));
	if (status == STATUS_DENIED && *why->session)
		json_object_set_new(p, "session", json_string(why->session));
	if (status == STATUS_GUARD && why->guard)
		json_object_set_new(p, "guard", json_string(guard_name[why->guard]));
	if (status == STATUS_USAGE)
		json_object_set_new(p, "parameter", json_string("selectors"));
	if (json_object_set_new(p, "message", json_string(sentence)) < 0)
		return -ENOMEM;
	snprintf(full, sizeof(full), IO_SEVER ".%s", name);
	return call_error(c, full, p);
}
