// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_memory.c - memory fails at the n-th call, for every n until a run needs no more: a listing, a dry run, a kill; or descriptors
 * run out. No crash, no leak (the sanitizers see to it), and never an answer that passes for a whole one and is not.
 * LINK: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray -Wl,--wrap=strdup
 * LINK: -Wl,--wrap=asprintf -Wl,--wrap=vasprintf -Wl,--wrap=fopen -Wl,--wrap=getline -Wl,--wrap=opendir
 * LINK: -Wl,--wrap=fts_open -Wl,--wrap=fts_read -Wl,--wrap=mnl_socket_open2 -Wl,--wrap=owners_bpf_open
 */
#include "kernel/owners.h"
#include "scene.h"
#include "unit.h"

#include <dirent.h>
#include <fts.h>
#include <libmnl/libmnl.h>
#include <sys/mount.h>

/* Calls that need memory, counted while a request runs; `failing` and, where `stays`, all after it fail. */
static unsigned int calls, failing;
static bool stays, armed, no_bpf;

static bool fails(void)
{
	bool yes = armed && (++calls == failing || (stays && calls > failing));

	if (yes)
		errno = ENOMEM;
	return yes;
}

#define WRAP(type, name, failed, params, args)                                                                   \
	type __real_##name params;                                                                               \
	type __wrap_##name params;                                                                               \
	type __wrap_##name params                                                                                \
	{                                                                                                        \
		return fails() ? failed : __real_##name args;                                                    \
	}
typedef int (*fts_compare)(const FTSENT **a, const FTSENT **b);

WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, (void *p, size_t n), (p, n))
WRAP(void *, reallocarray, NULL, (void *p, size_t n, size_t size), (p, n, size))
WRAP(char *, strdup, NULL, (const char *s), (s))
WRAP(int, vasprintf, -1, (char **ret, const char *fmt, va_list ap), (ret, fmt, ap))
WRAP(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
WRAP(ssize_t, getline, -1, (char **line, size_t *cap, FILE *f), (line, cap, f))
WRAP(DIR *, opendir, NULL, (const char *path), (path))
WRAP(FTS *, fts_open, NULL, (char *const *paths, int options, fts_compare compare), (paths, options, compare))
WRAP(struct mnl_socket *, mnl_socket_open2, NULL, (int bus, int flags), (bus, flags))

/* It fails having begun, as a real one does: fts_close() of glibc leaks a walk of which nothing was read. */
FTSENT *__real_fts_read(FTS *fts);
FTSENT *__wrap_fts_read(FTS *fts);
FTSENT *__wrap_fts_read(FTS *fts)
{
	FTSENT *e = __real_fts_read(fts);

	return fails() ? NULL : e;
}

int __wrap_asprintf(char **ret, const char *fmt, ...);
int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fails() ? -1 : __real_vasprintf(ret, fmt, ap);
	va_end(ap);
	return r;
}

int __real_owners_bpf_open(struct owners_bpf **ret);
int __wrap_owners_bpf_open(struct owners_bpf **ret);
int __wrap_owners_bpf_open(struct owners_bpf **ret)
{
	return no_bpf ? -EPERM : __real_owners_bpf_open(ret);
}

static void ask_with(const struct request *req, unsigned int n, bool for_good)
{
	calls = 0;
	failing = n;
	stays = for_good;
	armed = true;
	ask(req);
	armed = false;
}

static void as_whole(const struct flow *f, const struct flow *whole)
{
	assert_int_equal(f->direction, whole->direction);
	assert_int_equal(f->transport, whole->transport);
	assert_int_equal(f->user_known, whole->user_known);
	assert_int_equal(f->user, whole->user);
	assert_int_equal(f->via, whole->via);
	assert_true(f->proc >= 0);
}

/* A success must be the same as with all memory of the world. */
static void for_every_call(const struct request *req, bool for_good)
{
	struct flow whole;
	enum status status;
	unsigned int n, step = 1, failed = 0;

	ask_with(req, 0, false);
	status = answer.status;
	assert_int_equal(answer.n, scene.n);
	whole = *flow_of(0);
	/* A walk through /proc is hundreds of calls of a kind. */
	for (n = 1;; n += step) {
		step = n < 60 ? unit_stride(10) : 19;
		ask_with(req, n, for_good);
		if (calls < n)
			break;
		if (answer.status == status) {
			assert_int_equal(answer.n, scene.n);
			as_whole(flow_of(0), &whole);
		} else {
			assert_int_not_equal(answer.status, STATUS_OK);
			if (answer.status != STATUS_PARTIAL && answer.status != STATUS_GUARD)
				fail_msg("call %u: status %d: %s", n, answer.status, answer.err);
			assert_true(*answer.err);
			failed++;
		}
	}
	assert_true(n > 20 && failed * unit_stride(10) > 10);
}

static void test_list(void **state)
{
	struct request req = scene_request(VERB_LIST);

	(void)state;
	scene_open(30);
	for_every_call(&req, false);
}

static void test_dry_run(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.dry_run = true;
	scene_open(30);
	for_every_call(&req, true);
}

