// SPDX-License-Identifier: LGPL-2.1-or-later
/* search.c - candidates come from the index by the selector that leaves the fewest; how they are judged is the same as in a scan. */
#include "daemon/search.h"

#include <string.h>
#include <sys/socket.h>

#define PEOPLE (1u << SEL_USER | 1u << SEL_SESSION | 1u << SEL_PID | 1u << SEL_CGROUP | 1u << SEL_UNIT)

/* Who opened it holds it, as far as we know, if it is still there. */
static int add_opener(struct search *q, const struct entry *e)
{
	struct selection *sel = q->select.sel;
	int32_t proc = e->pid ? proctab_find(&sel->owners.procs, e->pid) : -1;

	if (proc < 0 || sel->owners.procs.v[proc].start != e->start || sel->people.by_inode)
		return 0;
	if (!q->late)
		return holders_add(&sel->owners.holders, e->cookie, proc);
	if (grow(&q->openers, &q->cap_openers, q->n_openers + 1, sizeof(*q->openers)) < 0)
		return -ENOMEM;
	q->openers[q->n_openers++] = (struct opener){ e->cookie, proc };
	return 0;
}

/* ---- candidates ---- */

void search_birth(const struct search *q, const struct entry *e, struct flow *f)
{
	uint64_t age = e->birth < q->now ? (q->now - e->birth) / 1000000 : 0;

	if (e->flags & SEVER_FLOW_ADOPTED)
		return;
	f->since = q->boot + e->birth / 1000;
	f->min_age_ms = age < UINT32_MAX ? age : UINT32_MAX; /* 49 days */
}

/* What the kernel's map says of it now: a call of the kernel for each, which who only cuts can do without. -ENOENT: it has just
 * ended. */
static int read_now(const struct search *q, const struct entry *e, struct flow *ret)
{
	struct sever_flow now;
	int r;

	if (q->states || e->flags & SEVER_FLOW_PENDING) {
		r = track_read(q->live->track, e->cookie, &now);
		if (r < 0)
			return r;
		now.direction = e->direction; /* which the map may not know */
		track_to_flow(e->cookie, &now, ret);
	}
	ret->tracked = true;
	if (!e->unsure)
		ret->uid = e->uid;
	search_birth(q, e, ret);
	return 0;
}

static int add_netns(struct search *q, uint32_t inode)
{
	return q->netns.n && q->netns.v[q->netns.n - 1] == inode ? 0 : ids_add(&q->netns, inode);
}

/* What a service accepted has its uid only when it was asked for. */
static bool wants_uid(const struct search *q, const struct entry *e)
{
	return e->unsure && filter_names(q->select.filter, SEL_USER) && !q->select.filter->any_people;
}

static int on_candidate(struct search *q, const struct entry *e)
{
	struct flow f;
	bool held;
	int r;

	if (filter_names(q->select.filter, SEL_NETNS) && !ids_has(&q->select.filter->netns, e->netns))
		return 0;
	if (e->flags & SEVER_FLOW_SUBFLOW) {
		q->mptcp = true;
		return add_netns(q, e->netns);
	}
	entry_to_flow(e, &f);
	if (!(e->flags & SEVER_FLOW_PENDING) && !select_zoned(&q->select) &&
	    filter_match_socket(&q->wide, NULL, &f) == MATCH_NO)
		return 0;
	held = flow_holders(&f, &q->select.sel->people);
	if (q->held_seen && held)
		return 0;
	r = read_now(q, e, &f);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!f.local_port && q->given)
		return 0; /* there is a look after this one */
	if (!f.local_port) {
		q->pending |= 1u << f.proto;
		return add_netns(q, e->netns);
	}
	r = add_opener(q, e);
	if (r == 0 && !q->given)
		r = add_netns(q, e->netns);
	if (r < 0)
		return r;
	r = flowset_add(wants_uid(q, e) ? &q->unsure : &q->found, &f);
	/* Two keys may lead to one flow. */
	q->n_settled += r > 0 && entry_is_unowned(e) && (held || filter_match_socket_owner(q->select.filter, &f));
	return r < 0 ? r : 0;
}

static int by_key(struct search *q, enum index_key k, uint64_t hash)
{
	const struct index *x = &q->live->index;
	const struct entry *next;
	int r = 0;

	for (const struct entry *e = index_first(x, k, hash); e && r >= 0; e = next) {
		next = index_next(x, k, e);
		index_fetch(next);
		r = on_candidate(q, e);
	}
	return r;
}

static int by_numbers(struct search *q, enum index_key k, const struct ids *ids)
{
	int r = 0;

	for (size_t i = 0; i < ids->n && r >= 0; i++)
		r = by_key(q, k, index_hash_number(ids->v[i]));
	return r;
}

static int by_addresses(struct search *q, const struct prefixes *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n && r >= 0; i++)
		r = by_key(q, KEY_REMOTE, index_hash_addr(&p->v[i].addr));
	return r;
}

/* Of each set of holders, whether somebody in it is meant: there are few, whatever they hold. */
static bool *mark_meant(const struct search *q)
{
	const struct holders *h = &q->select.sel->owners.holders;
	const struct people *p = &q->select.sel->people;
	bool *meant = calloc(h->n_sets + 1, sizeof(*meant));

	for (size_t i = 1; i < h->n_sets && meant; i++)
		meant[i] = !q->select.filter->any_people || meant[h->sets[i].parent] ||
			   filter_means_proc(q->select.filter, p, &p->procs->v[h->sets[i].proc]);
	return meant;
}

