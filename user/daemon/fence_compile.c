// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/fence_compile.h"

#include <netinet/in.h>
#include <string.h>

#define BIT(kind) (1u << (kind))
#define USERS (BIT(SEL_USER) | BIT(SEL_SESSION))
#define CGROUPS (BIT(SEL_CGROUP) | BIT(SEL_UNIT))
#define PEOPLE (USERS | CGROUPS)

/* Sets to be combined; one that restricts nothing holds a single zero. */
struct draft {
	struct prefix *remotes;
	uint16_t local[FENCE_PORTS_MAX], remote[FENCE_PORTS_MAX];
	uint64_t *netns, none;
	size_t n_remotes, n_local, n_remote, n_netns;
	uint8_t protocol;
	uint64_t number, until;
	struct fence_list *to;
	char *err;
};

static int check_kinds(const struct filter *f, char *err)
{
	static const struct {
		enum sel kind;
		const char *why;
	} none[] = {
		{ SEL_PID, "a fence outlives processes; name the user, session, cgroup or unit" },
		{ SEL_FLOW, "a fence is for connections to come, and that is one there is" },
		{ SEL_STATE, "a fence is for connections to come, which have no state" },
		{ SEL_OLDER_THAN, "a fence is for connections to come, which have no age" },
	};
	unsigned int people = f->named & PEOPLE;

	for (size_t i = 0; i < array_size(none); i++)
		if (filter_names(f, none[i].kind))
			return fail(-EINVAL, err, "%s: %s", selector_option[none[i].kind], none[i].why);
	if (people & (people - 1))
		return fail(-EINVAL, err, "--user, --session, --cgroup and --unit: a fence is for one of these kinds");
	if (filter_names(f, SEL_REMOTE_PORT) && !people && filter_names(f, SEL_CLIENT))
		return fail(-EINVAL, err, "--client and --remote-port: the port of who comes in is not known beforehand");
	if (filter_names(f, SEL_REMOTE_PORT) && filter_names(f, SEL_LOCAL_PORT))
		return fail(-EINVAL, err, "--local-port and --remote-port: one of the two is never known beforehand");
	return 0;
}

static int set_protocol(struct draft *d, const struct filter *f)
{
	bool tcp = f->protos & 1u << PROTO_TCP, udp = f->protos & 1u << PROTO_UDP;

	if (!tcp && f->protos & 1u << PROTO_MPTCP)
		return fail(-EINVAL, d->err, "--proto mptcp: it begins as TCP does; a fence for tcp keeps out both");
	d->protocol = tcp && udp ? 0 : tcp ? IPPROTO_TCP : IPPROTO_UDP;
	return 0;
}

static int set_ports(const struct ranges *r, const char *option, uint16_t v[FENCE_PORTS_MAX], size_t *ret_n, char *err)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		for (uint32_t port = r->v[i].first; port <= r->v[i].last; port++) {
			if (n == FENCE_PORTS_MAX)
				return fail(-E2BIG, err, "%s: a fence is for at most %d ports", option, FENCE_PORTS_MAX);
			v[n++] = port;
		}
	if (!n)
		v[n++] = 0;
	*ret_n = n;
	return 0;
}

static bool covers(const struct prefix *wide, const struct prefix *narrow)
{
	return wide->len <= narrow->len && prefix_match(wide, 0, &narrow->addr);
}

static int check_zones(const struct prefixes *p, const char *option, char *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (*p->v[i].zone)
			return fail(-EINVAL, err, "%s: a fence does not tell one link from another; leave out %%%s", option,
				    p->v[i].zone);
	return 0;
}

/* What is both a client and a peer: of two prefixes one covers the other, or they have nothing in common. */
static int intersect(struct draft *d, const struct prefixes *a, const struct prefixes *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++) {
			const struct prefix *x = &a->v[i], *y = &b->v[k];

			if (d->n_remotes == FENCE_LIST_MAX)
				return fail(-E2BIG, d->err, "--client and --peer: more than %d addresses", FENCE_LIST_MAX);
			if (covers(x, y) || covers(y, x))
				d->remotes[d->n_remotes++] = covers(x, y) ? *y : *x;
		}
	return d->n_remotes ? 0 : fail(-EINVAL, d->err, "--client and --peer: no address is both");
}

