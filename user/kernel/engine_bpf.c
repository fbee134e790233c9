// SPDX-License-Identifier: LGPL-2.1-or-later
/* engine_bpf.c - bpf_sock_destroy() from an iterator (kernel 6.5): walks every socket of the host to find its victims, but
 * needs neither CONFIG_INET_DIAG_DESTROY nor a descriptor. */
#include "kernel/engine.h"

#include "sever/abi.h"

#include <bpf/bpf.h>
#include <string.h>

#include "destroy.lskel.h"

DEFINE_CLEANUP(struct destroy_bpf *, destroy_bpf__destroy)

/* Request and time-wait sockets are out of its reach, see bpf/destroy.bpf.c. */
static bool handles(const struct flow *f)
{
	bool full = f->inode || f->state == STATE_ESTABLISHED || f->state == STATE_CLOSE_WAIT ||
		    f->state == STATE_FIN_WAIT1 || f->state == STATE_LAST_ACK || f->state == STATE_CLOSING;

	return (f->proto == PROTO_TCP || f->proto == PROTO_UDP) && !f->subflow && full &&
	       f->state != STATE_CLOSE && f->state != STATE_LISTEN;
}

struct pass {
	struct destroy_bpf *skel;
	struct flow **v; /* by cookie */
	size_t n;
};

static int by_cookie(const void *a, const void *b)
{
	uint64_t x = (*(struct flow *const *)a)->cookie, y = (*(struct flow *const *)b)->cookie;

	return (x > y) - (x < y);
}

static void settle(const struct pass *p, const struct sever_verdict *v)
{
	const struct flow key = { .cookie = v->cookie }, *at = &key;
	struct flow **f = bsearch(&at, p->v, p->n, sizeof(*p->v), by_cookie);

	if (f)
		(*f)->err = v->err;
}

static int iterate(const struct pass *p, int link)
{
	struct sever_verdict v[256];
	_close_ int fd = link < 0 ? -1 : bpf_iter_create(link);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* A record is 16 bytes and the kernel hands out whole pages of them, so none is cut. */
	while ((n = read(fd, v, sizeof(v))) > 0)
		for (size_t i = 0; i < n / sizeof(*v); i++)
			settle(p, &v[i]);
	return n < 0 ? -errno : 0;
}

/* The iterator shows the namespace of whoever creates it. */
static int in_netns(void *arg)
{
	const struct pass *p = arg;
	int r = iterate(p, p->skel->links.destroy_tcp_fd);

	return r < 0 ? r : iterate(p, p->skel->links.destroy_udp_fd);
}

static int run(struct netns *ns, struct flow *const *v, size_t n)
{
	_cleanup_(destroy_bpf__destroyp) struct destroy_bpf *skel = NULL;
	_free_ struct flow **sorted = calloc(n, sizeof(*sorted));
	struct pass p = { .v = sorted, .n = n };
	const uint8_t yes = 1;

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_cookie);
	errno = 0;
	skel = destroy_bpf__open();
	if (!skel)
		return -ENOMEM;
	skel->maps.victims.max_entries = n;
	/* ENOENT: a kernel before 6.5 has no such function. Of a flow it would mean that there is no such socket. */
	if (destroy_bpf__load(skel) < 0 || destroy_bpf__attach(skel) < 0)
		return errno && errno != ENOENT ? -errno : -EOPNOTSUPP;
	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(skel->maps.victims.map_fd, &v[i]->cookie, &yes, BPF_ANY) < 0)
			return -errno;
	p.skel = skel;
	return netns_run(ns, in_netns, &p);
}

static int destroy(struct netns *ns, struct flow *const *v, size_t n, const struct people *people)
{
	int r;

	(void)people;
	for (size_t i = 0; i < n; i++)
		v[i]->err = -ENOENT;
	r = run(ns, v, n);
	for (size_t i = 0; i < n && r < 0; i++)
		v[i]->err = r;
	return r;
}

const struct engine engine_bpf = {
	.name = "bpf",
	.how = "bpf_sock_destroy()",
	.handles = handles,
	.destroy = destroy,
};