/* What is held by those that may be meant. */
static int by_holders(struct search *q)
{
	const struct holders *h = &q->select.sel->owners.holders;
	_free_ uint64_t *cookies = calloc(h->n_slots + 1, sizeof(*cookies));
	_free_ bool *meant = mark_meant(q);
	const struct entry *e;
	size_t n = 0;
	int r = 0;

	if (!cookies || !meant)
		return -ENOMEM;
	/* A copy: what is found adds to the holders. */
	for (size_t i = 0; i < h->n_slots; i++)
		if (h->slots[i].key && meant[h->slots[i].set])
			cookies[n++] = h->slots[i].key;
	for (size_t i = 0; i < n && r >= 0; i++) {
		e = index_find(&q->live->index, cookies[i]);
		r = e ? on_candidate(q, e) : 0;
	}
	return r;
}

/* Who holds an MPTCP connection holds none of the sockets below it. */
static int by_subflows(struct search *q)
{
	const struct index *x = &q->live->index;
	int r = 0;

	for (size_t i = 0; i < x->used && x->n_subflows && r == 0; i++)
		if (index_at(x, i) && index_at(x, i)->flags & SEVER_FLOW_SUBFLOW)
			r = on_candidate(q, index_at(x, i));
	return r;
}

/* What people hold, and what is theirs whoever holds it. */
static int by_people(struct search *q)
{
	const struct filter *f = q->select.filter;
	int r = by_holders(q);

	q->held_seen = !f->any_people;
	if (r >= 0)
		r = by_subflows(q);
	if (r >= 0)
		r = by_numbers(q, KEY_UID, &f->users);
	if (r >= 0 && filter_names(f, SEL_USER) && !f->any_people)
		r = by_key(q, KEY_UID, index_hash_number(ID_UNSET));
	if (r >= 0)
		r = by_numbers(q, KEY_CGROUP, &f->cgroups);
	if (r >= 0)
		r = by_numbers(q, KEY_CGROUP, &f->units);
	if (r >= 0 && filter_names(f, SEL_USER))
		q->select.sel->unattributed += q->live->index.n_unowned - q->n_settled;
	return r;
}

static bool are_hosts(const struct prefixes *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].len < (p->v[i].addr.family == AF_INET ? 32 : 128))
			return false;
	return p->n;
}

static bool are_single(const struct ranges *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].first != p->v[i].last)
			return false;
	return p->n;
}

static int by_ports(struct search *q, const struct ranges *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n && r >= 0; i++)
		r = by_key(q, KEY_PORT, index_hash_number(p->v[i].first));
	/* Those under way to a peer may have got their port since. */
	return r < 0 ? r : by_key(q, KEY_PORT, index_hash_number(0));
}

/* Whether the handle is that of a flow the index has, or had when it was selected: then it is nothing else. */
static bool is_ours(const struct search *q, const struct flow_id *id)
{
	const struct entry *e = index_find(&q->live->index, id->cookie);
	const struct flow like = { .cookie = id->cookie, .netns = id->netns, .proto = PROTO_TCP };
	const struct flow *known = q->select.frozen ? flowset_find(q->select.frozen, &like) : NULL;

	return (e && e->netns == id->netns && !(e->flags & SEVER_FLOW_SUBFLOW)) || (known && known->tracked && known->netns == id->netns);
}

static int by_handles(struct search *q, const struct flow_ids *ids)
{
	int r = 0;

	for (size_t i = 0; i < ids->n && r >= 0; i++) {
		q->n_open += !is_ours(q, &ids->v[i]);
		r = by_key(q, KEY_COOKIE, index_hash_number(ids->v[i].cookie));
	}
	return r;
}

static int by_everything(struct search *q)
{
	const struct index *x = &q->live->index;
	int r = 0;

	for (size_t i = 0; i < x->used && r >= 0; i++)
		r = index_at(x, i) ? on_candidate(q, index_at(x, i)) : 0;
	return r;
}

/* MPTCP victims are not in the index: the kernel says whether they are still there. */
static int add_frozen(struct search *q)
{
	const struct flowset *set = q->select.frozen;
	int r = 0;

	for (size_t i = 0; set && i < set->n && r == 0; i++)
		if (set->v[i].proto == PROTO_MPTCP) {
			q->mptcp = true;
			r = add_netns(q, set->v[i].netns);
		}
	return r;
}

int search_candidates(struct search *q)
{
	const struct filter *f = q->select.filter;
	int r = add_frozen(q);

	if (r < 0)
		return r;
	if (filter_names(f, SEL_FLOW))
		return by_handles(q, &f->flows);
	if (filter_names(f, SEL_CLIENT) && are_hosts(&f->clients))
		return by_addresses(q, &f->clients);
	if (filter_names(f, SEL_PEER) && are_hosts(&f->peers))
		return by_addresses(q, &f->peers);
	if (filter_names_people(f) && !(f->named & ~PEOPLE) && !q->select.sel->people.by_inode)
		return by_people(q);
	if (filter_names(f, SEL_LOCAL_PORT) && are_single(&f->local_ports))
		return by_ports(q, &f->local_ports);
	return by_everything(q);
}