/* What is above the leaf comes with it: one directory less is one set of victims less. */
static void test_by_cgroup(void **state)
{
	struct selector root[] = { scene_selectors[0], scene_selectors[1], { .kind = SEL_CGROUP, .text = "/" } };
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.selectors = root;
	req.n_selectors = array_size(root);
	req.dry_run = true;
	scene_open(30);
	for_every_call(&req, false);
}

static void test_rows(void **state)
{
	struct request req = scene_request(VERB_LIST);
	static const enum list_what what[] = { LIST_USERS, LIST_CLIENTS };

	(void)state;
	scene_open(30);
	for (size_t i = 0; i < array_size(what); i++) {
		req.what = what[i];
		for (unsigned int n = 1;; n += unit_stride(10)) {
			ask_with(&req, n, true);
			if (calls < n)
				break;
			assert_true(answer.status == STATUS_OK ? answer.rows == 1 : answer.status == STATUS_PARTIAL);
		}
		assert_int_equal(answer.status, STATUS_OK);
	}
}

/* Nobody will log in through what the scene has accepted; that is certain only after a second look at the port. */
static void test_sessions(void **state)
{
	struct request req = scene_request(VERB_LIST);
	enum status whole;

	(void)state;
	scene_open(30);
	req.what = LIST_SESSIONS;
	ask_with(&req, 0, false);
	whole = answer.status;
	assert_true(whole == STATUS_OK || whole == STATUS_NO_MATCH);
	for (unsigned int n = 1;; n += unit_stride(10)) {
		ask_with(&req, n, true);
		if (calls < n)
			break;
		assert_true(answer.status == whole || answer.status == STATUS_PARTIAL);
	}
	assert_int_equal(answer.status, whole);
}

static void for_every_kill(bool for_good)
{
	const struct request req = scene_request(VERB_KILL);
	unsigned int n, cut = 0;

	for (n = 1;; n += 2 * unit_stride(3)) {
		size_t dead;

		scene_open(5);
		ask_with(&req, n, for_good);
		dead = answer.n ? check_truth(answer.status != STATUS_OK) : 5 - scene_look();
		scene_close(NULL);
		if (calls < n)
			break;
		assert_true(answer.status == STATUS_OK ? dead == 5 :
			    dead ? answer.status == STATUS_PARTIAL :
				   answer.status == STATUS_PARTIAL || answer.status == STATUS_GUARD);
		cut += dead > 0 && answer.status != STATUS_OK;
	}
	assert_int_equal(answer.status, STATUS_OK);
	assert_true(n > 20 && cut > 0);
}

static void test_kill(void **state)
{
	(void)state;
	for_every_kill(false);
	for_every_kill(true);
}

static void test_without_bpf(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	no_bpf = true;
	req.dry_run = true;
	scene_open(10);
	for_every_call(&req, false);
	scene_close(NULL);
	for_every_kill(true);
}

/* The limit holds from the first call of the report to its last. */
static const struct rlimit *limit_within, *limit_after;

static void limit_on_begin(struct report *r, const struct request *req)
{
	on_begin(r, req);
	must(setrlimit(RLIMIT_NOFILE, limit_within), "setrlimit");
}

static void limit_on_end(struct report *r, const struct summary *s)
{
	on_end(r, s);
	must(setrlimit(RLIMIT_NOFILE, limit_after), "setrlimit");
}

/* Room for so many descriptors more, from none on. */
static void with_few_descriptors(const struct request *req)
{
	struct rlimit before, few;
	struct flow whole;
	unsigned int denied = 0, enough = 0;

	ask(req);
	whole = *flow_of(0);
	must(getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
	for (unsigned int room = 0; !enough; room++) {
		_close_ int lowest = must(dup(0), "dup");

		few = (struct rlimit){ lowest + room, before.rlim_max };
		close(take_fd(&lowest));
		limit_within = &few;
		limit_after = &before;
		scene_ops.begin = limit_on_begin;
		scene_ops.end = limit_on_end;
		ask(req);
		scene_ops = (struct report_ops)RECORD;
		if (answer.status == STATUS_OK) {
			assert_int_equal(answer.n, scene.n);
			as_whole(flow_of(0), &whole);
			enough++;
		} else {
			denied++;
		}
	}
	assert_true(denied > 0);
}

static void test_descriptors(void **state)
{
	struct request req = scene_request(VERB_KILL);

	(void)state;
	req.dry_run = true;
	scene_open(10);
	with_few_descriptors(&req);
	no_bpf = true;
	with_few_descriptors(&req);
}

static int set_up(void **state)
{
	(void)state;
	no_bpf = armed = false;
	return 0;
}

/* A cgroup v2 to walk, whatever the host has; for this process alone. */
static int begin(void **state)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    (mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0 && errno != EBUSY)) /* EBUSY: it is one */
		return -errno;
	return scene_begin(state);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(test_list), SCENE(test_dry_run), SCENE(test_by_cgroup), SCENE(test_rows), SCENE(test_sessions),
		SCENE(test_kill), SCENE(test_without_bpf), SCENE(test_descriptors),
	};

	return unit_run_as_root("memory", tests, begin);
}
