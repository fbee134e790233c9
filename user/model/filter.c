// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/filter.h"

#include <string.h>

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int ids_add(struct ids *s, uint64_t id)
{
	int r = grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v));

	if (r == 0)
		s->v[s->n++] = id;
	return r;
}

void ids_sort(struct ids *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_value);
}

bool ids_has(const struct ids *s, uint64_t id)
{
	return s->n && bsearch(&id, s->v, s->n, sizeof(*s->v), by_value);
}

bool filter_names_people(const struct filter *f)
{
	return f->named &
	       (1u << SEL_USER | 1u << SEL_SESSION | 1u << SEL_PID | 1u << SEL_CGROUP | 1u << SEL_UNIT);
}

bool filter_needs_people(const struct filter *f)
{
	return f->transport_only || filter_names_people(f);
}

static bool in_prefixes(const struct prefixes *p, const uint32_t *zones, const struct addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (prefix_match(&p->v[i], zones ? zones[i] : 0, a))
			return true;
	return false;
}

static bool in_ranges(const struct ranges *r, uint16_t port)
{
	for (size_t i = 0; i < r->n; i++)
		if (port >= r->v[i].first && port <= r->v[i].last)
			return true;
	return false;
}

static bool in_flows(const struct flow_ids *ids, const struct flow *flow)
{
	for (size_t i = 0; i < ids->n; i++)
		if (flow_has_handle(flow, ids->v[i].cookie, ids->v[i].netns))
			return true;
	return false;
}

/* A peer is at the other end, whichever side opened the flow; a client is at the other end of what was
 * accepted here. An unknown direction counts as accepted: a ban that misses is worse than one that is listed. */
static bool match_addresses(const struct filter *f, const uint32_t *zones, const struct flow *flow)
{
	if (flow->state == STATE_CLOSE && (filter_names(f, SEL_CLIENT) || filter_names(f, SEL_PEER)))
		return false; /* an unconnected socket has no other end */
	if (filter_names(f, SEL_CLIENT) &&
	    (flow->direction == DIR_OUT || !in_prefixes(&f->clients, zones, &flow->remote)))
		return false;
	return !filter_names(f, SEL_PEER) ||
	       in_prefixes(&f->peers, zones ? zones + f->clients.n : NULL, &flow->remote);
}

bool filter_age_unproven(const struct filter *f, const struct flow *flow)
{
	return filter_names(f, SEL_OLDER_THAN) && flow->min_age_ms < f->older_ms;
}

/* Whether the least age is the age: somebody saw its birth, and that is not too long ago to be counted. */
static bool is_age_known(const struct flow *flow)
{
	return flow->since && flow->min_age_ms < UINT32_MAX;
}

enum match filter_match_socket(const struct filter *f, const uint32_t *zones, const struct flow *flow)
{
	if (flow->state == STATE_LISTEN || !(f->states & 1u << flow->state) ||
	    !(f->protos & 1u << flow->proto))
		return MATCH_NO;
	if (filter_names(f, SEL_NETNS) && !ids_has(&f->netns, flow->netns))
		return MATCH_NO;
	if (filter_names(f, SEL_FLOW) && !in_flows(&f->flows, flow))
		return MATCH_NO;
	if (filter_names(f, SEL_LOCAL_PORT) && !in_ranges(&f->local_ports, flow->local_port))
		return MATCH_NO;
	if (filter_names(f, SEL_REMOTE_PORT) && !in_ranges(&f->remote_ports, flow->remote_port))
		return MATCH_NO;
	if (!match_addresses(f, zones, flow))
		return MATCH_NO;
	if (filter_age_unproven(f, flow))
		return is_age_known(flow) ? MATCH_NO : MATCH_UNKNOWN;
	return MATCH_YES;
}

bool session_id_is(const struct session_id *id, const struct session *s)
{
	return id->form == SESSION_AUDIT ? s->audit != ID_UNSET && s->audit == id->audit : !strcmp(s->id, id->id);
}

bool filter_means_session(const struct filter *f, const struct session *s)
{
	for (size_t i = 0; i < f->sessions.n; i++)
		if (session_id_is(&f->sessions.v[i], s))
			return true;
	return false;
}

