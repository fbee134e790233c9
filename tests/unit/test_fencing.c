// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fencing.c - fences of people: up, down, refused, on a full disk, on time, and by several threads at once. */
#include "fencing_scene.h"
#include "kernel/cgroup.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Of the fence that ends first; it has no other. */
static const char *note(void)
{
	static char text[ERR_LEN];
	_cleanup_(json_decrefp) json_t *shown = listed();
	const json_t *notes = json_object_get(json_array_get(shown, 0), "notes");

	assert_in_range(json_array_size(notes), 0, 1);
	snprintf(text, sizeof(text), "%s", json_string_value(json_array_get(notes, 0)) ?: "");
	return text;
}

static void test_up_and_down(void **state)
{
	uint64_t first, second;
	char id[FENCE_ID_LEN];

	(void)state;
	first = must_add("--client 127.0.0.2", 60000);
	second = must_add("--client 127.0.0.0/30", 30000);
	assert_int_equal(second, first + 1);
	knock("127.0.0.2", -ECONNREFUSED);
	knock("127.0.0.3", -ECONNREFUSED);
	knock("127.0.0.4", 0);
	assert_int_equal(number(0, "remaining_ms") <= 30000, 1); /* soonest end first */
	assert_int_equal(number(1, "refused"), 1); /* of two that overlap the longer one has it */
	snprintf(id, sizeof(id), "f%ju", (uintmax_t)first);
	assert_int_equal(lift(id), 0);
	knock("127.0.0.2", -ECONNREFUSED);
	assert_int_equal(lift(id), -ENOENT);
	assert_int_equal(lift("f0"), -ENOENT);
	assert_int_equal(lift("2"), -ENOENT);
	assert_int_equal(lift("f02"), -ENOENT);
	assert_int_equal(count(), 1);
	snprintf(id, sizeof(id), "f%ju", (uintmax_t)second);
	assert_int_equal(lift(id), 0);
	knock("127.0.0.2", 0);
	again();
	assert_int_equal(count(), 0);
	assert_int_equal(must_add("--client 127.0.0.2", 60000), second + 1);
}

/* Just what was typed, not a part of it; in any order. */
static void test_by_selectors(void **state)
{
	(void)state;
	must_add("--client 127.0.0.2", 60000);
	must_add("--client 127.0.0.2 --client 127.0.0.3", 50000);
	assert_int_equal(lift_by("--client 127.0.0.3"), -ENOENT);
	assert_int_equal(lift_by("--client 127.0.0.2"), 1);
	assert_int_equal(count(), 1);
	knock("127.0.0.3", -ECONNREFUSED);
	must_add("--client 127.0.0.2", 60000);
	assert_int_equal(lift_by("--client 127.0.0.3 --client 127.0.0.2"), 1);
	knock("127.0.0.3", 0);
	knock("127.0.0.2", -ECONNREFUSED);
}

/* One fence for people, several for the kernel. */
static void test_parts(void **state)
{
	uint64_t told;

	(void)state;
	must_add("--client 127.0.0.2 --client 127.0.0.3", 60000);
	do { /* within one second */
		assert_true(drained()); /* of the round before */
		told = now();
		fencing->all.v[0]->told_ns = 0;
		knock("127.0.0.2", -ECONNREFUSED);
		assert_true(drained());
		told = fencing->all.v[0]->told_ns > told ? fencing->all.v[0]->told_ns : 0;
		knock("127.0.0.3", -ECONNREFUSED);
	} while (!told || now() >= told + SECOND);
	assert_true(drained());
	assert_int_equal(fencing->all.v[0]->told_ns, told);
	assert_int_equal(number(0, "refused") % 2, 0);
	assert_true(number(0, "refused") >= 2);
}

static void test_full_disk(void **state)
{
	const struct rlimit none = { 0, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };
	_free_ char *before = NULL, *after = NULL;
	size_t before_len, after_len;
	struct refusal refusal;

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	read_text(&before, &before_len);
	signal(SIGXFSZ, SIG_IGN);
	must(setrlimit(RLIMIT_FSIZE, &none), "setrlimit");
	assert_int_equal(refused("--client 127.0.0.2", &refusal), -EFBIG);
	assert_int_equal(lift("f1") == 0, 0);
	must(setrlimit(RLIMIT_FSIZE, &any), "setrlimit");
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
	assert_int_equal(count(), 1);
	read_text(&after, &after_len);
	assert_true(before_len == after_len && !memcmp(before, after, after_len));
	must_add("--client 127.0.0.2", 60000);
	knock("127.0.0.2", -ECONNREFUSED);
	assert_int_equal(lift_by("--client 127.0.0.2"), 1);
	knock("127.0.0.3", -ECONNREFUSED); /* that it was to go once is forgotten */
}