static int set_remotes(struct draft *d, const struct filter *f)
{
	const struct prefixes *only = filter_names(f, SEL_CLIENT) ? &f->clients : &f->peers;
	bool both = filter_names(f, SEL_CLIENT) && filter_names(f, SEL_PEER);
	int r = check_zones(&f->clients, "--client", d->err);

	if (r == 0)
		r = check_zones(&f->peers, "--peer", d->err);
	if (r < 0)
		return r;
	if (!both && only->n > FENCE_LIST_MAX)
		return fail(-E2BIG, d->err, "more than %d addresses", FENCE_LIST_MAX);
	d->remotes = calloc(both ? FENCE_LIST_MAX : only->n + 1, sizeof(*d->remotes));
	if (!d->remotes)
		return -ENOMEM;
	if (both)
		return intersect(d, &f->clients, &f->peers);
	if (only->n)
		memcpy(d->remotes, only->v, only->n * sizeof(*only->v));
	d->n_remotes = only->n ?: 1;
	return 0;
}

static int add(struct draft *d, const struct fence *fence)
{
	struct fence_list *l = d->to;

	if (l->n == FENCE_LIST_MAX)
		return fail(-E2BIG, d->err, "that would be more than %d fences in the kernel", FENCE_LIST_MAX);
	if (grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v)) < 0)
		return -ENOMEM;
	l->v[l->n] = *fence;
	l->v[l->n].id = d->number << FENCE_ID_BITS | (l->n + 1);
	l->n++;
	return 0;
}

static int emit(struct draft *d, enum sever_fence_kind kind, uint64_t subject)
{
	const uint16_t *ports = kind == SEVER_FENCE_IN ? d->local : d->remote;
	size_t n_ports = kind == SEVER_FENCE_IN ? d->n_local : d->n_remote;
	struct fence one = { .until = d->until, .subject = subject, .kind = kind, .protocol = d->protocol };
	int r = 0;

	for (size_t i = 0; i < d->n_remotes && r == 0; i++)
		for (size_t k = 0; k < n_ports && r == 0; k++)
			for (size_t m = 0; m < d->n_netns && r == 0; m++) {
				one.remote = d->remotes[i];
				one.port = ports[k];
				one.netns = d->netns[m];
				r = add(d, &one);
			}
	return r;
}

static int emit_each(struct draft *d, enum sever_fence_kind kind, const struct ids *subjects)
{
	int r = 0;

	for (size_t i = 0; i < subjects->n && r == 0; i++)
		r = emit(d, kind, subjects->v[i]);
	return r;
}

static int emit_people(struct draft *d, const struct filter *f, const struct fence_subjects *s)
{
	int r = emit_each(d, SEVER_FENCE_OUT_LOGIN, &f->users);

	if (r == 0)
		r = emit_each(d, SEVER_FENCE_OUT_UID, &f->users);
	if (r == 0)
		r = emit_each(d, SEVER_FENCE_OUT_SESSION, &s->sessions);
	return r < 0 ? r : emit_each(d, SEVER_FENCE_OUT_CGROUP, &s->cgroups);
}

static int emit_all(struct draft *d, const struct filter *f, const struct fence_subjects *s)
{
	bool people = f->named & PEOPLE, local = filter_names(f, SEL_LOCAL_PORT);
	int r = 0;

	if (people)
		return local ? 0 : emit_people(d, f, s);
	if (!filter_names(f, SEL_REMOTE_PORT))
		r = emit(d, SEVER_FENCE_IN, 0);
	if (r == 0 && !local && !filter_names(f, SEL_CLIENT))
		r = emit(d, SEVER_FENCE_OUT, 0);
	return r;
}

static unsigned int notes_of(const struct filter *f)
{
	bool local = filter_names(f, SEL_LOCAL_PORT), out = f->named & PEOPLE || filter_names(f, SEL_PEER);
	unsigned int notes = 0;

	if (f->named & USERS)
		notes |= FENCE_NOTE_LATE;
	if (f->named & CGROUPS)
		notes |= FENCE_NOTE_CGROUP;
	return notes | (local && out ? FENCE_NOTE_NO_OUT : 0);
}

int fence_compile(const struct filter *f, const struct fence_subjects *s, uint64_t number, uint64_t until,
		  struct fence_list *ret, unsigned int *ret_notes, char *err)
{
	struct draft d = { .number = number, .until = until, .to = ret, .err = err };
	_free_ struct prefix *remotes = NULL;
	int r = check_kinds(f, err);

	if (r == 0)
		r = set_protocol(&d, f);
	if (r == 0)
		r = set_ports(&f->local_ports, "--local-port", d.local, &d.n_local, err);
	if (r == 0)
		r = set_ports(&f->remote_ports, "--remote-port", d.remote, &d.n_remote, err);
	if (r == 0)
		r = set_remotes(&d, f);
	remotes = d.remotes;
	d.netns = filter_names(f, SEL_NETNS) ? f->netns.v : &d.none;
	d.n_netns = filter_names(f, SEL_NETNS) ? f->netns.n : 1;
	if (r == 0)
		r = emit_all(&d, f, s);
	if (r == 0)
		*ret_notes = notes_of(f);
	return r;
}
