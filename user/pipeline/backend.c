// SPDX-License-Identifier: LGPL-2.1-or-later
/* backend.c - where a relay leads. Who holds more than one connection of a kind may pass any of them on to any other: of those
 * nothing is said. */
#include "pipeline/aside.h"

/* What one process holds. */
struct tally {
	uint32_t in, out, unclear;
	bool asked, whole; /* about all that it holds; and that is all */
	const struct flow *last_in, *last_out;
};

static struct tally *tally_make(const struct selection *sel)
{
	struct tally *v = calloc(sel->owners.procs.n + 1, sizeof(*v));
	const struct holder_set *sets = sel->owners.holders.sets;

	for (size_t i = 0; v && i < sel->flows.n; i++) {
		const struct flow *f = &sel->flows.v[i];

		if (f->state == STATE_CLOSE || f->subflow)
			continue; /* it has no peer, or is counted as the connection it is a part of */
		for (uint32_t s = flow_holders(f, &sel->people); s; s = sets[s].parent) {
			struct tally *t = &v[sets[s].proc];

			t->in += f->direction == DIR_IN;
			t->out += f->direction == DIR_OUT;
			t->unclear += f->direction == DIR_UNKNOWN;
			if (f->direction == DIR_IN)
				t->last_in = f;
			else
				t->last_out = f;
		}
	}
	return v;
}

/* Whether all that a process holds is sure to be seen. */
static bool sees_all(const struct selection *sel)
{
	return !sel->incomplete && !sel->owners.no_procs && !sel->owners.hidden_fds;
}

static bool may_be_relay(const struct tally *t)
{
	return t->in == 1 && t->out <= 1 && !t->unclear;
}

/* What carries a session is no relay, whatever is forwarded through it. */
static bool may_lead_on(const struct flow *f)
{
	return f->direction == DIR_IN && !f->subflow && !(f->transport && f->session >= 0);
}

/* A program that talks to itself holds both ends. */
static bool are_ends_of_one(const struct flow *a, const struct flow *b)
{
	return a->local_port == b->remote_port && b->local_port == a->remote_port && addr_equal(&a->local, &b->remote) &&
	       addr_equal(&b->local, &a->remote);
}

/* Several processes may hold both; none of them may hold anything else. */
static const struct flow *backend_of(const struct flow *f, const struct people *p, const struct tally *of)
{
	const struct holder_set *sets = p->holders->sets;
	const struct flow *back = NULL;

	for (uint32_t s = flow_holders(f, p); s; s = sets[s].parent) {
		const struct tally *t = &of[sets[s].proc];

		if (!t->whole || !may_be_relay(t) || (back && t->out && t->last_out != back))
			return NULL;
		if (t->out)
			back = t->last_out;
	}
	/* One that was opened before, for all that would come, is a connection of the service's own. */
	for (uint32_t s = back ? flow_holders(back, p) : 0; s; s = sets[s].parent)
		if (!of[sets[s].proc].whole || !may_be_relay(&of[sets[s].proc]) || of[sets[s].proc].last_in != f)
			return NULL;
	return back && !are_ends_of_one(f, back) ? back : NULL;
}

static void match(struct job *j, const struct selection *all, const struct tally *of)
{
	struct flowset *set = &j->frozen.flows;

	for (size_t i = 0; i < set->n; i++) {
		const struct flow *f = may_lead_on(&set->v[i]) ? flowset_find(&all->flows, &set->v[i]) : NULL;
		const struct flow *back = f ? backend_of(f, &all->people, of) : NULL;

		/* Who may see only what is his may see this only where it is. */
		if (back && (!j->access->may || (back->login_uid == f->login_uid && back->shared_with == ID_UNSET)))
			set->v[i].backend = back;
	}
}

/* The processes that may be a relay's, as far as the flows show that were asked for. */
static int add_pids(const struct selection *sel, struct tally *of, struct ids *ret)
{
	const struct holder_set *sets = sel->owners.holders.sets;
	int r = 0;

	for (size_t i = 0; i < sel->flows.n && r == 0; i++) {
		uint32_t set = may_lead_on(&sel->flows.v[i]) ? flow_holders(&sel->flows.v[i], &sel->people) : 0, s;

		for (s = set; s && may_be_relay(&of[sets[s].proc]);)
			s = sets[s].parent;
		for (s = s ? 0 : set; s && r == 0; s = sets[s].parent) {
			if (!of[sets[s].proc].asked)
				r = ids_add(ret, sel->owners.procs.v[sets[s].proc].pid);
			of[sets[s].proc].asked = true;
		}
	}
	ids_sort(ret);
	return r;
}

/* Whose sockets are all among the flows, each of them. A listener, or what talks to anyone, is none, and may bring it more. */
static int find_whole(struct job *j, const struct ids *pids, const struct proctab *procs, struct tally *of)
{
	struct owner_scope scope = { .pids = pids->v, .n_pids = pids->n };
	_cleanup_(owners_clear) struct owners o = { .bpf = j->source->bpf, .bpf_err = j->source->bpf_err };
	int r = j->source->ops->holders(j->source, &o, &scope);
	_free_ uint32_t *sockets = r < 0 ? NULL : calloc(o.procs.n + 1, sizeof(*sockets));

	if (r < 0 || !sockets)
		return r < 0 ? r : -ENOMEM;
	for (size_t i = 0; i < o.holders.n_slots; i++)
		for (uint32_t s = o.holders.slots[i].key ? o.holders.slots[i].set : 0; s; s = o.holders.sets[s].parent)
			sockets[o.holders.sets[s].proc]++;
	for (size_t i = 0; i < procs->n; i++) {
		int32_t at = ids_has(pids, procs->v[i].pid) ? proctab_find(&o.procs, procs->v[i].pid) : -1;

		of[i].whole = at >= 0 && o.procs.v[at].start == procs->v[i].start && sockets[at] == of[i].in + of[i].out;
	}
	return 0;
}

/* All flows that those processes hold, where others were asked for. */
static int look_at_them(struct job *j, const struct ids *pids, struct tally **ret)
{
	struct filter f = {
		.named = 1u << SEL_PID,
		.pids = *pids, /* borrowed */
		.protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP,
		.states = STATES_DEFAULT,
		.holders = true,
	};
	int r = look_aside(j, &f, &j->after);

	if (r < 0)
		return r;
	free(*ret);
	*ret = tally_make(&j->after);
	return *ret ? 0 : -ENOMEM;
}

int backends_find(struct job *j)
{
	bool some = j->filter.named || j->access->may;
	const struct selection *all = some ? &j->after : &j->frozen;
	_free_ struct tally *of = NULL;
	struct ids pids = { 0 };
	int r = 0;

	if (!sees_all(&j->frozen))
		return 0;
	of = tally_make(&j->frozen);
	r = of ? add_pids(&j->frozen, of, &pids) : -ENOMEM;
	if (r == 0 && pids.n && some)
		r = look_at_them(j, &pids, &of);
	if (r == 0 && pids.n && sees_all(all))
		r = find_whole(j, &pids, &all->owners.procs, of);
	if (r == 0 && pids.n && sees_all(all))
		match(j, all, of);
	free(pids.v);
	return r;
}