/* What was written down stands after a start, though it cannot be written again. */
static void test_start_on_full_disk(void **state)
{
	const struct rlimit none = { 0, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	signal(SIGXFSZ, SIG_IGN);
	must(setrlimit(RLIMIT_FSIZE, &none), "setrlimit");
	again();
	must(setrlimit(RLIMIT_FSIZE, &any), "setrlimit");
	knock("127.0.0.3", -ECONNREFUSED);
	assert_non_null(strstr(complaint(), "cannot be written down"));
	assert_true(fencing_next(fencing) > 0);
	fencing_tick(fencing);
	assert_int_equal(count(), 1);
}

static void test_on_time(void **state)
{
	long soon = deadline_ms() / 50;
	uint64_t next;
	int r;

	(void)state;
	must_add("--client 127.0.0.2", 60000);
	do { /* the disk may take longer than that */
		lift_by("--client 127.0.0.3");
		must_add("--client 127.0.0.3", soon *= 2);
		next = fencing_next(fencing);
		assert_true(next <= now() + soon * (SECOND / 1000));
		r = knock_at(server, "127.0.0.3", "127.0.0.1");
	} while (r == 0 && now() >= next);
	assert_int_equal(r, -ECONNREFUSED);
	while (now() < next)
		poll(NULL, 0, 1);
	knock("127.0.0.3", 0);
	assert_int_equal(count(), 1);
	assert_int_equal(fencing->all.n, 2); /* until somebody looks */
	fencing_tick(fencing);
	assert_int_equal(fencing->all.n, 1);
	assert_int_equal(count(), 1);
	assert_true(fencing_next(fencing) > now() && fencing_next(fencing) <= now() + FENCING_SAVE_S * SECOND);
	knock("127.0.0.2", -ECONNREFUSED);
}

static void test_guards(void **state)
{
	struct prefix kept[] = { prefix("127.0.0.9"), prefix("fd00::/16") };
	const struct prefixes protect = { kept, 2, 2 };
	struct refusal refusal;
	json_t *shown = NULL;

	(void)state;
	assert_int_equal(fencing_protect(fencing, &protect), 0);
	assert_int_equal(refused("--all", &refusal), -ECANCELED);
	assert_int_equal(refusal.guard, GUARD_ALL);
	assert_int_equal(refused("--client 0.0.0.0/0", &refusal), -ECANCELED);
	assert_int_equal(refusal.guard, GUARD_ALL);
	assert_int_equal(refused("--cgroup /", &refusal), -ECANCELED);
	assert_int_equal(refusal.guard, GUARD_ALL);
	for (const char *const *v = (const char *const[]){ "--client 127.0.0.0/24", "--client 127.0.0.9", "--peer fd00::1",
							   "--local-port 22", "--client 127.0.0.2 --client 0.0.0.0/0", NULL };
	     *v; v++) {
		assert_int_equal(add(*v, 1000, true, &shown, &refusal), -ECANCELED);
		assert_int_equal(refusal.guard, GUARD_PROTECT);
	}
	must_add("--client 127.0.0.8", 1000);
	must_add("--user uid:77123", 1000);
	assert_int_equal(refused("--pid 1", &refusal), -EINVAL);
	assert_int_equal(refused("--session 12", &refusal), -ESRCH);
	assert_string_equal(refusal.missing, "session");
	assert_int_equal(count(), 2);
}

/* Without cgroup v2, and without BPF. */
static void test_refusing_kernel(void **state)
{
	struct fences *kernel = fencing->kernel;
	struct refusal refusal;

	(void)state;
	kernel->out_err = -ENOENT;
	assert_int_equal(refused("--user uid:77123", &refusal), -EOPNOTSUPP);
	must_add("--peer 127.0.0.2", 60000);
	knock("127.0.0.2", -ECONNREFUSED);
	assert_string_equal(note(), "outbound connections are not refused: No such file or directory");
	fencing->kernel = NULL;
	strcpy(fencing->kernel_why, "not today");
	assert_int_equal(refused("--client 127.0.0.3", &refusal), -EOPNOTSUPP);
	assert_non_null(strstr(err, "not today"));
	assert_int_equal(count(), 1);
	assert_string_equal(note(), "nothing is refused: not today");
	fencing->pin_dir = dir; /* as if something were pinned there */
	assert_string_equal(note(), "whether anything is refused is not known: not today");
	fencing->pin_dir = NULL;
	fencing->kernel = kernel;
}

/* What stands by the pins of a process before us, and cannot be reached, is not said to be down. */
static void test_kernel_later(void **state)
{
	(void)state;
	must_add("--client 127.0.0.2", 60000);
	must_add("--client 127.0.0.3", 60000);
	fence_close(fencing->kernel);
	fencing->kernel = NULL;
	fencing->pin_dir = dir; /* there is something, but it is no bpffs */
	assert_int_equal(lift("f1"), -EOPNOTSUPP);
	assert_non_null(strstr(err, "cannot be changed"));
	assert_int_equal(count(), 2);
	fencing->pin_dir = NULL;
	fencing_tick(fencing);
	assert_non_null(fencing->kernel);
	assert_int_equal(lift("f1"), 0);
	assert_int_equal(count(), 1);
}

static uint32_t inode_here(void)
{
	_close_ int fd = must(netns_own(), "netns_own");
	uint32_t inode;

	must(netns_inode_of_fd(fd, &inode), "netns");
	return inode;
}

static void attach(void)
{
	struct owners nobody = { 0 };
	struct ids all = { 0 };

	must(fencing_attach(fencing, &nobody, &all), "attach");
	free(all.v);
}

/* The next namespace has the number of the one before, and is a stranger's. */
static void test_namespace_gone(void **state)
{
	_close_ int home = must(netns_own(), "netns_own"), strange = -1;
	uint32_t home_inode = inode_here(), gone;
	char text[64];
	struct refusal refusal;

	(void)state;
	must(own_net(), "own_net");
	gone = inode_here();
	attach();
	snprintf(text, sizeof(text), "--client 127.0.0.2 --netns %u", gone);
	must_add(text, 60000);
	snprintf(here, sizeof(here), "%u", gone);
	must_add("--client 127.0.0.2", 60000);
	must_add("--remote-port 9", 60000);
	snprintf(here, sizeof(here), "%u", home_inode);
	for (long ms = 0; ms < deadline_ms(); ms++) {
		must(setns(home, CLONE_NEWNET), "setns");
		must(own_net(), "own_net");
		if (inode_here() == gone)
			break;
		poll(NULL, 0, 1);
	}
	assert_int_equal(inode_here(), gone);
	attach();
	strange = listener("127.0.0.1", 0, 5);
	assert_int_equal(knock_at(strange, "127.0.0.2", "127.0.0.1"), 0);
	assert_int_equal(udp_leaves(0, 9), 0);
	must(setns(home, CLONE_NEWNET), "setns");
	for (int i = 0; i < 2; i++) {
		knock("127.0.0.2", -ECONNREFUSED); /* which the first one names, too */
		assert_true(!(fencing->all.v[0]->notes & FENCE_NOTE_LAPSED) && fencing->all.v[0]->parts.n == 1);
		assert_int_equal(number(0, "refused"), 1);
		assert_int_equal(fencing->all.v[0]->parts.v[0].id, 1 << FENCE_ID_BITS | (FENCE_LIST_MAX + 1)); /* counts on */
		for (size_t k = 1; k < 3; k++)
			assert_true(fencing->all.v[k]->notes & FENCE_NOTE_LAPSED && !fencing->all.v[k]->parts.n);
		again();
	}
	assert_int_equal(refused("--client 127.0.0.2 --netns 7", &refusal), -ESRCH);
	assert_string_equal(refusal.missing, "netns");
	assert_non_null(strstr(err, "no such network namespace"));
}

/* In one that was not seen yet, or cannot be entered, it does not stand, and says so. */
static void test_namespace_missed(void **state)
{
	_close_ int home = must(netns_own(), "netns_own");
	char was[sizeof(here)];

	(void)state;
	strcpy(was, here);
	must_add("--client 127.0.0.2", 60000);
	assert_string_equal(note(), "");
	must(own_net(), "own_net");
	snprintf(here, sizeof(here), "%u", inode_here());
	must_add("--client 127.0.0.2", 50000);
	assert_non_null(strstr(note(), "could not be entered"));
	attach();
	assert_string_equal(note(), "");
	must(setns(home, CLONE_NEWNET), "setns");
	strcpy(here, was);
}

/* No process is in it, and no mount keeps it: a socket does, and shows the way. */
static void test_namespace_held(void **state)
{
	_close_ int home = must(netns_own(), "netns_own"), strange = -1, client = -1;
	const struct end from = end_of("127.0.0.2", 0);
	struct held_netns held = { .pid = getpid(), .tid = getpid() };
	struct owners owners = { .held = &held, .n_held = 1 };
	char was[sizeof(here)];
	struct ids all = { 0 };
	struct end to;

	(void)state;
	strcpy(was, here);
	must(own_net(), "own_net");
	held.inode = inode_here();
	snprintf(here, sizeof(here), "%u", held.inode);
	must_add("--client 127.0.0.2", 60000);
	held.fd = strange = listener("127.0.0.1", 0, 5);
	client = bound(&from, SOCK_STREAM);
	must(setns(home, CLONE_NEWNET), "setns");
	must(fencing_attach(fencing, &owners, &all), "attach");
	free(all.v);
	to = end_of("127.0.0.1", port_of(strange));
	assert_int_equal(connect(client, &to.sa, to.len), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_string_equal(note(), "");
	strcpy(here, was);
}

static const char *group_path(char path[256])
{
	_free_ char *mount = NULL;

	must(cgroup_mount(&mount), "cgroup v2");
	snprintf(path, 256, "%s/sever-fencing-%d", mount, getpid());
	return path + strlen(mount);
}

static void check_group(const char *path)
{
	const struct standing *s = fencing->all.v[1];
	struct stat st;

	must(stat(path, &st), path);
	assert_true(!(s->notes & FENCE_NOTE_LAPSED) && s->parts.n == 1);
	assert_int_equal(s->parts.v[0].subject, st.st_ino);
	assert_true(ids_has(&s->target.filter.cgroups, st.st_ino));
}

/* The other fence would lose its count if all had been down for a moment. */
static void test_cgroup_anew(void **state)
{
	char path[256], text[300];

	(void)state;
	snprintf(text, sizeof(text), "--cgroup %s", group_path(path));
	must_add("--client 127.0.0.2", 90000);
	knock("127.0.0.2", -ECONNREFUSED);
	must(mkdir(path, 0755), path);
	must_add(text, 100000);
	for (int i = 0; i < 2 * FENCING_TURNS; i++) {
		check_group(path);
		must(rmdir(path), path);
		if (i % 2) /* it is not always seen while it is gone */
			fencing_follow(fencing);
		assert_int_equal(!!(fencing->all.v[1]->notes & FENCE_NOTE_LAPSED), i % 2);
		assert_int_equal(fencing->all.v[1]->parts.n, !(i % 2));
		must(mkdir(path, 0755), path);
		fencing_follow(fencing);
	}
	check_group(path);
	assert_int_equal(number(0, "refused"), 1);
	again();
	check_group(path);
	must(rmdir(path), path);
	again();
	fencing_follow(fencing);
	assert_true(fencing->all.v[1]->notes & FENCE_NOTE_LAPSED);
	again();
	must(mkdir(path, 0755), path);
	fencing_follow(fencing);
	check_group(path);
	must(rmdir(path), path);
}

/* Another thread waits for the disk. */
static void test_loop_does_not_wait(void **state)
{
	uint64_t next;

	(void)state;
	must_add("--client 127.0.0.2", 60000);
	next = fencing_next(fencing);
	knock("127.0.0.2", -ECONNREFUSED);
	pthread_mutex_lock(&fencing->lock);
	assert_true(next && fencing_next(fencing) == next);
	assert_false(fencing_drain(fencing));
	pthread_mutex_unlock(&fencing->lock);
	assert_true(drained());
	assert_true(fencing->all.v[0]->told_ns > 0);
	assert_int_equal(lift("f1"), 0);
	assert_int_equal(fencing_next(fencing), 0);
}

/* For this thread: the call fails if its first argument is that. */
static void forbid(uint32_t call, uint32_t first, uint32_t with)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | with),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = array_size(code), .filter = code };

	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

