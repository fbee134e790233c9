// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/select.h"

/* Whether the flow is one that is known already; then it is only marked. */
static bool mark_frozen(struct flowset *frozen, const struct flow *f)
{
	struct flow *known = frozen ? flowset_find(frozen, f) : NULL;

	if (!known)
		return false;
	/* A destroyed UDP socket lives on without a peer; with one, its program has connected it again. */
	if (known->proto == PROTO_UDP && known->state == STATE_ESTABLISHED && known->outcome == OUT_DEAD)
		return f->state != STATE_ESTABLISHED;
	known->present |= flow_is_same(known, f);
	return true;
}

static bool wants(struct select *s, const struct flow *f)
{
	enum match m;

	if (mark_frozen(s->frozen, f))
		return false;
	m = filter_match_socket(s->filter, s->ns ? s->ns->zones : NULL, f);
	if (m == MATCH_NO)
		return false;
	if (s->people && !flow_holders(f, &s->sel->people) && !filter_match_socket_owner(s->filter, f)) {
		/* Accepted by a service, for nobody with a log-in: no user selector can judge it. */
		s->sel->unattributed += filter_names(s->filter, SEL_USER) && f->direction != DIR_OUT &&
					flow_uid_known(f) && f->state != STATE_CLOSE;
		return false;
	}
	/* Counted is only what matches otherwise: where people matter that is not known before it is known whose it is. */
	if (m == MATCH_UNKNOWN && filter_needs_people(s->filter))
		return true;
	s->sel->age_unknown += m == MATCH_UNKNOWN;
	return m == MATCH_YES;
}

int select_flow(struct select *s, const struct flow *f)
{
	int r = wants(s, f) ? flowset_add(&s->sel->flows, f) : 0;

	return r < 0 ? r : 0;
}

struct judge {
	struct select *select;
	const struct netns_table *netns;
};

static bool is_wanted(const struct flow *f, void *arg)
{
	const struct judge *j = arg;

	j->select->ns = netns_find(j->netns, f->netns);
	return wants(j->select, f);
}

/* Many are not copied, unless they are few of many: the selection stays for long. */
int select_set(struct select *s, const struct netns_table *netns, struct flowset *set)
{
	struct judge j = { s, netns };
	struct flowset *to = &s->sel->flows;
	int r = 0;

	flowset_filter(set, is_wanted, &j);
	if (!to->v && set->n > set->cap / 4) {
		*to = *set;
		*set = (struct flowset){ 0 };
	}
	for (size_t i = 0; i < set->n && r >= 0; i++)
		r = flowset_add(to, &set->v[i]);
	return r < 0 ? r : 0;
}

static bool name_zones(const struct prefixes *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].zone[0])
			return true;
	return false;
}

bool select_zoned(const struct select *s)
{
	return name_zones(&s->filter->clients) || name_zones(&s->filter->peers);
}

int select_dumped(const struct flow *f, void *arg)
{
	return select_flow(arg, f);
}

static bool belongs(const struct flow *f, void *arg)
{
	struct select *s = arg;
	struct selection *sel = s->sel;

	if (filter_match_people(s->filter, &sel->people, f)) {
		bool unproven = filter_age_unproven(s->filter, f);

		sel->age_unknown += unproven;
		return !unproven;
	}
	sel->unattributed += filter_names(s->filter, SEL_USER) && f->via == VIA_UID && f->direction != DIR_OUT &&
			     f->state != STATE_CLOSE && filter_match_but_user(s->filter, &sel->people, f);
	return false;
}

void select_attribute(struct select *s)
{
	struct flowset *set = &s->sel->flows;

	for (size_t i = 0; i < set->n; i++)
		flow_attribute(&set->v[i], &s->sel->people);
	flowset_filter(set, belongs, s);
}
