// SPDX-License-Identifier: LGPL-2.1-or-later
/* track_adopt.c - brings the map in line with the sockets that there are: those older than the programs are put in,
 * those whose end was lost are taken out. The programs go on meanwhile: a birth or an end of theirs is never undone. */
#include "kernel/iterator.h"
#include "kernel/sockets.h"
#include "kernel/track_parts.h"

#include <bpf/bpf.h>
#include <string.h>

/* A connect() is in no hash table yet for a moment after its flow was born. */
#define CONNECTING_NS 1000000000ull

static int walk(int prog)
{
	_close_ int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);

	return link < 0 ? -errno : iterator_run(link);
}

/* The iterators show the namespace of whoever opens them. */
static int in_netns(void *arg)
{
	const struct track *t = arg;
	int r = walk(t->part[PART_ADOPT_TCP]);

	return r < 0 || t->udp_err < 0 ? r : walk(t->part[PART_ADOPT_UDP]);
}

struct found {
	uint64_t cookie;
	struct sever_flow flow;
	bool alive;
};

struct founds {
	struct found *v;
	size_t n, cap;
	struct netns *ns; /* that were looked at */
	size_t n_ns;
	uint64_t now;
	uint16_t pass;
	struct track *track;
	track_flow_cb gone;
	void *arg;
};

static void founds_clear(struct founds *l)
{
	free(l->v);
}

static int keep(struct founds *l, uint64_t cookie, const struct sever_flow *f)
{
	int r = grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v));

	if (r == 0)
		l->v[l->n++] = (struct found){ .cookie = cookie, .flow = *f };
	return r;
}

static int adopt_all(struct track *t, const struct netns *ns, size_t n)
{
	int r;

	t->pass = t->pass == UINT16_MAX ? 1 : t->pass + 1;
	r = track_control(t);
	for (size_t i = 0; i < n && r == 0; i++)
		r = ns[i].nl ? netns_run(&ns[i], in_netns, (void *)t) : 0;
	return r;
}

int track_adopt(struct track *t, const struct netns *ns)
{
	return adopt_all(t, ns, 1);
}

static bool looked_at(const struct founds *l, uint32_t netns)
{
	for (size_t i = 0; i < l->n_ns; i++)
		if (l->ns[i].inode == netns)
			return l->ns[i].nl;
	return false;
}

/* Those the pass should have met and did not. */
static int on_unseen(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct founds *l = arg;
	uint64_t grace = f->flags & SEVER_FLOW_PENDING ? CONNECTING_NS : 0;

	if (f->seen == l->pass || f->birth + grace >= l->now || !looked_at(l, f->netns))
		return 0;
	return keep(l, cookie, f);
}

static int by_cookie(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

static int on_alive(const struct flow *f, void *arg)
{
	struct founds *l = arg;
	const struct found key = { .cookie = f->cookie };
	struct found *at = bsearch(&key, l->v, l->n, sizeof(*l->v), by_cookie);

	/* A closed connection may leave its cookie to a TIME_WAIT, which is shown in FIN_WAIT2 until the peer closes too. */
	if (at)
		at->alive = f->state != STATE_TIME_WAIT && f->state != STATE_CLOSE && (f->state != STATE_FIN_WAIT2 || f->inode);
	return 0;
}

/* An iterator may pass over a socket (TCP before 6.17), so each is asked for by its cookie. What is pending has no
 * address to ask by, and was not met: there is no such connection. */
static int ask(struct netns *ns, struct founds *l)
{
	_free_ struct flow *flows = calloc(l->n, sizeof(*flows));
	_free_ struct flow **v = calloc(l->n, sizeof(*v));
	size_t n = 0;

	if (!flows || !v)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		track_to_flow(l->v[i].cookie, &l->v[i].flow, &flows[i]);
		if (l->v[i].flow.netns == ns->inode && !(l->v[i].flow.flags & SEVER_FLOW_PENDING))
			v[n++] = &flows[i];
	}
	return n ? sockets_lookup(ns, v, n, on_alive, l) : 0;
}

/* The same socket may be connected anew by now: that flow is put back. */
static int take_out(const struct track *t, const struct found *f, track_flow_cb gone, void *arg)
{
	struct sever_flow was;

	if (bpf_map_lookup_and_delete_elem(t->part[PART_FLOWS], &f->cookie, &was) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (was.birth == f->flow.birth)
		return gone(f->cookie, &was, arg);
	if (bpf_map_update_elem(t->part[PART_FLOWS], &f->cookie, &was, BPF_NOEXIST) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* Asks for those that were kept, takes out which are not there any more, and keeps none. */
static int settle(struct founds *l)
{
	int r = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_cookie);
	for (size_t i = 0; i < l->n_ns && r >= 0 && l->n; i++)
		r = l->ns[i].nl ? ask(&l->ns[i], l) : 0;
	for (size_t i = 0; i < l->n && r >= 0; i++)
		r = l->v[i].alive ? 0 : take_out(l->track, &l->v[i], l->gone, l->arg);
	l->n = 0;
	return r;
}

static struct founds looking(struct track *t, struct netns *ns, size_t n, track_flow_cb gone, void *arg)
{
	return (struct founds){
		.ns = ns, .n_ns = n, .now = clock_ns(CLOCK_BOOTTIME), .track = t, .gone = gone, .arg = arg
	};
}

int track_sync(struct track *t, struct netns *ns, size_t n, track_flow_cb gone, void *arg)
{
	_cleanup_(founds_clear) struct founds l = looking(t, ns, n, gone, arg);
	int r = adopt_all(t, ns, n);

	l.pass = t->pass;
	if (r == 0)
		r = track_walk(t, on_unseen, &l);
	return r < 0 ? r : settle(&l);
}

#define AUDITED 4096 /* at once */

static int on_any(uint64_t cookie, const struct sever_flow *f, void *arg)
{
	struct founds *l = arg;
	int r;

	/* One that is pending has no address to ask by. */
	if (f->flags & SEVER_FLOW_PENDING || f->birth >= l->now || !looked_at(l, f->netns))
		return 0;
	r = keep(l, cookie, f);
	return r < 0 || l->n < AUDITED ? r : settle(l);
}

int track_audit(struct track *t, struct netns *ns, size_t n, track_flow_cb gone, void *arg)
{
	_cleanup_(founds_clear) struct founds l = looking(t, ns, n, gone, arg);
	int r = track_walk(t, on_any, &l);

	return r < 0 ? r : settle(&l);
}