static void *add_unsettled(void *arg)
{
	int *r = arg;
	struct refusal refusal;

	forbid(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, EINVAL);
	r[0] = fence_settle();
	forbid(SYS_bpf, BPF_MAP_CREATE, EPERM);
	r[1] = fence_settle();
	r[2] = refused("--client 127.0.0.2", &refusal);
	return NULL;
}

static void test_unsettled(void **state)
{
	int r[3] = { 1, 1, 1 };
	pthread_t t;

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	assert_int_equal(pthread_create(&t, NULL, add_unsettled, r), 0);
	pthread_join(t, NULL);
	assert_int_equal(r[0], 0); /* by another way */
	assert_int_equal(r[1], -EPERM);
	assert_int_equal(r[2], -EPERM);
	assert_non_null(strstr(err, "cannot be waited for"));
	assert_int_equal(count(), 1);
	knock("127.0.0.2", 0);
}

static void *add_without_maps(void *arg)
{
	struct refusal refusal;

	forbid(SYS_bpf, BPF_MAP_UPDATE_ELEM, EPERM);
	*(int *)arg = refused("--client 127.0.0.2", &refusal);
	return NULL;
}

/* The kernel took those before, and does not take this one. */
static void test_not_taken(void **state)
{
	pthread_t t;
	int r = 1;

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	assert_int_equal(pthread_create(&t, NULL, add_without_maps, &r), 0);
	pthread_join(t, NULL);
	assert_int_equal(r, -EPERM);
	assert_int_equal(count(), 1);
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
	must_add("--client 127.0.0.2", 60000);
	knock("127.0.0.2", -ECONNREFUSED);
}

