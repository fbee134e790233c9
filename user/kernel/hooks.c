// SPDX-License-Identifier: LGPL-2.1-or-later
/* hooks.c - programs that hang on the whole host for a moment let everything pass, and look for the cookie of our
 * socket. Those that refuse hang on a network namespace or a cgroup with nobody else in it. All are held by links,
 * which end with the process. */
#include "kernel/hooks.h"
#include "kernel/hook_cgroup.h"
#include "kernel/iterator.h"
#include "kernel/pair.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "hook_fentry.lskel.h"
#include "hook_iterators.lskel.h"
#include "hook_lsm.lskel.h"
#include "hook_ringbuf.lskel.h"
#include "hook_sk_lookup.lskel.h"
#include "hook_sk_storage.lskel.h"
#include "hook_tp_btf.lskel.h"

DEFINE_CLEANUP(struct hook_tp_btf_bpf *, hook_tp_btf_bpf__destroy)
DEFINE_CLEANUP(struct hook_sk_lookup_bpf *, hook_sk_lookup_bpf__destroy)
DEFINE_CLEANUP(struct hook_iterators_bpf *, hook_iterators_bpf__destroy)
DEFINE_CLEANUP(struct hook_sk_storage_bpf *, hook_sk_storage_bpf__destroy)
DEFINE_CLEANUP(struct hook_ringbuf_bpf *, hook_ringbuf_bpf__destroy)
DEFINE_CLEANUP(struct hook_fentry_bpf *, hook_fentry_bpf__destroy)
DEFINE_CLEANUP(struct hook_lsm_bpf *, hook_lsm_bpf__destroy)
DEFINE_CLEANUP(struct ring_buffer *, ring_buffer__free)

static int refusal(void)
{
	return errno ? -errno : -EOPNOTSUPP;
}

/* A connection, and the cookie of that end of it which a program is to look for. */
static int open_watched(struct pair *p, const int *end, uint64_t *ret_cookie)
{
	int r = pair_open(p, 0);

	return r < 0 ? r : socket_cookie(*end, ret_cookie);
}

/* What the other end of a connection does arrives in a softirq, which a busy machine runs late. */
static int wait_for(const volatile bool *saw)
{
	for (int ms = 0; ms < 1000 && !*saw; ms++)
		poll(NULL, 0, 1);
	return *saw ? 0 : -ENODATA;
}

