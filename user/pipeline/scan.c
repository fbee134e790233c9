// SPDX-License-Identifier: LGPL-2.1-or-later
/* scan.c - the source that needs nothing: it reads the sockets of every namespace and who holds them.
 *
 * The sockets are many, the matches few. So where people are named, the first pass over the holders asks only what
 * people with a log-in user, or those named, hold; each socket is judged by that as it passes by; and only of those
 * that may match are all holders asked for, which settles whose they are. */
#include "kernel/sockets.h"
#include "names/sessions.h"
#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "pipeline/select.h"

#include <string.h>

/* Dumps namespaces from number `from` on. One that went away meanwhile has no flows any more. */
static int dump_from(struct source *s, size_t from, struct select *l)
{
	struct filter wide = *l->filter; /* a victim may be in another state by now */

	wide.states |= STATES_DEFAULT;
	for (size_t i = from; i < s->netns.n; i++) {
		struct netns *ns = &s->netns.v[i];
		int r;

		if (!ns->nl || (filter_names(l->filter, SEL_NETNS) && !ids_has(&l->filter->netns, ns->inode)))
			continue;
		l->ns = ns;
		r = sockets_dump(ns, l->frozen ? &wide : l->filter, select_dumped, l);
		if (r < 0)
			return r;
		if (r > 0) {
			l->sel->incomplete = true;
			note(&s->notes, "the kernel kept interrupting the listing of network namespace %u", ns->inode);
		}
	}
	return 0;
}

/* Namespaces that only a held socket leads to. */
static void add_held(struct source *s, const struct owners *o, const struct filter *f)
{
	for (size_t i = 0; i < o->n_held; i++)
		netns_add_held(&s->netns, &o->held[i], f);
}

static int read_holders(struct source *s, struct selection *sel, struct owner_scope *scope,
			const struct filter *f)
{
	_free_ uint32_t *known = calloc(s->netns.n + 1, sizeof(*known));
	int r;

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < s->netns.n; i++)
		known[i] = s->netns.v[i].inode;
	scope->known = known;
	scope->n_known = s->netns.n;
	r = owners_read_holders(&sel->owners, scope);
	sel->people.by_inode = sel->owners.by_inode;
	if (r == 0)
		add_held(s, &sel->owners, f);
	return r;
}

/* What the people hold who are named, or whose log-in user settles the matter. */
static int read_likely_holders(struct source *s, struct select *l)
{
	const struct proctab *procs = &l->sel->owners.procs;
	_free_ bool *likely = calloc(procs->n + 1, sizeof(*likely));
	struct owner_scope scope = { .procs = likely };

	if (!likely)
		return -ENOMEM;
	for (size_t i = 0; i < procs->n; i++)
		likely[i] = filter_cares_for(l->filter, &l->sel->people, &procs->v[i]);
	l->people = true;
	return read_holders(s, l->sel, &scope, l->filter);
}

/* All holders of the matches, and of the handles that were asked for by name: they may turn out to be other sockets. */
static int read_matched_holders(struct source *s, struct select *l)
{
	const struct flow_ids *ids = &l->filter->flows;
	struct flowset *set = &l->sel->flows;
	_free_ uint64_t *wanted = calloc(set->n + ids->n + 1, sizeof(*wanted));
	struct owner_scope scope = { .wanted = wanted, .n_wanted = set->n + ids->n };

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		wanted[i] = set->v[i].cookie;
	for (size_t i = 0; i < ids->n; i++)
		wanted[set->n + i] = ids->v[i].cookie;
	return read_holders(s, l->sel, &scope, l->filter);
}

/* A pass over every descriptor of the host costs as much as the rest together. It is spared where its three uses are:
 * names to show, namespaces to find, and owners whose descriptors are needed. */
static bool may_be_lean(const struct select *l)
{
	const struct flowset *set = &l->sel->flows;

	if (!l->sel->lean || !owners_proc_visible() || filter_needs_people(l->filter) || filter_names(l->filter, SEL_FLOW) ||
	    !filter_names(l->filter, SEL_NETNS))
		return false;
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].proto == PROTO_MPTCP)
			return false;
	return true;
}

/* What we, those who started us and the processes of our session hold: /proc shows that at once, or else the whole pass must. */
static int read_own_holders(struct source *s, struct select *l)
{
	struct owners *o = &l->sel->owners;
	_free_ bool *own = calloc(o->procs.n + 1, sizeof(*own));
	int32_t self = proctab_find(&o->procs, getpid());
	size_t n = 0;
	int r;

	if (!own)
		return -ENOMEM;
	for (size_t i = 0; i < o->procs.n && self >= 0 && o->procs.v[self].session >= 0; i++)
		own[i] = o->procs.v[i].session == o->procs.v[self].session;
	for (int32_t i = self; i >= 0 && o->procs.v[i].pid > 1 && n++ < o->procs.n;
	     i = proctab_find(&o->procs, o->procs.v[i].ppid))
		own[i] = true;
	r = owners_proc_holders(o, own);
	if (r == 0 && o->hidden_fds) {
		o->hidden_fds = 0;
		holders_clear(&o->holders);
		return read_matched_holders(s, l);
	}
	o->by_inode = l->sel->people.by_inode = true;
	return r;
}

static int select_flows(struct source *s, struct select *l)
{
	struct flowset *set = &l->sel->flows;
	size_t known = 0;
	int r = 0;

	/* The pass over the holders may show a namespace that had to be dumped too. */
	for (;;) {
		if (filter_names_people(l->filter))
			r = read_likely_holders(s, l);
		if (r == 0)
			r = dump_from(s, known, l);
		if (r < 0)
			return r;
		known = s->netns.n;
		if (l->frozen && !set->n)
			return 0; /* a second look that found nobody new */
		r = may_be_lean(l) ? read_own_holders(s, l) : read_matched_holders(s, l);
		if (r < 0)
			return r;
		if (s->netns.n == known)
			break;
	}
	select_attribute(l);
	return 0;
}

static int scan_select(struct source *s, const struct filter *f, struct flowset *frozen, struct selection *ret)
{
	struct select l = { .filter = f, .frozen = frozen, .sel = ret };
	int r;

	ret->owners.bpf = s->bpf;
	ret->owners.bpf_err = s->bpf_err;
	r = owners_read_procs(&ret->owners);
	if (r < 0)
		return r;
	r = sessions_read(&ret->owners.procs, &ret->sessions);
	if (r < 0)
		return r;
	ret->people = (struct people){
		.procs = &ret->owners.procs,
		.sessions = &ret->sessions,
		.holders = &ret->owners.holders,
		.by_inode = ret->owners.by_inode,
	};
	r = netns_discover(&s->netns, &ret->owners.procs, f);
	if (r < 0)
		return r;
	r = select_flows(s, &l);
	if (r == 0)
		coverage_account(s, f, ret);
	return r;
}

static int scan_holders(struct source *s, struct owners *o, struct owner_scope *scope)
{
	int r = owners_read_procs(o);

	(void)s;
	return r < 0 ? r : owners_read_holders(o, scope);
}

static void scan_close(struct source *s)
{
	source_clear(s);
	owners_bpf_close(s->bpf);
	free(s);
}

static const struct source_ops scan_ops = { .select = scan_select, .holders = scan_holders, .close = scan_close };

int scan_open(struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->ops = &scan_ops;
	s->bpf_err = owners_bpf_open(&s->bpf);
	*ret = s;
	return 0;
}

static int open_scan(void *arg, struct source **ret)
{
	(void)arg;
	return scan_open(ret);
}

const struct access access_direct = { .open = open_scan };
