// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_judge.c - which of the connections that are here a fence is to end: the kernel could not refuse them, because whose they
 * would be was not known, or because the namespace was not. */
#include "daemon/fencing_parts.h"
#include "pipeline/source.h"

#include <string.h>

#define USERS (1u << SEL_USER | 1u << SEL_SESSION)

uint32_t fencing_newest_session(const struct fencing *f)
{
	struct live *l = f->live;
	struct owners o = { .bpf = l ? l->people : NULL };
	uint32_t newest = 0;
	int r;

	if (!l)
		return ID_UNSET;
	pthread_mutex_lock(&l->people_lock);
	r = owners_read_procs(&o);
	pthread_mutex_unlock(&l->people_lock);
	for (size_t i = 0; i < o.procs.n; i++)
		if (o.procs.v[i].audit_session != ID_UNSET && o.procs.v[i].audit_session > newest)
			newest = o.procs.v[i].audit_session;
	owners_clear(&o);
	return r < 0 ? ID_UNSET : newest;
}

bool fencing_any_people(const struct fencing *f)
{
	return __atomic_load_n(&f->n_people, __ATOMIC_RELAXED);
}

bool fencing_any_place(const struct fencing *f)
{
	return __atomic_load_n(&f->all.n, __ATOMIC_RELAXED) > __atomic_load_n(&f->n_people, __ATOMIC_RELAXED);
}

static bool is_protected(const struct fencing *f, const struct addr *a)
{
	for (size_t i = 0; i < f->protect.n; i++)
		if (prefix_match(&f->protect.v[i], 0, a))
			return true;
	return false;
}

/* One flow under judgement. */
struct trial {
	struct fencing *f;
	const struct meant *meant;
	const struct selection *found;
	const struct flow *flow;
	uint64_t now, birth;	     /* CLOCK_BOOTTIME; birth 0: nobody saw it */
	uint32_t audit;		     /* session of who holds it, ID_UNSET none */
	const struct standing *best; /* of those it falls under, the one that stands longest */
};

static void begin(struct trial *t, const struct flow *flow)
{
	const struct selection *sel = t->found;

	t->flow = flow;
	t->birth = sel->boot && flow->since > sel->boot ? (flow->since - sel->boot) * 1000 : 0;
	t->audit = flow->proc >= 0 ? sel->owners.procs.v[flow->proc].audit_session : ID_UNSET;
	t->best = NULL;
}

static bool stands(const struct standing *s, uint64_t now)
{
	return s->until_ns > now && !(s->notes & FENCE_NOTE_LAPSED);
}

/* since 0: of an earlier boot, so all there is came after it. */
static bool came_after(uint64_t since, uint64_t birth)
{
	return !since || birth > since;
}

static void take(struct trial *t, const struct standing *s)
{
	if (!t->best || s->until_ns > t->best->until_ns)
		t->best = s;
}

/* What has a protected address at its other end falls under none. */
static int end_trial(const struct trial *t, fencing_caught fn, void *arg)
{
	struct fence_match m;

	if (!t->best || is_protected(t->f, &t->flow->remote))
		return 0;
	snprintf(m.id, sizeof(m.id), "f%llu", (unsigned long long)t->best->number);
	memcpy(m.request, t->best->request, sizeof(m.request));
	return fn(t->flow, &m, arg);
}

/* ---- people ---- */

/* What a service accepts is its user's only as far as nobody has logged in there yet: before that, all that sshd talks to
 * is root's. */
static bool is_nobodys(const struct flow *flow)
{
	return flow->direction != DIR_OUT && flow->via == VIA_UID;
}

/* Whether it came, or became theirs, after the fence had gone up: audit sessions are numbered in the order of log-ins. */
static bool is_late(const struct standing *s, const struct trial *t)
{
	if (came_after(s->since_ns, t->birth))
		return true;
	if (s->audit != ID_UNSET && t->audit != ID_UNSET && t->audit > s->audit)
		return true;
	return s->met && !ids_has(&s->spared, flow_key(t->flow));
}

/* What is somebody else's as well is left alone. */
static int try(struct trial *t, struct standing *s)
{
	bool users = s && s->target.filter.named & USERS;

	if (!s || !stands(s, t->now) || (users && is_nobodys(t->flow)) ||
	    filter_match_socket(&s->target.filter, NULL, t->flow) != MATCH_YES)
		return 0;
	if (!is_late(s, t))
		return s->met ? 0 : ids_add(&s->spared, flow_key(t->flow));
	if (!users || t->flow->shared_with == ID_UNSET)
		take(t, s);
	return 0;
}

