// SPDX-License-Identifier: LGPL-2.1-or-later
/* owners_bpf.c - owners by bpf/owner.bpf.c. The light skeleton leaves relocation to the kernel, which costs a third of the time
 * and a sixth of the memory of reading the kernel's BTF here. */
#include "kernel/owners.h"
#include "model/flow.h"

#include "sever/abi.h"

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "owner.lskel.h"

struct owners_bpf {
	struct owner_bpf *skel;
	int tasks, holders; /* links */
};

int owners_bpf_open(struct owners_bpf **ret)
{
	struct owners_bpf *b;
	int r = -ENOMEM;

	b = calloc(1, sizeof(*b));
	if (!b)
		return r;
	b->tasks = b->holders = -1;
	errno = 0;
	b->skel = owner_bpf__open_and_load();
	if (b->skel) {
		b->tasks = owner_bpf__tasks__attach(b->skel);
		b->holders = b->tasks < 0 ? -1 : owner_bpf__holders__attach(b->skel);
	}
	if (b->holders >= 0) {
		*ret = b;
		return 0;
	}
	r = errno ? -errno : -EOPNOTSUPP;
	owners_bpf_close(b);
	return r;
}

void owners_bpf_close(struct owners_bpf *b)
{
	if (!b)
		return;
	/* The skeleton's destructor closes the links it attached. */
	if (b->skel)
		owner_bpf__destroy(b->skel);
	free(b);
}

/* Up to so many processes are cheaper asked one by one, at some 20 us each, than every descriptor of the host is passed over. */
#define ONE_BY_ONE 64

typedef int (*record_cb)(struct owners *o, const void *record);

/* Reads a stream of fixed records; one cut by the end of a read is completed by the next. */
static int stream(struct owners *o, int link, size_t size, record_cb cb)
{
	_Alignas(8) char buf[32768];
	_close_ int fd = bpf_iter_create(link);
	size_t have = 0, at;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	for (;;) {
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : have ? -EBADMSG : 0;
		have += n;
		for (at = 0; have - at >= size; at += size) {
			r = cb(o, buf + at);
			if (r < 0)
				return r;
		}
		have -= at;
		memmove(buf, buf + at, have);
	}
}

static int on_task(struct owners *o, const void *record)
{
	const struct sever_task *t = record;
	struct proc p = {
		.cgroup = t->cgroup,
		.start = t->start,
		.pid = t->pid,
		.ppid = t->ppid,
		.uid = t->uid,
		.login_uid = t->login_uid,
		.audit_session = t->audit_session,
		.netns = t->netns,
		.zombie = !t->netns,
		.session = -1,
	};

	_Static_assert(sizeof(p.comm) == sizeof(t->comm), "comm");
	memcpy(p.comm, t->comm, sizeof(p.comm) - 1);
	return proctab_add(&o->procs, &p);
}

int owners_bpf_procs(struct owners *o)
{
	int r = stream(o, o->bpf->tasks, sizeof(struct sever_task), on_task);

	/* The programs report initial pids; elsewhere they are not the ones anyone here knows. */
	if (r == 0 && o->bpf->skel->bss->caller != (uint32_t)getpid())
		r = -EXDEV;
	o->confined = r == -EXDEV;
	proctab_sort(&o->procs);
	return r;
}

static bool is_inet(const struct sever_holder *h)
{
	return (h->family == AF_INET || h->family == AF_INET6) &&
	       (h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP || h->protocol == IPPROTO_MPTCP);
}

static int add_other(struct owners *o, const struct sever_holder *h)
{
	int r = grow(&o->others, &o->cap_others, o->n_others + 1, sizeof(*o->others));

	if (r == 0)
		o->others[o->n_others++] = (struct other_socket){
			.cookie = h->cookie,
			.netns = h->netns,
			.family = h->family,
			.protocol = h->protocol,
		};
	return r;
}

static int add_held(struct owners *o, const struct sever_holder *h)
{
	int r = grow(&o->held, &o->cap_held, o->n_held + 1, sizeof(*o->held));

	if (r == 0)
		o->held[o->n_held++] = (struct held_netns){ h->netns, h->pid, h->tid, h->fd };
	return r;
}

static int on_holder(struct owners *o, const void *record)
{
	const struct sever_holder *h = record;
	int32_t proc = proctab_find(&o->procs, h->pid);
	int r = h->new_netns ? add_held(o, h) : 0;

	if (r < 0 || proc < 0)
		return r;
	if (!is_inet(h))
		return add_other(o, h);
	return holders_add_at(&o->holders, h->protocol == IPPROTO_MPTCP ? mptcp_key(h->inode) : h->cookie, proc, h->fd);
}