static struct {
	bool stop;
	unsigned int let_in;
} knocks;

static void *knock_on(void *arg)
{
	while (!__atomic_load_n(&knocks.stop, __ATOMIC_RELAXED))
		knocks.let_in += knock_at(server, "127.0.0.2", "127.0.0.1") == 0;
	return arg;
}

/* As if another version of us had compiled it: the same id, and more in it. Nobody is let in meanwhile. */
static void compile_otherwise(void)
{
	struct fence v[2] = { fencing->all.v[0]->parts.v[0], fencing->all.v[0]->parts.v[0] };

	v[0].remote = prefix("127.0.0.0/29");
	v[1].id = 1;
	assert_int_equal(fence_replace(fencing->kernel, v + 1, 1, err), 0);
	assert_int_equal(fence_replace(fencing->kernel, v, 2, err), 0);
	assert_int_equal(fence_replace(fencing->kernel, v, 1, err), 0);
	knock("127.0.0.4", -ECONNREFUSED);
}

static void test_compiled_otherwise(void **state)
{
	unsigned int turn;
	pthread_t t;

	(void)state;
	must_add("--client 127.0.0.2", 60000);
	assert_int_equal(pthread_create(&t, NULL, knock_on, NULL), 0);
	for (unsigned int i = 0; i < many(100); i++) {
		compile_otherwise();
		must_add("--client 127.0.0.9", 60000);
		knock("127.0.0.4", 0);
		assert_int_equal(lift_by("--client 127.0.0.9"), 1);
	}
	__atomic_store_n(&knocks.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	assert_int_equal(knocks.let_in, 0);
	turn = fencing->all.v[0]->turn;
	again();
	assert_int_equal(fencing->all.v[0]->turn, turn);
	knock("127.0.0.2", -ECONNREFUSED);
	knock("127.0.0.4", 0);
}

static void *add_and_lift(void *arg)
{
	const struct fence_author by = { 0 };
	struct selector v[3];
	struct request req = { .selectors = v, .fence_ms = 60000 };
	char text[32], why[ERR_LEN];
	json_t *shown, *lifted;
	struct refusal refusal;

	snprintf(text, sizeof(text), "uid:%u", 77000 + *(unsigned int *)arg);
	if (selector_parse(SEL_USER, text, &v[0], why) < 0 || selector_parse(SEL_NETNS, here, &v[1], why) < 0)
		return NULL;
	req.n_selectors = 2;
	for (unsigned int i = 0; i < many(20); i++) {
		if (fencing_add(fencing, &req, &by, 0, &shown, &refusal, why) < 0)
			return NULL;
		json_decref(shown);
		if (fencing_lift(fencing, NULL, &req, &by, 0, &lifted, why) < 0 || json_array_size(lifted) != 1)
			return NULL;
		json_decref(lifted);
	}
	return arg;
}

static void test_threads(void **state)
{
	unsigned int id[] = { 1, 2, 3 };
	pthread_t t[3];
	void *ret;

	(void)state;
	must_add("--client 127.0.0.2", 60000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, add_and_lift, &id[i]), 0);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(t[i], &ret);
		assert_non_null(ret);
	}
	assert_int_equal(count(), 1);
	knock("127.0.0.2", -ECONNREFUSED);
	assert_int_equal(fencing->last, 1 + 3 * many(20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fencing_test(test_up_and_down),
		fencing_test(test_by_selectors),
		fencing_test(test_parts),
		fencing_test(test_full_disk),
		fencing_test(test_start_on_full_disk),
		fencing_test(test_on_time),
		fencing_test(test_guards),
		fencing_test(test_refusing_kernel),
		fencing_test(test_kernel_later),
		fencing_test(test_namespace_gone),
		fencing_test(test_namespace_missed),
		fencing_test(test_namespace_held),
		fencing_test(test_cgroup_anew),
		fencing_test(test_loop_does_not_wait),
		fencing_test(test_unsettled),
		fencing_test(test_not_taken),
		fencing_test(test_compiled_otherwise),
		fencing_test(test_threads),
	};

	return fence_run("fencing", tests, setup_all, teardown_all);
}
