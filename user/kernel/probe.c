// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/probe.h"
#include "kernel/engine.h"
#include "kernel/hooks.h"
#include "kernel/pair.h"
#include "kernel/sockets.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct wanted {
	uint64_t cookie;
	struct flow flow;
	bool found;
};

static int on_flow(const struct flow *f, void *arg)
{
	struct wanted *w = arg;

	if (f->cookie == w->cookie) {
		w->flow = *f;
		w->found = true;
	}
	return 0;
}

/* Finds our socket in a dump of this namespace. */
static int find(struct netns *ns, int fd, struct wanted *w)
{
	const struct filter all = { .protos = ~0u, .states = STATES_DEFAULT };
	int r;

	*w = (struct wanted){ 0 };
	r = socket_cookie(fd, &w->cookie);
	if (r == 0)
		r = sockets_dump(ns, &all, on_flow, w);
	return r < 0 ? r : w->found ? 0 : -ENOENT;
}

/* Ends a connection of our own by one engine. It works if the client saw it. */
static int try_engine(struct netns *ns, const struct engine *e, int proto)
{
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	struct owners o = { 0 };
	struct sessions none = { 0 };
	struct people people = { .procs = &o.procs, .sessions = &none, .holders = &o.holders };
	struct wanted w;
	struct flow *f = &w.flow;
	char c;
	int r = pair_open(&p, proto);

	if (r == 0)
		r = find(ns, p.server, &w);
	if (r == 0)
		r = proctab_add(&o.procs, &(struct proc){ .pid = getpid(), .session = -1 });
	if (r == 0)
		r = holders_add(&o.holders, flow_key(f), 0);
	if (r == 0)
		r = e->handles(f) ? e->destroy(ns, &f, 1, &people) : -EOPNOTSUPP;
	if (r == 0)
		r = f->err;
	if (r == 0 && (recv(p.client, &c, 1, MSG_DONTWAIT) >= 0 || errno != ECONNRESET))
		r = -EIO;
	owners_clear(&o);
	return r;
}

enum { P_PRIVATE, P_LIST, P_MPTCP, P_DIAG, P_FD, P_FD_MPTCP, P_BPF, P_OWNERS_BPF, P_OWNERS_PROC, P_NETNS, P_HOOKS };
enum { P_MAX = P_HOOKS + HOOK_MAX };
#define P_HOOK(h) (P_HOOKS + HOOK_##h)

static const struct {
	const char *name, *what, *advice;
	bool needed;
} table[P_MAX] = {
	[P_PRIVATE] = { "private-netns", "a network namespace to try things in",
			"needs CAP_SYS_ADMIN; the tries ran in this namespace instead", false },
	[P_LIST] = { "list", "list sockets by sock_diag", "load the modules tcp_diag and udp_diag", true },
	[P_MPTCP] = { "list-mptcp", "list MPTCP connections",
		      "load the module mptcp_diag, or net.mptcp.enabled is 0", false },
	[P_DIAG] = { "destroy-diag", "cut TCP by netlink SOCK_DESTROY",
		     "needs CAP_NET_ADMIN and a kernel with CONFIG_INET_DIAG_DESTROY", true },
	[P_FD] = { "destroy-pidfd", "cut TCP through its owner's descriptor",
		      "needs CAP_SYS_PTRACE and Linux 5.6", false },
	[P_FD_MPTCP] = { "destroy-mptcp", "cut MPTCP through its owner's descriptor",
			    "needs CAP_SYS_PTRACE, Linux 5.6 and MPTCP", false },
	[P_BPF] = { "destroy-bpf", "cut TCP by bpf_sock_destroy()",
		    "needs CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and Linux 6.5", false },
	[P_OWNERS_BPF] = { "owners-bpf", "read who holds which socket by BPF",
			   "needs CAP_BPF, CAP_PERFMON and kernel BTF; /proc is walked instead", false },
	[P_OWNERS_PROC] = { "owners-proc", "read who holds which socket from /proc",
			    "needs CAP_SYS_PTRACE and a /proc that shows all processes", false },
	[P_NETNS] = { "other-netns", "work in other network namespaces",
		      "needs CAP_SYS_ADMIN; --netns self keeps to this one", false },
	[P_HOOK(TP_BTF)] = { "hook-tp-btf", "see sockets change state and fail, for tags",
			     "needs CAP_BPF, CAP_PERFMON, kernel BTF and Linux 5.15", false },
	[P_HOOK(CGROUP)] = { "hook-cgroup", "see sockets made, labelled, closed; refuse connect(), for tags and fences",
			     "needs CAP_BPF, CAP_NET_ADMIN and a writable cgroup v2", false },
	[P_HOOK(SK_LOOKUP)] = { "hook-sk-lookup", "refuse new clients of a listener, for fences",
				"needs CAP_BPF, CAP_NET_ADMIN and a network namespace to try it in", false },
	[P_HOOK(ITERATORS)] = { "hook-iterators", "walk TCP and UDP sockets, for tags",
				"needs CAP_BPF, CAP_PERFMON and kernel BTF", false },
	[P_HOOK(SK_STORAGE)] = { "hook-sk-storage", "keep a tag with its socket and find it again, for tags",
				 "needs CAP_BPF, CAP_PERFMON and kernel BTF", false },
	[P_HOOK(RINGBUF)] = { "hook-ringbuf", "hand events from the kernel to a program, for tags",
			      "needs CAP_BPF and CAP_PERFMON", false },
	[P_HOOK(FENTRY)] = { "hook-fentry", "see kernel functions called, an extra", "tags can do without", false },
	[P_HOOK(LSM)] = { "hook-lsm", "see and judge as a security module, an extra",
			  "tags and fences can do without", false },
};

