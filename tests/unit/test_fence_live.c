// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_live.c - fences and the connections of a host: what was caught and could not be ended, and a host that has more of them
 * than the index takes. */
#include "daemon/catch.h"
#include "daemon/people.h"
#include "fenced_live.h"

#include <sys/resource.h>

static struct lineage cgroups;
static uint32_t alice;

/* ---- her process, which keeps what it accepts ---- */

struct inn {
	int listener, told;
	pid_t pid;
};

static void serve(int listener, int tell)
{
	FILE *to = fopen("/proc/self/loginuid", "w");
	uint64_t cookie = 0;

	if (!to || fprintf(to, "%u", alice) < 0 || fclose(to) != 0)
		_exit(write(tell, &cookie, sizeof(cookie)) < 0);
	for (;;) {
		cookie = cookie_of(must(accept(listener, NULL, NULL), "accept"));
		must(write(tell, &cookie, sizeof(cookie)), "write");
	}
}

static struct inn open_inn(void)
{
	struct inn i = { .listener = listener("127.0.0.1", 0, 5) };
	int ends[2];

	must(pipe(ends), "pipe");
	i.told = ends[0];
	i.pid = must(fork(), "fork");
	if (!i.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(i.listener, ends[1]);
	}
	close(ends[1]);
	return i;
}

static void close_inn(struct inn *i)
{
	kill(i->pid, SIGKILL);
	waitpid(i->pid, NULL, 0);
	close(i->listener);
	close(i->told);
}

/* The client's end, and the cookie of hers. */
static int visit(const struct inn *i, const char *from, uint64_t *ret_cookie)
{
	const struct end a = end_of(from, 0), b = end_of("127.0.0.1", port_of(i->listener));
	int fd = bound(&a, SOCK_STREAM);

	must(connect(fd, &b.sa, b.len), "connect");
	assert_int_equal(read(i->told, ret_cookie, sizeof(*ret_cookie)), sizeof(*ret_cookie));
	if (!*ret_cookie)
		skip_because("who logs in cannot be changed here");
	must(live_drain(&live), "live_drain");
	return fd;
}

static bool is_reset(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, deadline_ms()) == 1 && !established(fd);
}

/* ---- looks ---- */

static size_t look(struct catch *c, const struct ids *new_netns)
{
	const struct ids none = { 0 };
	_cleanup_(selection_clear) struct selection sel = { 0 };
	_cleanup_(meant_clear) struct meant meant = { 0 };

	catch_clear(c);
	must(people_read(&live, &sel), "people_read");
	must(fencing_mean(fencing, &sel.people, &cgroups, &meant), "fencing_mean");
	must(people_read_holders(&live, &meant.any, 0, NULL, &sel), "people_read_holders");
	must(catch_find(c, &live, fencing, &meant, &sel, new_netns ? new_netns : &none), "catch_find");
	return c->n;
}

/* Where no file can be opened. */
static void end_in_vain(struct catch *c)
{
	struct rlimit usual, none;

	must(getrlimit(RLIMIT_NOFILE, &usual), "getrlimit");
	none = (struct rlimit){ 0, usual.rlim_max };
	must(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
	catch_end(c, &live, fencing);
	must(setrlimit(RLIMIT_NOFILE, &usual), "setrlimit");
}

static void add_user(void)
{
	char text[32];

	fencing->live = NULL; /* nobody asks who asks */
	snprintf(text, sizeof(text), "--user uid:%u", alice);
	must_add(text, 60000);
	fencing->live = &live;
}

static void test_again(void **state)
{
	_cleanup_(catch_clear) struct catch c = { 0 };
	struct inn i = open_inn();
	uint64_t cookie;
	int fd;

	(void)state;
	add_user();
	assert_int_equal(look(&c, NULL), 0);
	fd = visit(&i, "127.0.0.2", &cookie);
	assert_true(look(&c, NULL) == 1 && c.v->handle == cookie);
	end_in_vain(&c);
	assert_true(established(fd));
	assert_true(look(&c, NULL) == 1 && c.v->handle == cookie);
	catch_end(&c, &live, fencing);
	assert_true(is_reset(fd));
	assert_int_equal(look(&c, NULL), 0);
	close(fd);
	close_inn(&i);
}

static void attach(struct ids *ret_new)
{
	const struct owners nobody = { 0 };

	must(fencing_attach(fencing, &nobody, ret_new), "attach");
}

/* In a namespace that is new once. */
static void test_again_in_new(void **state)
{
	struct ids first = { 0 }, second = { 0 }, third = { 0 };
	_cleanup_(catch_clear) struct catch c = { 0 };
	struct inn i = open_inn();
	uint64_t cookie;
	int fd = visit(&i, "127.0.0.2", &cookie);

	(void)state;
	must_add("--client 127.0.0.2", 60000);
	fencing->live = &live;
	fencing->all.v[0]->since_ns = 1; /* as if he had come after it */
	assert_int_equal(ids_add(&first, strtoul(here, NULL, 10)), 0);
	assert_true(look(&c, &first) == 1 && c.v->handle == cookie);
	end_in_vain(&c);
	assert_true(established(fd));
	attach(&second);
	assert_true(second.n == 1 && second.v[0] == first.v[0]);
	assert_int_equal(look(&c, &second), 1);
	catch_end(&c, &live, fencing);
	assert_true(is_reset(fd));
	attach(&third);
	assert_int_equal(third.n, 0);
	free(first.v);
	free(second.v);
	close(fd);
	close_inn(&i);
}

/* ---- more than the index takes ---- */

static void test_crowded(void **state)
{
	_cleanup_(catch_clear) struct catch c = { 0 };
	int l = listener("127.0.0.1", 0, 5), fd[50];
	struct inn i = open_inn();
	uint64_t cookie;
	size_t n = 0;

	(void)state;
	add_user();
	assert_int_equal(look(&c, NULL), 0);
	crowd(l);
	/* Others on this host may make room for some. */
	do {
		assert_true(n < array_size(fd));
		fd[n++] = visit(&i, "127.0.0.2", &cookie);
	} while (index_find(&live.index, cookie));
	assert_int_equal(look(&c, NULL), n);
	catch_end(&c, &live, fencing);
	while (n--) {
		assert_true(is_reset(fd[n]));
		close(fd[n]);
	}
	disperse();
	close(l);
	close_inn(&i);
}

static int open_live(void **state)
{
	alice = own_uid(1);
	return setup_live(state);
}

static int close_live(void **state)
{
	lineage_clear(&cgroups);
	return teardown_live(state);
}

#define live_test(name) cmocka_unit_test_setup_teardown(name, open_live, close_live)

int main(void)
{
	const struct CMUnitTest tests[] = {
		live_test(test_again),
		live_test(test_again_in_new),
		live_test(test_crowded),
	};

	return fence_run("fence_live", tests, setup_all, teardown_all);
}
