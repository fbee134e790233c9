// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_self.c - callers whose own connection may be among those that a fence is for. */
#include "fenced_live.h"

#include <linux/capability.h>
#include <sys/syscall.h>

static int asks(const char *client, pid_t caller, enum guard *ret)
{
	const struct fence_author by = { 0 };
	struct selector v[2];
	struct request req = { .selectors = v, .n_selectors = 2, .fence_ms = 60000, .dry_run = true, .caller = caller };
	struct refusal why;
	json_t *shown = NULL;
	int r;

	assert_int_equal(selector_parse(SEL_CLIENT, client, &v[0], err), 0);
	assert_int_equal(selector_parse(SEL_NETNS, here, &v[1], err), 0);
	fencing->live = &live;
	r = fencing_add(fencing, &req, &by, 0, &shown, &why, err);
	*ret = why.guard;
	return r;
}

static void test_oneself(void **state)
{
	int l = listener("127.0.0.1", 0, 5), n = 0;
	struct pair own[50];
	enum guard guard;

	(void)state;
	own[0] = connected(l, "127.0.0.9", 0);
	assert_true(asks("127.0.0.9", getpid(), &guard) == -ECANCELED && guard == GUARD_SELF);
	assert_int_equal(asks("127.0.0.8", getpid(), &guard), 0);
	assert_true(asks("127.0.0.8", 0, &guard) == -ECANCELED && guard == GUARD_SELF); /* whoever that is */
	crowd(l);
	do {
		assert_true(++n < (int)array_size(own));
		own[n] = connected(l, "127.0.0.8", 0);
		must(live_drain(&live), "live_drain");
	} while (index_find(&live.index, cookie_of(own[n].in)));
	assert_true(asks("127.0.0.8", getpid(), &guard) == -ECANCELED && guard == GUARD_SELF);
	for (; n >= 0; n--) {
		close(own[n].out);
		close(own[n].in);
	}
	disperse();
	close(l);
}

static void drop(unsigned int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &head, data), "capget");
	data[cap / 32].effective &= ~(1u << cap % 32);
	data[cap / 32].permitted &= ~(1u << cap % 32);
	must(syscall(SYS_capset, &head, data), "capset");
}

/* Without BPF, and without the right to see what more powerful processes hold. */
static void test_hidden(void **state)
{
	struct owners_bpf *people = live.people;
	enum guard guard;
	int status;
	pid_t pid;

	(void)state;
	live.people = NULL;
	pid = must(fork(), "fork");
	if (!pid) {
		drop(CAP_SYS_PTRACE);
		_exit(asks("127.0.0.8", getppid(), &guard) == -ECANCELED && guard == GUARD_SELF ? 0 : 1);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	live.people = people;
	assert_int_equal(status, 0);
}

#define live_test(name) cmocka_unit_test_setup_teardown(name, setup_live, teardown_live)

int main(void)
{
	const struct CMUnitTest tests[] = {
		live_test(test_oneself),
		live_test(test_hidden),
	};

	return fence_run("fence_self", tests, setup_all, teardown_all);
}
