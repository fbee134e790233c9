// SPDX-License-Identifier: LGPL-2.1-or-later
/* waiting.c - connections that are about to carry a session: somebody is at the password prompt. No program's name is asked, and a
 * connection of which it is not certain is not called one. */
#include "names/shut_in.h"
#include "pipeline/aside.h"

#include <string.h>

/* Accepted, and none of its holders has logged in. */
static bool may_wait(const struct flow *f)
{
	return flow_is_tcp(f) && !f->subflow && f->direction == DIR_IN && f->proc >= 0 && f->session < 0 &&
	       f->login_uid == ID_UNSET;
}

/* ---- the way that sessions come in ---- */

static int by_door(const void *a, const void *b)
{
	const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;
	int r = (x->netns > y->netns) - (x->netns < y->netns);

	r = r ? r : (x->local_port > y->local_port) - (x->local_port < y->local_port);
	r = r ? r : (x->local.family > y->local.family) - (x->local.family < y->local.family);
	r = r ? r : memcmp(x->local.b, y->local.b, sizeof(x->local.b));
	return r ? r : (x->local.scope > y->local.scope) - (x->local.scope < y->local.scope);
}

static int mark_by_doors(struct flowset *set, const struct selection *sel)
{
	_free_ const struct flow **doors = calloc(sel->flows.n + 1, sizeof(*doors));
	size_t n = 0;

	if (!doors)
		return -ENOMEM;
	for (size_t i = 0; i < sel->flows.n; i++)
		if (sel->flows.v[i].transport && sel->flows.v[i].session >= 0)
			doors[n++] = &sel->flows.v[i];
	if (n)
		qsort(doors, n, sizeof(*doors), by_door);
	for (size_t i = 0; i < set->n && n; i++) {
		const struct flow *f = &set->v[i];

		set->v[i].waiting |= may_wait(f) && bsearch(&f, doors, n, sizeof(*doors), by_door);
	}
	return 0;
}

/* What has not been decided, by the ports it came in at. */
static int add_ports(const struct flowset *set, struct filter *f)
{
	_free_ bool *seen = calloc(UINT16_MAX + 1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		uint16_t port = set->v[i].local_port;

		if (!may_wait(&set->v[i]) || set->v[i].waiting || seen[port])
			continue;
		seen[port] = true;
		if (grow(&f->local_ports.v, &f->local_ports.cap, f->local_ports.n + 1, sizeof(*f->local_ports.v)) < 0)
			return -ENOMEM;
		f->local_ports.v[f->local_ports.n++] = (struct port_range){ port, port };
	}
	return 0;
}

/* The sessions that came in there may be others than those that were asked for. */
static int look_at_doors(struct job *j)
{
	_cleanup_(filter_clear) struct filter f = {
		.named = 1u << SEL_LOCAL_PORT,
		.protos = 1u << PROTO_TCP | 1u << PROTO_MPTCP,
		.states = STATES_DEFAULT & ~(1u << STATE_CLOSE),
		.transport_only = true,
	};
	_cleanup_(selection_clear) struct selection doors = { 0 };
	int r = add_ports(&j->frozen.flows, &f);

	if (r < 0 || !f.local_ports.n)
		return r;
	r = look_aside(j, &f, &doors);
	return r < 0 ? r : mark_by_doors(&j->frozen.flows, &doors);
}

/* ---- the way that who accepted it is made ---- */

/* A root process that keeps the connection, and a child of it that holds it too and can do nothing but talk. */
static bool is_spoken_for(const struct flow *f, const struct people *p)
{
	const struct holder_set *sets = p->holders->sets;

	for (uint32_t s = flow_holders(f, p); s; s = sets[s].parent) {
		const struct proc *keeper = &p->procs->v[sets[s].proc];

		for (uint32_t t = keeper->uid ? 0 : flow_holders(f, p); t; t = sets[t].parent) {
			const struct proc *speaker = &p->procs->v[sets[t].proc];

			if (speaker->ppid == keeper->pid && speaker->uid && process_is_shut_in(speaker->pid, keeper->pid))
				return true;
		}
	}
	return false;
}

int waiting_find(struct job *j)
{
	struct flowset *set = &j->frozen.flows;
	int r = mark_by_doors(set, &j->frozen);

	for (size_t i = 0; i < set->n && r == 0; i++)
		set->v[i].waiting |= may_wait(&set->v[i]) && is_spoken_for(&set->v[i], &j->frozen.people);
	return r == 0 && j->filter.named ? look_at_doors(j) : r;
}
