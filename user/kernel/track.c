// SPDX-License-Identifier: LGPL-2.1-or-later
/* track.c - loads bpf/track.bpf.c and attaches it to the whole host. */
#include "kernel/track_parts.h"
#include "kernel/cgroup.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>

#include "track.lskel.h"

DEFINE_CLEANUP(struct track_bpf *, track_bpf__destroy)

enum { MIN_FLOWS = 1 << 18, MAX_FLOWS = 1 << 22, DEFAULT_RING = 1 << 22, MAX_RING = 1 << 30 };
/* Of the host's memory for each connection there is room for. The connections themselves take a good part of that. */
enum { MEMORY_PER_FLOW = 16384 };

static uint32_t default_flows(void)
{
	uint64_t n = (uint64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / MEMORY_PER_FLOW;

	return n < MIN_FLOWS ? MIN_FLOWS : n > MAX_FLOWS ? MAX_FLOWS : n;
}

static uint32_t ring_size(uint32_t bytes)
{
	uint32_t size = sysconf(_SC_PAGESIZE);

	if (!bytes)
		return DEFAULT_RING;
	while (size < bytes && size < MAX_RING)
		size *= 2;
	return size;
}

static int refusal(void)
{
	return errno && errno < 512 ? -errno : -EOPNOTSUPP; /* ENOTSUPP, which no libc knows */
}

int track_control(const struct track *t)
{
	const struct sever_control c = { .abi = SEVER_TRACK_ABI, .pass = t->pass };
	const uint32_t zero = 0;

	return bpf_map_update_elem(t->part[PART_CONTROL], &zero, &c, BPF_ANY) < 0 ? -errno : 0;
}

/* What a process before us began to count goes on. */
static int resume(struct track *t)
{
	const uint32_t zero = 0;
	struct sever_control c;

	if (bpf_map_lookup_elem(t->part[PART_CONTROL], &zero, &c) < 0)
		return -errno;
	t->pass = c.pass;
	return 0;
}

/* The descriptors become ours: the skeleton closes what it still has. */
static void take_parts(struct track *t, struct track_bpf *s)
{
	int *const from[PART_STATE_LINK] = {
		[PART_FLOWS] = &s->maps.flows.map_fd,
		[PART_EVENTS] = &s->maps.events.map_fd,
		[PART_LOST] = &s->maps.lost.map_fd,
		[PART_CONTROL] = &s->maps.control.map_fd,
		[PART_STATE] = &s->progs.track_state.prog_fd,
		[PART_ERROR] = &s->progs.track_error.prog_fd,
		[PART_CONNECT4] = &s->progs.track_connect4.prog_fd,
		[PART_CONNECT6] = &s->progs.track_connect6.prog_fd,
		[PART_RELEASE] = &s->progs.track_release.prog_fd,
		[PART_FORK] = &s->progs.track_fork.prog_fd,
		[PART_ATTACH] = &s->progs.track_attach.prog_fd,
		[PART_ADOPT_TCP] = &s->progs.adopt_tcp.prog_fd,
		[PART_ADOPT_UDP] = &s->progs.adopt_udp.prog_fd,
	};

	for (int i = 0; i < PART_STATE_LINK; i++) {
		t->part[i] = *from[i];
		*from[i] = 0;
	}
}

static int load(struct track *t, const struct track_options *o)
{
	_cleanup_(track_bpf__destroyp) struct track_bpf *s = NULL;

	errno = 0;
	s = track_bpf__open();
	if (!s)
		return -ENOMEM;
	s->maps.flows.max_entries = o->max_flows ? o->max_flows : default_flows();
	s->maps.events.max_entries = ring_size(o->ring_bytes);
	if (track_bpf__load(s) < 0)
		return refusal();
	take_parts(t, s);
	return track_control(t);
}

static int attach_tracepoint(struct track *t, int prog)
{
	int *link = &t->part[PART_LINK(prog)];

	*link = *link < 0 ? bpf_raw_tracepoint_open(NULL, t->part[prog]) : *link;
	return *link < 0 ? refusal() : 0;
}

static int attach_tcp(struct track *t)
{
	int r = attach_tracepoint(t, PART_STATE);

	return r < 0 ? r : attach_tracepoint(t, PART_ERROR);
}

/* Each of them is of use without the other. */
static int attach_logins(struct track *t)
{
	int fork = attach_tracepoint(t, PART_FORK), attach = attach_tracepoint(t, PART_ATTACH);

	return fork < 0 ? fork : attach;
}

/* At the root of cgroup v2, as one more among the programs that are there. */
static int attach_udp(struct track *t)
{
	static const struct {
		int prog;
		enum bpf_attach_type type;
	} v[] = {
		{ PART_CONNECT4, BPF_CGROUP_INET4_CONNECT },
		{ PART_CONNECT6, BPF_CGROUP_INET6_CONNECT },
		{ PART_RELEASE, BPF_CGROUP_INET_SOCK_RELEASE },
	};
	_free_ char *mount = NULL;
	int r = cgroup_mount(&mount);
	_close_ int root = r < 0 ? -1 : open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return r < 0 ? r : -errno;
	/* The end before the beginning: no flow is born whose end we should not see. */
	for (int i = array_size(v) - 1; i >= 0; i--) {
		int *link = &t->part[PART_LINK(v[i].prog)];

		*link = *link < 0 ? bpf_link_create(t->part[v[i].prog], root, v[i].type, NULL) : *link;
		if (*link < 0)
			return refusal();
	}
	return 0;
}

/* Half of the hooks would be worse than none. */
static void drop_udp(struct track *t)
{
	for (int i = PART_CONNECT4; i <= PART_RELEASE; i++)
		if (t->part[PART_LINK(i)] >= 0)
			close(take_fd(&t->part[PART_LINK(i)]));
}

static int on_sample(void *arg, void *data, size_t len);

static int start(struct track *t, const struct track_options *o, char *err)
{
	int r = -ENOENT;

	if (o->pin_dir) {
		t->lock = pins_lock(o->pin_dir, err);
		if (t->lock < 0)
			return t->lock;
		r = track_take_over(t, o->pin_dir);
		t->taken_over = r == 0;
		if (r == -ENOENT)
			r = track_unpin(t->lock);
		if (r < 0)
			return fail(r, err, "%s: %s", o->pin_dir, strerrordesc_np(-r));
	}
	r = t->taken_over ? resume(t) : load(t, o);
	if (r == 0)
		r = attach_tcp(t);
	if (r < 0)
		return fail(r, err, "the programs that track connections: %s", strerrordesc_np(-r));
	t->udp_err = attach_udp(t);
	if (t->udp_err < 0 && !t->taken_over)
		drop_udp(t);
	t->login_err = attach_logins(t);
	t->ring = ring_buffer__new(t->part[PART_EVENTS], on_sample, t, NULL);
	if (!t->ring)
		return fail(-errno, err, "the ring buffer of events: %s", strerrordesc_np(errno));
	return o->pin_dir ? track_pin(t, o->pin_dir, err) : 0;
}

int track_open(struct track **ret, const struct track_options *o, char *err)
{
	_cleanup_(track_closep) struct track *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->lock = -1;
	for (int i = 0; i < PART_MAX; i++)
		t->part[i] = -1;
	r = start(t, o, err);
	if (r == 0)
		*ret = take_ptr(&t);
	/* What was pinned by halves is no use to anybody. */
	else if (t->lock >= 0 && !t->taken_over)
		track_unpin(t->lock);
	return r;
}

void track_close(struct track *t)
{
	if (!t)
		return;
	if (t->ring)
		ring_buffer__free(t->ring);
	for (int i = 0; i < PART_MAX; i++)
		closep(&t->part[i]);
	closep(&t->lock);
	free(t);
}

bool track_taken_over(const struct track *t)
{
	return t->taken_over;
}

int track_udp_error(const struct track *t)
{
	return t->udp_err;
}

int track_login_error(const struct track *t)
{
	return t->login_err;
}

int track_fd(const struct track *t)
{
	return ring_buffer__epoll_fd(t->ring);
}

/* Told when its connect() began. */
static bool incomplete(const struct sever_event *e)
{
	return e->kind == SEVER_EVENT_BIRTH && e->flow.protocol == IPPROTO_TCP && e->flow.state == STATE_SYN_SENT;
}

/* A negative answer of ours ends libbpf's loop; the event counts as read. */
static int on_sample(void *arg, void *data, size_t len)
{
	struct track *t = arg;
	struct sever_event e;
	struct sever_flow now;
	int r;

	if (len < sizeof(e))
		return -EBADMSG;
	memcpy(&e, data, sizeof(e));
	/* Its socket may be connected anew by now. */
	if (incomplete(&e) && track_read(t, e.cookie, &now) == 0 && now.birth == e.flow.birth)
		e.flow = now;
	r = t->cb(&e, t->arg);
	return r < 0 ? r : --t->left ? 0 : -ECANCELED;
}

int track_drain(struct track *t, size_t max, track_event_cb cb, void *arg)
{
	int r;

	if (!max)
		return 0;
	t->cb = cb;
	t->arg = arg;
	t->left = max;
	r = ring_buffer__consume(t->ring);
	return r < 0 && !(r == -ECANCELED && !t->left) ? r : (int)(max - t->left);
}