static int fill_map(int map, const void *keys, size_t n)
{
	_free_ uint8_t *values = calloc(n + 1, 1);
	uint32_t count = n;

	if (!values)
		return -ENOMEM;
	return n && bpf_map_update_batch(map, keys, values, &count, NULL) < 0 ? -errno : 0;
}

/* A pass may have filled it with tens of thousands. */
static void empty_map(int map)
{
	uint64_t keys[512], key; /* the widest ones */
	uint8_t values[512];
	uint32_t at = 0;
	int r = 0;

	for (bool begun = false; r == 0; begun = true) {
		uint32_t n = array_size(keys);

		r = bpf_map_lookup_and_delete_batch(map, begun ? &at : NULL, &at, keys, values, &n, NULL);
	}
	/* Done, unless more of them than we have room for share a bucket. */
	while (bpf_map_get_next_key(map, NULL, &key) == 0)
		if (bpf_map_delete_elem(map, &key) < 0)
			return;
}

/* Tells the program which tasks count. */
static int want_tasks(struct owner_bpf *skel, const uint32_t *pids, size_t n)
{
	skel->bss->only_tasks = pids && n <= SEVER_WANTED_MAX;
	if (!skel->bss->only_tasks)
		return 0;
	empty_map(skel->maps.wanted_tasks.map_fd);
	return fill_map(skel->maps.wanted_tasks.map_fd, pids, n);
}

/* What one process holds; -EINVAL before Linux 6.1. */
static int stream_one(struct owners *o, uint32_t pid)
{
	union bpf_iter_link_info of = { .task.pid = pid };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &of, .iter_info_len = sizeof(of));
	_close_ int link = bpf_link_create(o->bpf->skel->progs.holders.prog_fd, 0, BPF_TRACE_ITER, &opts);

	if (link < 0)
		return errno == ESRCH ? 0 : -errno;
	return stream(o, link, sizeof(struct sever_holder), on_holder);
}

static int want_sockets(struct owner_bpf *skel, const uint64_t *wanted, size_t n)
{
	skel->bss->only_wanted = wanted && n <= SEVER_WANTED_MAX;
	if (!skel->bss->only_wanted)
		return 0;
	empty_map(skel->maps.wanted.map_fd);
	memset(skel->bss->wanted_bits, 0, sizeof(skel->bss->wanted_bits));
	for (size_t i = 0; i < n; i++) {
		uint32_t bit = sever_wanted_bit(wanted[i]);

		skel->bss->wanted_bits[bit / 64] |= 1ull << bit % 64;
	}
	return fill_map(skel->maps.wanted.map_fd, wanted, n);
}

static int stream_each(struct owners *o, const uint32_t *pids, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = stream_one(o, pids[i]);
	return r;
}

static int stream_all(struct owners *o, const uint32_t *pids, size_t n)
{
	struct owner_bpf *skel = o->bpf->skel;
	int r = want_tasks(skel, pids, n);

	skel->bss->last_task = 0;
	return r < 0 ? r : stream(o, o->bpf->holders, sizeof(struct sever_holder), on_holder);
}

static size_t pids_of(const struct owners *o, const bool *procs, uint32_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < o->procs.n; i++)
		if (procs[i])
			ret[n++] = o->procs.v[i].pid;
	return n;
}

int owners_bpf_holders(struct owners *o, const struct owner_scope *scope)
{
	_free_ uint32_t *pids = scope->procs ? calloc(o->procs.n + 1, sizeof(*pids)) : NULL;
	struct owner_bpf *skel = o->bpf->skel;
	size_t n = pids ? pids_of(o, scope->procs, pids) : 0;
	int r;

	if (scope->procs && !pids)
		return -ENOMEM;
	/* Another caller, or another pass, may have known others. */
	empty_map(skel->maps.known_netns.map_fd);
	r = fill_map(skel->maps.known_netns.map_fd, scope->known, scope->n_known);
	if (r == 0)
		r = want_sockets(skel, scope->wanted, scope->n_wanted);
	if (r < 0)
		return r;
	skel->bss->find_netns = !pids;
	o->n_held = o->n_others = 0;
	holders_clear(&o->holders);
	if (!pids || n > ONE_BY_ONE)
		return stream_all(o, pids, n);
	skel->bss->only_tasks = false;
	r = stream_each(o, pids, n);
	return r == -EINVAL ? stream_all(o, pids, n) : r;
}
