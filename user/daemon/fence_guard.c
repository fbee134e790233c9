// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_guard.c - what no fence does although it was asked for. */
#include "daemon/fencing_parts.h"
#include "daemon/source_index.h"
#include "pipeline/guard.h"

#include <string.h>

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_match(a, 0, &b->addr) : prefix_match(b, 0, &a->addr);
}

static const struct prefix *hit_by(const struct fencing *f, const struct prefix *p)
{
	for (size_t i = 0; i < f->protect.n; i++)
		if (!p || overlap(p, &f->protect.v[i]))
			return &f->protect.v[i];
	return NULL;
}

/* Of people what comes from there is left alone, see fencing_matches(); and what goes out is not meant. */
static const struct prefix *find_protected(const struct fencing *f, const struct filter *filter)
{
	const struct prefixes *from = filter_names(filter, SEL_CLIENT) ? &filter->clients : &filter->peers;
	const struct prefix *hit = NULL;

	if (filter_names_people(filter) || filter_names(filter, SEL_REMOTE_PORT))
		return NULL;
	if (!from->n)
		return hit_by(f, NULL);
	for (size_t i = 0; i < from->n && !hit; i++)
		hit = hit_by(f, &from->v[i]);
	return hit;
}

static int check_protected(struct fencing *f, const struct filter *filter, char *err)
{
	const struct prefix *hit;
	char text[ADDR_STRLEN];
	unsigned int len;

	pthread_rwlock_rdlock(&f->match_lock);
	hit = find_protected(f, filter);
	if (hit) {
		addr_format(&hit->addr, text);
		len = hit->len;
	}
	pthread_rwlock_unlock(&f->match_lock);
	return hit ? fail(-ECANCELED, err, "refused: that would keep out %s/%u, which severd.conf protects", text, len) : 0;
}

/* Whether a connection of the caller's own is among those that it is about. Where that comes from an address that is named, the
 * port does not matter: the next one may go to another. */
static int find_own(struct live *live, const struct request *req, const struct filter *filter, bool *ret_orphaned,
		    char ret[ADDR_STRLEN])
{
	struct selection sel = { 0 };
	struct filter wide = *filter;
	struct source *source = NULL;
	bool hidden = false;
	int r;

	if (filter->named & (1u << SEL_CLIENT | 1u << SEL_PEER)) {
		wide.named &= ~(1u << SEL_LOCAL_PORT | 1u << SEL_PROTO);
		wide.protos = ~0u;
	}
	r = source_of_all(live, req->caller, 0, false, wide.protos & 1u << PROTO_UDP, &source);
	if (r == 0)
		r = source->ops->select(source, &wide, NULL, &sel);
	if (r == 0)
		r = guard_find_self(&sel, req->caller, ret_orphaned, &hidden);
	/* Who has no pid here is not to be seen either, and we are not he. */
	*ret_orphaned |= hidden || !req->caller;
	for (size_t i = 0; i < sel.flows.n && r == 0 && !*ret; i++)
		if (sel.flows.v[i].self)
			addr_format(&sel.flows.v[i].remote, ret);
	selection_clear(&sel);
	source_close(source);
	return r;
}

static int check_self(struct fencing *f, const struct request *req, const struct filter *filter, char *err)
{
	char from[ADDR_STRLEN] = "";
	bool orphaned = false;
	int r = find_own(f->live, req, filter, &orphaned, from);

	if (r < 0)
		return fail(r, err, "whether your own connection is among them could not be found out: %s", strerrordesc_np(-r));
	if (*from)
		return fail(-ECANCELED, err, "refused: that would keep out yourself, who come from %s; --include-self does it all "
					     "the same", from);
	if (orphaned)
		return fail(-ECANCELED, err, "refused: not all processes that started this one, nor all they hold, can be seen, so "
					     "whether it would keep out yourself is not known; --include-self does it all the same");
	return 0;
}

int fence_guard(struct fencing *f, const struct request *req, const struct filter *filter, enum guard *ret, char *err)
{
	int r = 0;

	if (!req->yes && guard_means_everyone(filter, req)) {
		*ret = GUARD_ALL;
		return fail(-ECANCELED, err, "refused: that is everyone; confirm it with --yes");
	}
	r = check_protected(f, filter, err);
	if (r < 0) {
		*ret = GUARD_PROTECT;
		return r;
	}
	if (f->live && !req->include_self)
		r = check_self(f, req, filter, err);
	if (r == -ECANCELED)
		*ret = GUARD_SELF;
	return r;
}
