// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_lookup.c - what a look at one connection among many asks of the kernel, counted: what it is told of who holds what, and the
 * lists of sockets it asks for. Time would say nothing on a busy machine. */
#include "daemon/source_index.h"
#include "tracked.h"

#include <bpf/bpf.h>
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <sys/syscall.h>

#define CROWD 150
#define PORT 7001

static struct live live;
static struct pair crowd[CROWD];
static bool logged_in;

/* Of the last look. Its first iterator shows the processes, which are as many as there are; the others who holds what. */
static struct work {
	unsigned int iterators, dumps;
	size_t told; /* bytes about holders */
	int fd;
} work;

int bpf_iter_create(int link)
{
	int (*next)(int link) = dlsym(RTLD_NEXT, "bpf_iter_create");
	int fd = next(link);

	work.fd = work.iterators++ ? fd : -1;
	return fd;
}

ssize_t read(int fd, void *buf, size_t size)
{
	ssize_t n = syscall(SYS_read, fd, buf, size);

	if (fd >= 0 && fd == work.fd)
		work.told += n > 0 ? n : 0;
	return n;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	ssize_t (*next)(const struct mnl_socket *nl, const void *buf, size_t len) = dlsym(RTLD_NEXT, "mnl_socket_sendto");
	const struct nlmsghdr *h = buf;

	work.dumps += (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	return next(nl, buf, len);
}

/* We ask ourselves, so that what we hold is looked at. Another look is begun by events that others made us lose. */
static struct selection look(struct filter *f, struct flowset *frozen, size_t want)
{
	struct selection sel = { 0 };
	struct source *s = NULL;

	f->protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_MPTCP;
	f->states = STATES_DEFAULT;
	must(live_resync(&live), "live_resync");
	must(source_index_open(&live, getpid(), 0, true, &s), "source_index_open");
	work = (struct work){ .fd = -1 };
	must(s->ops->select(s, f, frozen, &sel), "select");
	source_close(s);
	assert_int_equal(sel.flows.n, want);
	return sel;
}

static struct filter handle_of(int fd)
{
	struct filter f = { .named = 1u << SEL_FLOW };

	f.flows.v = calloc(1, sizeof(*f.flows.v));
	assert_non_null(f.flows.v);
	f.flows.v[f.flows.n++] = (struct flow_id){ .cookie = cookie_of(fd), .netns = own_inode() };
	return f;
}

static bool is_ours(const struct selection *sel)
{
	return sel->flows.v[0].proc >= 0 && sel->owners.procs.v[sel->flows.v[0].proc].pid == (uint32_t)getpid();
}

/* The counting counts: who is named is asked for all they hold. */
static void test_people(void **state)
{
	struct filter f = { .named = 1u << SEL_PID };
	struct selection sel;

	(void)state;
	must(ids_add(&f.pids, getpid()), "ids_add");
	sel = look(&f, NULL, 2 * CROWD);
	assert_true(work.told >= 2 * CROWD * sizeof(struct sever_holder));
	assert_true(work.dumps > 0); /* of sockets without a peer, which the index has not */
	selection_clear(&sel);
	filter_clear(&f);
}

/* One by its handle, and then that it is gone. */
static void test_handle(void **state)
{
	struct filter f = handle_of(crowd[7].in);
	uint64_t cookie = f.flows.v[0].cookie;
	struct selection sel, after;
	struct sever_flow was;

	(void)state;
	sel = look(&f, NULL, 1);
	assert_int_equal(sel.flows.v[0].cookie, cookie);
	assert_true(is_ours(&sel));
	assert_true(work.told <= 4 * sizeof(struct sever_holder)); /* whoever started us may have it from us */
	assert_int_equal(work.dumps, 0);
	reset_on_close(crowd[7].out);
	close_pair(&crowd[7]);
	for (long ms = 0; ms < deadline_ms() && track_read(live.track, cookie, &was) == 0; ms++)
		poll(NULL, 0, 1);
	sel.flows.v[0].outcome = OUT_DEAD;
	after = look(&f, &sel.flows, 0);
	assert_false(sel.flows.v[0].present);
	assert_int_equal(work.iterators, 1); /* nobody is asked what he holds */
	assert_int_equal(work.dumps, 0);
	selection_clear(&after);
	selection_clear(&sel);
	filter_clear(&f);
}

/* One that somebody who is logged in was seen to hold alone: he is asked about it, and nobody for all he holds. */
static void test_sole(void **state)
{
	struct filter f = handle_of(crowd[9].in);
	struct selection sel;
	int other;

	(void)state;
	if (!live.sole || !logged_in)
		skip_because(logged_in ? "this kernel does not show one process alone" : "nobody can log in here");
	index_find(&live.index, cookie_of(crowd[9].in))->holder = getpid();
	index_find(&live.index, cookie_of(crowd[9].in))->holder_fd = crowd[9].in;
	sel = look(&f, NULL, 1);
	assert_true(is_ours(&sel));
	assert_int_equal(work.iterators, 2);
	assert_int_equal(work.told, 0);
	selection_clear(&sel);
	other = must(dup(crowd[9].in), "dup");
	sel = look(&f, NULL, 1);
	assert_true(is_ours(&sel));
	assert_true(work.told > 0);
	selection_clear(&sel);
	close(other);
	filter_clear(&f);
}

/* A handle that the index has not may be anything, and is looked for everywhere. */
static void test_unknown(void **state)
{
	struct filter f = handle_of(must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
	struct selection sel;

	(void)state;
	sel = look(&f, NULL, 0);
	assert_true(work.iterators > 1 && work.dumps > 0);
	selection_clear(&sel);
	filter_clear(&f);
}

/* Few by their address. */
static void test_client(void **state)
{
	struct filter f = { .named = 1u << SEL_CLIENT | 1u << SEL_NETNS };
	int l = listener("127.0.0.1", PORT + 1, 5);
	struct pair p = connected(l, "127.0.0.9", 0);
	struct selection sel;
	char why[ERR_LEN];

	(void)state;
	f.clients.v = calloc(1, sizeof(*f.clients.v));
	f.clients.n = 1;
	assert_true(f.clients.v && prefix_parse("127.0.0.9", f.clients.v, why) == 0);
	must(ids_add(&f.netns, own_inode()), "ids_add");
	sel = look(&f, NULL, 1);
	assert_int_equal(sel.flows.v[0].cookie, cookie_of(p.in));
	assert_true(is_ours(&sel));
	assert_true(work.told <= 4 * sizeof(struct sever_holder));
	assert_int_equal(work.dumps, 0);
	selection_clear(&sel);
	close_pair(&p);
	close(l);
	filter_clear(&f);
}

/* As PAM does. */
static int log_in(void)
{
	_fclose_ FILE *f = fopen("/proc/self/loginuid", "we");

	return f && fprintf(f, "4003") > 0 && fflush(f) == 0 ? 0 : -EOPNOTSUPP;
}

static int setup(void **state)
{
	char err[ERR_LEN] = "";
	int l;

	if (no_namespace(state) < 0 || live_open(&live, NULL, err) < 0 || !live.people)
		return -1;
	logged_in = log_in() == 0;
	l = listener("127.0.0.1", PORT, 128);
	for (size_t i = 0; i < CROWD; i++)
		crowd[i] = connected(l, "127.0.0.8", 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_close(&live);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_handle),
		cmocka_unit_test(test_sole),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_client),
	};

	return track_run("lookup", tests, setup, teardown);
}
