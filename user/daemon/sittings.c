// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/sittings.h"
#include "daemon/relay.h"
#include "daemon/returns.h"
#include "model/moment.h"

#include <string.h>

static int by_number(const void *a, const void *b)
{
	const struct sitting *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* They stand in the order of their numbers. */
struct sitting *sittings_find(const struct sittings *s, uint32_t number)
{
	const struct sitting key = { .number = number };

	return s->n && number ? bsearch(&key, s->v, s->n, sizeof(*s->v), by_number) : NULL;
}

struct sitting *sittings_named(const struct sittings *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].session.id, id))
			return &s->v[i];
	return NULL;
}

/* A session of the same name that another leader opened is another one. */
struct sitting *sittings_of(const struct sittings *s, const struct session *session)
{
	struct sitting *one = sittings_named(s, session->id);

	return one && one->session.start <= session->start && one->session.uid == session->uid ? one : NULL;
}

struct sitting *sittings_audited(const struct sittings *s, uint32_t audit)
{
	for (size_t i = 0; i < s->n && audit != ID_UNSET; i++)
		if (s->v[i].session.audit == audit)
			return &s->v[i];
	return NULL;
}

static int take_line(const char *line, size_t len, void *arg)
{
	json_t **ret = arg;

	*ret = json_loadb(line, len, 0, NULL);
	return *ret ? 0 : -ENOMEM;
}

/* As a list has it, but for what only a look at its connections would tell; the user's name is looked up when it is shown. */
static json_t *describe(const struct sitting *one, enum event what)
{
	const struct entry *e = &one->transport;
	struct flow carrier = { 0 };
	struct row row = {
		.what = LIST_SESSIONS, .session = &one->session, .user = one->session.uid,
		.transports = one->transports, .flows = one->flows, .since = one->since,
	};
	struct relay relay;
	json_t *ret = NULL;

	if (e->cookie) {
		entry_to_flow(e, &carrier);
		row.client = carrier.remote;
		row.carrier = flow_carrier(&carrier);
	}
	if (one->transports && !(e->flags & SEVER_FLOW_ADOPTED))
		row.connected = moment_of_boot() + e->birth / 1000;
	if (what == EVENT_SESSION_OPEN && (one->transports || one->session.console))
		row.presence = PRESENCE_ACTIVE;
	if (what == EVENT_SESSION_DISCONNECTED) {
		row.presence = PRESENCE_DISCONNECTED;
		row.disconnected = one->past.disconnected;
	}
	if (relay_open(&relay, take_line, &ret) < 0)
		return NULL;
	report_row(&relay.report, &row);
	relay_close(&relay);
	return ret;
}

/* What carries it, or did last, goes along for who asks for that; as an event it is about no flow. */
static struct logged *tell(struct log *log, enum event what, const struct sitting *one)
{
	struct logged *e = log_add(log, what);

	log_about(log, e, describe(one, what));
	e->uid = one->session.uid;
	e->flow = one->transport;
	e->flow.cookie = 0;
	e->flow.audit_session = one->session.audit;
	return e;
}

static struct sitting *meet(struct sittings *s, const struct session *session)
{
	struct sitting *one = sittings_of(s, session);

	if (one)
		return one;
	if (grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v)) < 0)
		return NULL;
	one = &s->v[s->n++];
	*one = (struct sitting){ .number = ++s->last, .session = *session };
	return one;
}

const struct cut_session *sittings_cut(const struct sittings *s, uint32_t number)
{
	for (size_t i = 0; i < CUT_SESSIONS && number; i++)
		if (s->cut[i].number == number)
			return &s->cut[i];
	return NULL;
}

static void note_cut(struct sittings *s, const struct sitting *one, uint32_t job)
{
	struct cut_session *c = &s->cut[s->n_cut++ % CUT_SESSIONS];

	*c = (struct cut_session){
		.when = clock_ns(CLOCK_MONOTONIC), .number = one->number, .uid = one->session.uid, .job = job
	};
	memcpy(c->id, one->session.id, sizeof(c->id));
}

/* The user has been cut off a moment ago: whose session it was is told, and by whose request it ended. */
static void tell_open(struct sittings *s, struct log *log, const struct sitting *one)
{
	struct logged *told = tell(log, EVENT_SESSION_OPEN, one);
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	const struct cut_session *newest = NULL;

	for (size_t i = 0; i < CUT_SESSIONS; i++) {
		const struct cut_session *c = &s->cut[i];

		if (c->number && c->uid == one->session.uid && now - c->when < RETURN_NS && (!newest || c->when > newest->when))
			newest = c;
	}
	if (!newest)
		return;
	told->returns = newest->number;
	told->job = newest->job;
}

