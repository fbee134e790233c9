// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_engines.c - SOCK_DESTROY refused, in each way a kernel refuses it: the next engine takes over, or the report says that
 * nothing did. Never a success that is none.
 * LINK: -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_recvfrom -Wl,--wrap=syscall
 */
#include "scene.h"
#include "wire.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool no_pidfd, no_bpf;
static int refusal;		 /* of SOCK_DESTROY */
static int bpf_err;		 /* of all of BPF */
static unsigned int first, last; /* destroys that are refused */

long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

/* The program itself calls nothing else by number: six words are what any of these takes. */
long __wrap_syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if ((nr == SYS_bpf && no_bpf) || (nr == SYS_pidfd_getfd && no_pidfd)) {
		errno = nr == SYS_bpf ? bpf_err : ENOSYS;
		return -1;
	}
	return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int refuse(unsigned int n)
{
	return n >= first && n <= last ? refusal : 0;
}

static int set_up(void **state)
{
	(void)state;
	wire_reset();
	wire.destroy_err = refuse;
	no_pidfd = no_bpf = false;
	refusal = 0;
	bpf_err = ENOSYS;
	first = 1;
	last = UINT32_MAX;
	return 0;
}

static void cut_by(const char *engine)
{
	for (size_t i = 0; i < answer.n; i++)
		assert_string_equal(answer.v[i].engine, engine);
}

static void test_diag(void **state)
{
	(void)state;
	scene_open(40);
	kill_all(STATUS_OK, 40);
	cut_by("diag");
	assert_int_equal(wire.destroys, 40);
	assert_true(answer.s.staged && answer.s.stage == STAGE_VERIFIED && !answer.s.interrupted);
}

static void test_next_is_pidfd(void **state)
{
	(void)state;
	refusal = -EOPNOTSUPP;
	scene_open(40);
	kill_all(STATUS_OK, 40);
	cut_by("pidfd");
}

/* Is the name of a function or struct in what the kernel says of itself? Not asked through our own code. */
static bool kernel_has(const char *name)
{
	_close_ int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool found;
	void *btf;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	btf = malloc(st.st_size);
	assert_non_null(btf);
	for (ssize_t n = 0, r; n < st.st_size; n += r) {
		r = read(fd, (char *)btf + n, st.st_size - n);
		assert_true(r > 0);
	}
	found = memmem(btf, st.st_size, name, strlen(name) + 1);
	free(btf);
	return found;
}

static void test_next_is_bpf(void **state)
{
	(void)state;
	refusal = -EOPNOTSUPP;
	no_pidfd = true;
	scene_open(40);
	if (kernel_has("bpf_sock_destroy")) {
		kill_all(STATUS_OK, 40);
		cut_by("bpf");
	} else { /* before 6.5 */
		kill_all(STATUS_KERNEL, 0);
		assert_int_equal(answer.s.unsupported, 40);
	}
}

/* No engine could, but one might with more rights: that is the answer that helps. */
static void test_no_engine_for_us(void **state)
{
	(void)state;
	refusal = -EOPNOTSUPP;
	no_pidfd = no_bpf = true;
	bpf_err = EPERM;
	scene_open(20);
	kill_all(STATUS_DENIED, 0);
	assert_int_equal(answer.s.denied, 20);
}

/* Some by this engine, some by that. */
static void test_mixed(void **state)
{
	size_t diag = 0;

	(void)state;
	refusal = -EOPNOTSUPP;
	first = 11;
	last = 25;
	scene_open(40);
	kill_all(STATUS_OK, 40);
	for (size_t i = 0; i < answer.n; i++)
		diag += !strcmp(answer.v[i].engine, "diag");
	assert_int_equal(diag, 25);
}

static void test_no_engine(void **state)
{
	(void)state;
	refusal = -EOPNOTSUPP;
	no_pidfd = no_bpf = true;
	scene_open(40);
	kill_all(STATUS_KERNEL, 0);
	assert_int_equal(answer.s.unsupported, 40);
	for (size_t i = 0; i < answer.n; i++)
		assert_true(answer.v[i].err < 0 && answer.v[i].note && !answer.v[i].engine);
	assert_false(answer.s.staged);
}

static void test_some_without_engine(void **state)
{
	(void)state;
	refusal = -EOPNOTSUPP;
	first = 3;
	last = 7;
	no_pidfd = no_bpf = true;
	scene_open(40);
	kill_all(STATUS_PARTIAL, 35);
	assert_int_equal(answer.s.unsupported, 5);
}

/* What is denied stays denied: another engine must not be the way around it. */
static void test_denied(void **state)
{
	(void)state;
	refusal = -EPERM;
	scene_open(40);
	kill_all(STATUS_DENIED, 0);
	assert_int_equal(answer.s.denied, 40);
	assert_int_equal(answer.v[7].err, -EPERM);
}

/* The right is lost in the middle, after two batches. */
static void test_denied_midway(void **state)
{
	(void)state;
	refusal = -EPERM;
	first = 513;
	scene_open(600);
	kill_all(STATUS_PARTIAL, 512);
	assert_int_equal(answer.s.dead, 512);
	assert_int_equal(answer.s.denied, 88);
	assert_false(answer.s.staged);
}

/* "No such socket" is not believed: it is there. */
static void test_lying_enoent(void **state)
{
	(void)state;
	refusal = -ENOENT;
	scene_open(20);
	kill_all(STATUS_OK, 20);
	cut_by("pidfd");
}

/* The kernel said done and did nothing. With no other engine it is alive, and nothing is called dead. */
static void test_lying_success(void **state)
{
	(void)state;
	refusal = 1;
	no_pidfd = no_bpf = true;
	scene_open(20);
	kill_all(STATUS_KERNEL, 0);
	assert_int_equal(answer.s.dead, 0);
	no_pidfd = false;
	kill_all(STATUS_OK, 20);
	cut_by("pidfd");
}

static int send_fails(unsigned int n, const struct nlmsghdr *h)
{
	(void)n;
	return h->nlmsg_type == SOCK_DESTROY ? refusal : 0;
}

/* The message does not even leave. */
static void test_send_fails(void **state)
{
	static const int errors[] = { -ENOBUFS, -ECONNREFUSED, -EPERM };

	(void)state;
	for (size_t i = 0; i < array_size(errors); i++) {
		bool denied = errors[i] == -EPERM;

		set_up(NULL);
		wire.before_send = send_fails;
		refusal = errors[i];
		scene_open(20);
		kill_all(denied ? STATUS_DENIED : STATUS_OK, denied ? 0 : 20);
		if (!denied)
			cut_by("pidfd");
		scene_close(NULL);
	}
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_diag),   SCENE(test_next_is_pidfd),	 SCENE(test_next_is_bpf),
		SCENE(test_mixed),  SCENE(test_no_engine),	 SCENE(test_some_without_engine),
		SCENE(test_denied), SCENE(test_denied_midway),	 SCENE(test_lying_enoent),
		SCENE(test_lying_success), SCENE(test_no_engine_for_us), SCENE(test_send_fails),
	};

	return unit_run_as_root("engines", tests, scene_begin);
}
