// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_kernel.c - what the kernel tells of fences, and the network namespaces they hold in. */
#include "daemon/fencing_parts.h"
#include "daemon/people.h"
#include "kernel/netns.h"

#define DRAIN_MAX 256
#define TOLD_NS UINT64_C(1000000000)

int fencing_fd(const struct fencing *f)
{
	const struct fences *kernel = __atomic_load_n(&f->kernel, __ATOMIC_ACQUIRE);

	return kernel ? fence_fd(kernel) : -1;
}

/* One a second of each of ours, which may be many of the kernel's. */
static int on_hit(const struct sever_fence_hit *h, void *arg)
{
	struct fencing *f = arg;
	struct standing *s = fencing_find(f, h->fence >> FENCE_ID_BITS);

	if (!s || (s->told_ns && h->time < s->told_ns + TOLD_NS))
		return 0;
	s->told_ns = h->time;
	fencing_tell(f, EVENT_FENCE_HIT, fencing_show(f, s), 0);
	return 0;
}

bool fencing_drain(struct fencing *f)
{
	if (pthread_mutex_trylock(&f->lock) != 0)
		return false;
	if (f->kernel)
		fence_drain(f->kernel, DRAIN_MAX, on_hit, f);
	pthread_mutex_unlock(&f->lock);
	return true;
}

/* Adds what is not attached yet to the namespaces that the filter names. With the lock. */
static int find_new(const struct fencing *f, const struct netns_table *t, const struct owners *o, struct filter *ret)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++)
		if (!fence_attached(f->kernel, t->v[i].inode))
			r = ids_add(&ret->netns, t->v[i].inode);
	for (size_t i = 0; i < o->n_held && r == 0; i++)
		if (!fence_attached(f->kernel, o->held[i].inode))
			r = ids_add(&ret->netns, o->held[i].inode);
	ids_sort(&ret->netns);
	return r;
}

/* One that has gone meanwhile cannot be entered, and need not be. */
static int attach_all(struct fencing *f, const struct netns_table *t, struct ids *ret_new, bool *ret_failed)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++) {
		const struct netns *ns = &t->v[i];
		_close_ int fd = ns->nl ? netns_of_socket(nl_fd(ns->nl)) : -1;
		int done = fd >= 0 ? fence_attach(f->kernel, fd, NULL) : ns->nl ? fd : 0;

		*ret_failed |= done < 0;
		if (fd >= 0 && done == 0)
			r = ids_add(ret_new, ns->inode);
	}
	ids_sort(ret_new);
	return r;
}

/* Only those that are named are entered: the first pass names none, and so shows which there are. */
static int enter_new(const struct owners *o, const struct filter *only, struct netns_table *t)
{
	int r = netns_discover(t, &o->procs, only);

	for (size_t i = 0; i < o->n_held && r == 0 && only->netns.n; i++)
		r = netns_add_held(t, &o->held[i], only);
	return r;
}

static bool any_shut(const struct netns_table *t, const struct filter *named)
{
	for (size_t i = 0; i < t->n; i++)
		if (ids_has(&named->netns, t->v[i].inode) && !t->v[i].nl && t->v[i].err != -ENOENT && t->v[i].err != -ESTALE)
			return true;
	return false;
}

/* Where not all processes are seen there may be others. */
static bool is_there(const struct fencing *f, const struct netns_table *t, const struct owners *o, uint32_t inode)
{
	bool found = o->hidden_netns || o->no_procs || o->confined || o->filtered || netns_find(t, inode) ||
		     (f->kernel && fence_attached(f->kernel, inode));

	for (size_t i = 0; i < o->n_held && !found; i++)
		found = o->held[i].inode == inode;
	return found;
}

int fencing_check_netns(struct fencing *f, const struct filter *filter, const char **ret_missing, char *err)
{
	const struct filter none = { .named = 1u << SEL_NETNS };
	struct netns_table there = { 0 };
	struct selection sel = { 0 };
	int r = filter->netns.n && f->live ? people_read(f->live, &sel) : 0;

	if (r == 0 && filter->netns.n && f->live)
		r = people_read_holders(f->live, NULL, 0, NULL, &sel);
	if (r == 0 && filter->netns.n)
		r = enter_new(&sel.owners, &none, &there);
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < filter->netns.n && r == 0; i++)
		if (!is_there(f, &there, &sel.owners, filter->netns.v[i])) {
			*ret_missing = "netns";
			r = fail(-ESRCH, err, "no such network namespace: %ju", (uintmax_t)filter->netns.v[i]);
		}
	pthread_mutex_unlock(&f->lock);
	netns_clear(&there);
	selection_clear(&sel);
	return r;
}