struct update {
	struct sittings *s;
	struct index *index;
	const struct people *people;
	uint32_t *numbers; /* by index into people->sessions */
};

static void attribute(struct update *u, struct entry *e)
{
	struct flow f;

	entry_to_flow(e, &f);
	flow_attribute(&f, u->people);
	if (f.login_uid == ID_UNSET)
		return;
	index_own(u->index, e, f.login_uid, f.session < 0 ? 0 : u->numbers[f.session]);
	e->transport = f.transport;
}

/* Cookies count up, more or less: the oldest one is what the session is known by. */
static void count_flow(struct sitting *one, const struct entry *e)
{
	one->flows++;
	if (!e->transport)
		return;
	if (!one->transports++ || e->cookie < one->transport.cookie)
		one->transport = *e;
	one->past.disconnected = 0;
}

/* Recounted, because a flow may have come and gone between two looks. */
static void count_flows(struct sittings *s, const struct index *x)
{
	struct sitting *one = NULL;

	for (size_t i = 0; i < s->n; i++)
		s->v[i].transports = s->v[i].flows = 0;
	for (size_t i = 0; i < x->used; i++) {
		struct entry *e = index_at(x, i);

		if (!e)
			continue;
		if (!e->session)
			continue;
		if (!one || one->number != e->session)
			one = sittings_find(s, e->session);
		if (one)
			count_flow(one, e);
	}
}

static void end_unseen(struct sittings *s, struct log *log)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].seen)
			s->v[kept++] = s->v[i];
		else
			tell(log, EVENT_SESSION_CLOSE, &s->v[i]);
	}
	s->n = kept;
}

/* Where to ask whether it is still so. */
static void note_holder(const struct people *people, const struct holder_slot *slot, struct entry *e)
{
	const struct holder_set *set = &people->holders->sets[slot->set];

	e->holder = set->parent || slot->fd == HOLDER_FD_UNKNOWN ? 0 : people->procs->v[set->proc].pid;
	e->holder_fd = slot->fd;
}

int sittings_update(struct sittings *s, struct index *x, struct log *log, const struct owners *owners, const struct people *people)
{
	_free_ uint32_t *numbers = calloc(people->sessions->n + 1, sizeof(*numbers));
	struct update u = { .s = s, .index = x, .people = people, .numbers = numbers };
	uint32_t before = s->last;
	uint64_t boot = moment_of_boot();

	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].seen = false;
	for (size_t i = 0; i < people->sessions->n; i++) {
		const struct session *session = &people->sessions->v[i];
		struct sitting *one = meet(s, session);

		if (!one)
			return -ENOMEM;
		one->seen = true;
		one->session = *session;
		one->since = session->leader ? boot + owners_start_us(owners, session->start) : 0;
		numbers[i] = one->number;
	}
	for (size_t i = 0; i < people->holders->n_slots; i++) {
		const struct holder_slot *slot = &people->holders->slots[i];
		struct entry *e = slot->key ? index_find(x, slot->key) : NULL;

		if (!e)
			continue;
		note_holder(people, slot, e);
		attribute(&u, e);
	}
	count_flows(s, x);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].number > before)
			tell_open(s, log, &s->v[i]);
	end_unseen(s, log);
	return 0;
}

void sittings_add_flow(struct sitting *one, struct index *x, struct entry *e, const struct flow *f)
{
	index_own(x, e, one->session.uid, one->number);
	e->transport = f->transport;
	count_flow(one, e);
}

void sittings_flow_ended(struct sittings *s, struct log *log, const struct logged *end)
{
	const struct entry *e = &end->flow;
	struct sitting *one = sittings_find(s, e->session);
	struct logged *told;

	if (!one)
		return;
	one->past.sent += end->sent;
	one->past.received += end->received;
	one->past.torn |= !end->boot_ns; /* nobody told of it: it was found missing */
	one->flows -= one->flows > 0;
	if (!e->transport || !one->transports || --one->transports)
		return;
	one->past.disconnected = end->time_us;
	one->transport = *e;
	told = tell(log, EVENT_SESSION_DISCONNECTED, one);
	told->reason = end->reason;
	told->job = end->job;
	if (end->job)
		note_cut(s, one, end->job);
}

void sittings_clear(struct sittings *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