/* session: an index, -1 none. */
static bool match_session(const struct filter *f, const struct people *p, int32_t session)
{
	return session >= 0 && filter_means_session(f, &p->sessions->v[session]);
}

/* Any holder will do: a socket that was handed on is still in the hands of the first one. */
static bool match_holder(const struct filter *f, const struct people *p, const struct flow *flow)
{
	bool in_cgroup = !filter_names(f, SEL_CGROUP) || ids_has(&f->cgroups, flow->cgroup);
	bool in_unit = !filter_names(f, SEL_UNIT) || ids_has(&f->units, flow->cgroup);
	bool has_pid = !filter_names(f, SEL_PID);

	for (uint32_t s = flow_holders(flow, p); s; s = p->holders->sets[s].parent) {
		const struct proc *proc = &p->procs->v[p->holders->sets[s].proc];

		in_cgroup |= ids_has(&f->cgroups, proc->cgroup);
		in_unit |= ids_has(&f->units, proc->cgroup);
		has_pid |= ids_has(&f->pids, proc->pid);
	}
	return in_cgroup && in_unit && has_pid;
}

bool filter_cares_for(const struct filter *f, const struct people *p, const struct proc *proc)
{
	if ((filter_names(f, SEL_USER) || filter_names(f, SEL_SESSION)) && proc_login(p, proc) != ID_UNSET)
		return true;
	return ids_has(&f->pids, proc->pid) || ids_has(&f->cgroups, proc->cgroup) ||
	       ids_has(&f->units, proc->cgroup);
}

bool filter_means_proc(const struct filter *f, const struct people *p, const struct proc *proc)
{
	return ids_has(&f->users, proc_login(p, proc)) || match_session(f, p, proc->session) || ids_has(&f->pids, proc->pid) ||
	       ids_has(&f->cgroups, proc->cgroup) || ids_has(&f->units, proc->cgroup);
}

bool filter_match_socket_owner(const struct filter *f, const struct flow *flow)
{
	bool by_uid = flow_uid_known(flow) && (!f->any_people || flow->direction == DIR_OUT);

	return (by_uid && ids_has(&f->users, flow->uid)) || ids_has(&f->cgroups, flow->cgroup) ||
	       ids_has(&f->units, flow->cgroup);
}

bool filter_match_but_user(const struct filter *f, const struct people *p, const struct flow *flow)
{
	return (!f->transport_only || flow->transport) &&
	       (!filter_names(f, SEL_SESSION) || match_session(f, p, flow->session)) && match_holder(f, p, flow);
}

/* A flow held for several log-in users matches each of them; the guards see to the others. */
static bool match_user(const struct filter *f, const struct people *p, const struct flow *flow)
{
	if (flow->user_known && ids_has(&f->users, flow->user))
		return true;
	for (uint32_t s = flow_holders(flow, p); s; s = p->holders->sets[s].parent)
		if (ids_has(&f->users, proc_login(p, &p->procs->v[p->holders->sets[s].proc])))
			return true;
	return false;
}

static bool match_any(const struct filter *f, const struct people *p, const struct flow *flow)
{
	for (uint32_t s = flow_holders(flow, p); s; s = p->holders->sets[s].parent)
		if (filter_means_proc(f, p, &p->procs->v[p->holders->sets[s].proc]))
			return true;
	return filter_match_socket_owner(f, flow);
}

bool filter_match_people(const struct filter *f, const struct people *p, const struct flow *flow)
{
	if (f->any_people)
		return match_any(f, p, flow);
	return (!filter_names(f, SEL_USER) || match_user(f, p, flow)) && filter_match_but_user(f, p, flow);
}

void filter_clear(struct filter *f)
{
	free(f->users.v);
	free(f->cgroups.v);
	free(f->units.v);
	free(f->pids.v);
	free(f->netns.v);
	free(f->clients.v);
	free(f->peers.v);
	free(f->sessions.v);
	free(f->local_ports.v);
	free(f->remote_ports.v);
	free(f->flows.v);
	memset(f, 0, sizeof(*f));
}