/* All fences that mean this. One that was taken down since is not found. */
static int try_subject(struct trial *t, enum sel kind, uint64_t id)
{
	const struct meant *m = t->meant;
	size_t from = 0, to = m->n;
	int r = 0;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct subject *at = &m->v[mid];

		if (at->kind < kind || (at->kind == kind && at->id < id))
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < m->n && m->v[from].kind == kind && m->v[from].id == id && r == 0; from++)
		r = try(t, fencing_find(t->f, m->v[from].fence));
	return r;
}

/* As filter_match_people() has it, for all of them at once. */
static int try_people(struct trial *t)
{
	const struct people *p = &t->found->people;
	const struct flow *flow = t->flow;
	int r = flow->user_known ? try_subject(t, SEL_USER, flow->user) : 0;

	if (r == 0 && flow->session >= 0)
		r = try_subject(t, SEL_SESSION, flow->session);
	if (r == 0 && flow->cgroup)
		r = try_subject(t, SEL_CGROUP, flow->cgroup);
	for (uint32_t s = flow_holders(flow, p); s && r == 0; s = p->holders->sets[s].parent) {
		const struct proc *proc = &p->procs->v[p->holders->sets[s].proc];
		uint32_t login = proc_login(p, proc);

		if (proc->cgroup)
			r = try_subject(t, SEL_CGROUP, proc->cgroup);
		if (r == 0 && login != ID_UNSET && login != flow->user)
			r = try_subject(t, SEL_USER, login);
	}
	return r;
}

/* Of the fences that had their first look: what it has spared counts, or where it was cut short, nothing. */
static void meet(struct fencing *f, const struct meant *m, bool complete)
{
	for (size_t i = 0; i < m->fences.n; i++) {
		struct standing *s = fencing_find(f, m->fences.v[i]);

		if (!s || s->met)
			continue;
		if (!complete)
			s->spared.n = 0;
		ids_sort(&s->spared);
		s->met = complete;
	}
}

int fencing_judge(struct fencing *f, const struct meant *m, const struct selection *found, fencing_caught fn, void *arg)
{
	struct trial t = { .f = f, .meant = m, .found = found, .now = clock_ns(CLOCK_BOOTTIME) };
	int r = 0;

	pthread_rwlock_rdlock(&f->match_lock);
	for (size_t i = 0; i < found->flows.n && r == 0; i++) {
		begin(&t, &found->flows.v[i]);
		r = try_people(&t);
		if (r == 0)
			r = end_trial(&t, fn, arg);
	}
	meet(f, m, r == 0);
	pthread_rwlock_unlock(&f->match_lock);
	return r;
}

/* ---- places ---- */

/* What is tracked is open, whatever state it was born in. */
static bool is_half(const struct flow *f)
{
	return !f->tracked && (f->state == STATE_NEW_SYN_RECV || f->state == STATE_SYN_RECV);
}

/* When the first of them went up: what was there before falls under none. */
static uint64_t oldest_place(struct fencing *f)
{
	uint64_t oldest = UINT64_MAX;

	pthread_rwlock_rdlock(&f->match_lock);
	for (size_t i = 0; i < f->all.n; i++) {
		const struct standing *s = f->all.v[i];

		if (s->since_ns < oldest && !filter_names_people(&s->target.filter))
			oldest = s->since_ns;
	}
	pthread_rwlock_unlock(&f->match_lock);
	return oldest;
}

static void try_places(struct trial *t)
{
	for (size_t i = 0; i < t->f->all.n; i++) {
		const struct standing *s = t->f->all.v[i];

		if (stands(s, t->now) && !filter_names_people(&s->target.filter) &&
		    (is_half(t->flow) || came_after(s->since_ns, t->birth)) &&
		    filter_match_socket(&s->target.filter, NULL, t->flow) == MATCH_YES)
			take(t, s);
	}
}

int fencing_judge_places(struct fencing *f, const struct selection *found, fencing_caught fn, void *arg)
{
	struct trial t = { .f = f, .found = found, .now = clock_ns(CLOCK_BOOTTIME) };
	uint64_t oldest = oldest_place(f);
	int r = 0;

	for (size_t i = 0; i < found->flows.n && r == 0; i++) {
		begin(&t, &found->flows.v[i]);
		if (!is_half(t.flow) && !came_after(oldest, t.birth))
			continue;
		pthread_rwlock_rdlock(&f->match_lock);
		try_places(&t);
		r = end_trial(&t, fn, arg);
		pthread_rwlock_unlock(&f->match_lock);
	}
	return r;
}