static int try_tp_btf(void)
{
	const struct linger reset = { .l_onoff = 1 };
	_cleanup_(hook_tp_btf_bpf__destroyp) struct hook_tp_btf_bpf *s = NULL;
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	uint64_t cookie;
	int r = open_watched(&p, &p.server, &cookie);

	if (r < 0)
		return r;
	errno = 0;
	s = hook_tp_btf_bpf__open_and_load();
	if (!s)
		return refusal();
	s->bss->wanted = cookie;
	if (hook_tp_btf_bpf__attach(s) < 0 || setsockopt(p.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		return refusal();
	close(take_fd(&p.client));
	r = wait_for(&s->bss->saw_error);
	return r < 0 ? r : wait_for(&s->bss->saw_state);
}

static int try_sk_lookup(void)
{
	_cleanup_(hook_sk_lookup_bpf__destroyp) struct hook_sk_lookup_bpf *s = NULL;
	_close_ int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	int r = netns < 0 ? -errno : pair_open(&p, 0);

	if (r < 0)
		return r;
	errno = 0;
	s = hook_sk_lookup_bpf__open_and_load();
	if (!s)
		return refusal();
	s->links.doctor_refuse_fd = bpf_link_create(s->progs.doctor_refuse.prog_fd, netns, BPF_SK_LOOKUP, NULL);
	if (s->links.doctor_refuse_fd < 0)
		return refusal();
	return pair_knock(&p) == -ECONNREFUSED ? 0 : -ENODATA;
}

static int try_iterators(void)
{
	_cleanup_(hook_iterators_bpf__destroyp) struct hook_iterators_bpf *s = NULL;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_close_ int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	uint64_t tcp_cookie, udp_cookie;
	int r = udp < 0 || bind(udp, (void *)&a, sizeof(a)) < 0 ? -errno : open_watched(&p, &p.server, &tcp_cookie);

	if (r == 0)
		r = socket_cookie(udp, &udp_cookie);
	if (r < 0)
		return r;
	errno = 0;
	s = hook_iterators_bpf__open_and_load();
	if (!s || hook_iterators_bpf__attach(s) < 0)
		return refusal();
	s->bss->wanted_tcp = tcp_cookie;
	s->bss->wanted_udp = udp_cookie;
	r = iterator_run(s->links.doctor_tcp_fd);
	if (r == 0)
		r = iterator_run(s->links.doctor_udp_fd);
	return r < 0 ? r : s->bss->saw_tcp && s->bss->saw_udp ? 0 : -ENODATA;
}

static int try_sk_storage(void)
{
	_cleanup_(hook_sk_storage_bpf__destroyp) struct hook_sk_storage_bpf *s = NULL;
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	uint64_t cookie, tag = 0;
	int r = open_watched(&p, &p.client, &cookie);

	if (r < 0)
		return r;
	errno = 0;
	s = hook_sk_storage_bpf__open_and_load();
	if (!s)
		return refusal();
	s->bss->wanted = cookie;
	/* The client's state changes in this call, so there is nothing to wait for. */
	if (hook_sk_storage_bpf__attach(s) < 0 || shutdown(p.client, SHUT_WR) < 0)
		return refusal();
	return bpf_map_lookup_elem(s->maps.tags.map_fd, &p.client, &tag) == 0 && tag == cookie ? 0 : -ENODATA;
}

static int on_event(void *arg, void *data, size_t len)
{
	if (len == sizeof(uint64_t))
		memcpy(arg, data, len);
	return 0;
}

static int try_ringbuf(void)
{
	_cleanup_(hook_ringbuf_bpf__destroyp) struct hook_ringbuf_bpf *s = NULL;
	_cleanup_(ring_buffer__freep) struct ring_buffer *ring = NULL;
	LIBBPF_OPTS(bpf_test_run_opts, run);
	uint64_t got = 0;

	errno = 0;
	s = hook_ringbuf_bpf__open_and_load();
	if (!s)
		return refusal();
	s->bss->word = getpid();
	ring = ring_buffer__new(s->maps.events.map_fd, on_event, &got, NULL);
	if (!ring || bpf_prog_test_run_opts(s->progs.doctor_tell.prog_fd, &run) < 0)
		return refusal();
	return ring_buffer__consume(ring) == 1 && got == (uint64_t)getpid() ? 0 : -ENODATA;
}

static int try_fentry(void)
{
	_cleanup_(hook_fentry_bpf__destroyp) struct hook_fentry_bpf *s = NULL;
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	uint64_t cookie;
	int r = open_watched(&p, &p.listener, &cookie);

	if (r == 0 && fcntl(p.listener, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0)
		return r;
	errno = 0;
	s = hook_fentry_bpf__open_and_load();
	if (!s)
		return refusal();
	s->bss->wanted = cookie;
	if (hook_fentry_bpf__attach(s) < 0)
		return refusal();
	/* Nobody waits there; to be called is enough. */
	return accept4(p.listener, NULL, NULL, SOCK_CLOEXEC) < 0 && s->bss->saw_accept ? 0 : -ENODATA;
}

static int try_lsm(void)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	_cleanup_(hook_lsm_bpf__destroyp) struct hook_lsm_bpf *s = NULL;
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	uint64_t cookie;
	int r = open_watched(&p, &p.client, &cookie);

	if (r < 0)
		return r;
	errno = 0;
	s = hook_lsm_bpf__open_and_load();
	if (!s)
		return refusal();
	s->bss->wanted = cookie;
	if (hook_lsm_bpf__attach(s) < 0 || connect(p.client, &none, sizeof(none)) < 0)
		return refusal();
	return s->bss->saw_connect ? 0 : -ENODATA;
}

int hook_try(enum hook h)
{
	static int (*const tries[HOOK_MAX])(void) = {
		[HOOK_TP_BTF] = try_tp_btf,	    [HOOK_CGROUP] = try_hook_cgroup,
		[HOOK_SK_LOOKUP] = try_sk_lookup,   [HOOK_ITERATORS] = try_iterators,
		[HOOK_SK_STORAGE] = try_sk_storage, [HOOK_RINGBUF] = try_ringbuf,
		[HOOK_FENTRY] = try_fentry,	    [HOOK_LSM] = try_lsm,
	};
	int r = tries[h]();

	/* ENOTSUPP, which the kernel should not show and no libc knows. */
	return r == -524 ? -EOPNOTSUPP : r;
}