/* Where the errno tells more than the general advice. */
static const struct {
	int probe, err;
	const char *advice;
} special[] = {
	{ P_HOOK(CGROUP), -ENOENT, "cgroup v2 is not mounted" },
	{ P_HOOK(CGROUP), -EROFS, "cgroup v2 is mounted read-only" },
	{ P_HOOK(LSM), -ENODATA,
	  "attached but never ran: is bpf in the kernel's lsm= list? tags and fences can do without" },
};

static int probe_owners_bpf(void)
{
	struct owners_bpf *b;
	int r = owners_bpf_open(&b);

	if (r == 0)
		owners_bpf_close(b);
	return r;
}

static int probe_owners_proc(void)
{
	struct owners o = { .by_inode = true };
	int r = owners_proc_procs(&o);

	if (r == 0)
		r = owners_proc_holders(&o, NULL);
	if (r == 0 && o.no_procs)
		r = -ENOENT;
	if (r == 0 && o.hidden_fds)
		r = -EACCES;
	owners_clear(&o);
	return r;
}

/* Runs in a child, in a namespace of its own if that is allowed, so that no socket of anyone else is near. */
static void try_all(int *result)
{
	const struct filter all = { .protos = ~0u, .states = STATES_DEFAULT };
	const struct proctab none = { 0 };
	struct netns_table t = { 0 };
	_cleanup_(pair_close) struct pair p = PAIR_NONE;
	struct wanted w;
	int r;

	result[P_PRIVATE] = result[P_NETNS] = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
	if (!result[P_PRIVATE])
		loopback_up();
	/* First, while no descriptor is open: one of them forks. */
	for (int h = 0; h < HOOK_MAX; h++)
		result[P_HOOKS + h] = h == HOOK_SK_LOOKUP && result[P_PRIVATE] ? result[P_PRIVATE] : hook_try(h);
	result[P_OWNERS_BPF] = probe_owners_bpf();
	result[P_OWNERS_PROC] = probe_owners_proc();
	r = netns_discover(&t, &none, &all);
	for (int i = P_LIST; i <= P_BPF; i++)
		result[i] = r;
	if (r < 0)
		return;
	r = pair_open(&p, 0);
	result[P_LIST] = r < 0 ? r : find(&t.v[0], p.server, &w);
	pair_close(&p);
	r = pair_open(&p, IPPROTO_MPTCP);
	result[P_MPTCP] = r < 0 ? r : find(&t.v[0], p.server, &w);
	result[P_DIAG] = try_engine(&t.v[0], &engine_diag, 0);
	result[P_FD] = try_engine(&t.v[0], &engine_pidfd, 0);
	result[P_FD_MPTCP] = try_engine(&t.v[0], &engine_pidfd, IPPROTO_MPTCP);
	result[P_BPF] = try_engine(&t.v[0], &engine_bpf, 0);
	netns_clear(&t);
}

static void describe(struct probe *p, int i, int result)
{
	const char *advice = result == -ENODATA ? "attached but did not act on our socket" : table[i].advice;

	*p = (struct probe){ .name = table[i].name, .what = table[i].what, .needed = table[i].needed,
			     .used = i < P_HOOKS, .result = result };
	for (size_t s = 0; s < array_size(special); s++)
		if (special[s].probe == i && special[s].err == result)
			advice = special[s].advice;
	if (result < 0)
		snprintf(p->detail, sizeof(p->detail), "%s", advice);
}

/* Ctrl-C ends the child and not us, so that we can still clear up behind it; then it is our turn. */
static void run_child(int *result)
{
	sigset_t ends, before;
	pid_t child;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGQUIT);
	sigprocmask(SIG_BLOCK, &ends, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		alarm(60); /* a kernel that never answers must not hold a program that cannot be interrupted */
		try_all(result);
		_exit(0);
	}
	for (int i = 0; i < P_MAX && child < 0; i++)
		result[i] = -EAGAIN;
	if (child > 0) {
		waitpid(child, NULL, 0);
		hook_cgroup_clear(child);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int probe_all(struct probe **ret, size_t *ret_n)
{
	int *result = mmap(NULL, sizeof(*result) * P_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct probe *v = calloc(P_MAX, sizeof(*v));

	if (result == MAP_FAILED || !v) {
		free(v);
		return -ENOMEM;
	}
	for (int i = 0; i < P_MAX; i++)
		result[i] = -EIO; /* a child that dies leaves this */
	run_child(result);
	for (int i = 0; i < P_MAX; i++)
		describe(&v[i], i, result[i]);
	munmap(result, sizeof(*result) * P_MAX);
	*ret = v;
	*ret_n = P_MAX;
	return 0;
}

struct verdict probe_judge(const struct probe *probe, size_t n)
{
	struct verdict v = { .permission = true };

	for (size_t i = 0; i < n; i++) {
		if (probe[i].result == 0)
			continue;
		v.refused++;
		v.used_refused += probe[i].used;
		if (!probe[i].needed)
			continue;
		v.needed_refused++;
		if (probe[i].result != -EPERM && probe[i].result != -EACCES)
			v.permission = false;
	}
	v.permission &= v.needed_refused > 0;
	return v;
}