/* What s still names. One that came with a fence put up since the last look began may be newer than what was seen. */
static int find_left(const struct fencing *f, const struct standing *s, const struct netns_table *t, const struct owners *o,
		     struct ids *ret)
{
	const struct ids *all = &s->target.filter.netns;
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++)
		if (!fence_gone(f->kernel, all->v[i]) && (s->since_ns >= f->looked || is_there(f, t, o, all->v[i])))
			r = ids_add(ret, all->v[i]);
	return r;
}

/* 1: there was something to drop. */
static int drop_gone(struct fencing *f, struct standing *s, const struct netns_table *t, const struct owners *o)
{
	struct fence_target to = s->target;
	struct ids old = to.filter.netns, *spare = &to.filter.netns;
	int r;

	to.filter.netns = (struct ids){ 0 };
	r = find_left(f, s, t, o, &to.filter.netns);
	if (r == 0 && to.filter.netns.n < old.n) {
		r = fencing_rename(f, s, &to);
		spare = r == 0 ? &old : spare;
		r = r == 0 ? 1 : r;
	}
	free(spare->v);
	return r;
}

/* The number of a namespace that is gone is given again at once. One that was attached is told from the next of its
 * number by the look after; until then what goes out from that next one is refused, too. One that was never attached
 * is not told from it, if no look fell between the two. With the lock. */
static int drop_all_gone(struct fencing *f, const struct netns_table *t, const struct owners *o)
{
	bool changed = false;
	int r = 0;

	for (size_t i = 0; i < f->all.n && r >= 0; i++) {
		r = drop_gone(f, f->all.v[i], t, o);
		changed |= r > 0;
	}
	if (changed)
		fencing_restore(f);
	return r < 0 ? r : 0;
}

void fencing_attach_again(struct fencing *f, const struct ids *netns)
{
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < netns->n; i++)
		if (ids_add(&f->fresh, netns->v[i]) < 0)
			break;
	pthread_mutex_unlock(&f->lock);
}

/* With the lock. */
static int hand_over_fresh(struct fencing *f, struct ids *ret)
{
	int r = 0;

	for (; f->fresh.n && r == 0; f->fresh.n--)
		r = ids_add(ret, f->fresh.v[f->fresh.n - 1]);
	ids_sort(ret);
	return r;
}

int fencing_attach(struct fencing *f, const struct owners *o, struct ids *ret_new)
{
	struct filter named = { .named = 1u << SEL_NETNS };
	struct netns_table there = { 0 }, fresh = { 0 };
	uint64_t begun = clock_ns(CLOCK_BOOTTIME);
	bool failed = false;
	int r = __atomic_load_n(&f->kernel, __ATOMIC_ACQUIRE) ? enter_new(o, &named, &there) : -EOPNOTSUPP;

	if (r == 0) {
		pthread_mutex_lock(&f->lock);
		/* In this order: what dies meanwhile is not attached anew before it was dropped. */
		r = find_new(f, &there, o, &named);
		if (r == 0)
			r = drop_all_gone(f, &there, o);
		if (r == 0)
			fence_prune(f->kernel);
		f->looked = begun;
		pthread_mutex_unlock(&f->lock);
	}
	if (r == 0 && named.netns.n)
		r = enter_new(o, &named, &fresh);
	if (r == 0) {
		pthread_mutex_lock(&f->lock);
		r = attach_all(f, &fresh, ret_new, &failed);
		f->uncovered = failed || any_shut(&fresh, &named);
		if (r == 0)
			r = hand_over_fresh(f, ret_new);
		pthread_mutex_unlock(&f->lock);
	}
	netns_clear(&there);
	netns_clear(&fresh);
	filter_clear(&named);
	return r;
}
