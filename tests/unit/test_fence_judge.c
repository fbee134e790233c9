// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fence_judge.c - which of the connections that are here a fence ends, from look to look. */
#include "fencing_scene.h"
#include "kernel/cgroup.h"
#include "pipeline/source.h"

#define BOOT UINT64_C(1700000000000000)

enum { ALICE = 4242, BOB, MONITOR = 0, SHELL, SERVICE, INN }; /* the latter by place in the table of processes */

static struct proc procs[] = {
	[MONITOR] = { .pid = 10, .login_uid = ALICE, .audit_session = 7, .session = 0, .cgroup = 1001 },
	[SHELL] = { .pid = 11, .login_uid = ALICE, .audit_session = 7, .session = 0, .cgroup = 1001 },
	[SERVICE] = { .pid = 20, .login_uid = ID_UNSET, .audit_session = ID_UNSET, .session = -1, .cgroup = 1002 },
	[INN] = { .pid = 30, .login_uid = BOB, .audit_session = 6, .session = 1, .cgroup = 1003 },
};
static const struct proctab table = { .v = procs, .n = array_size(procs) };
static struct session at[] = { { .id = "3", .uid = ALICE, .audit = 7, .leader = 10 }, { .id = "audit:6", .uid = BOB, .audit = 6 } };
static const struct sessions sessions = { .v = at, .n = array_size(at) };

static struct selection sel;
static struct meant meant;
static struct lineage cgroups;
static struct fence_match by;
static size_t caught;

static void forget(void)
{
	flowset_clear(&sel.flows);
	holders_clear(&sel.owners.holders);
	meant_clear(&meant);
	sel.owners.procs = table;
	sel.people = (struct people){ .procs = &sel.owners.procs, .sessions = &sessions, .holders = &sel.owners.holders };
	sel.boot = BOOT;
}

/* A connection that was accepted when CLOCK_BOOTTIME was birth, 0 unknown. Processes: by place, as bits. */
static struct flow *find(uint64_t cookie, uint64_t birth, unsigned int held)
{
	struct flow flow = { .cookie = cookie, .state = STATE_ESTABLISHED, .direction = DIR_IN, .local_port = 22, .inode = 1, .tracked = true };

	flow.netns = strtoul(here, NULL, 10);
	flow.remote = prefix("127.0.0.2").addr;
	flow.since = birth ? BOOT + birth / 1000 : 0;
	for (size_t i = 0; i < table.n; i++)
		if (held & 1u << i)
			assert_int_equal(holders_add(&sel.owners.holders, cookie, i), 0);
	flow_attribute(&flow, &sel.people);
	assert_int_equal(flowset_add(&sel.flows, &flow), 1);
	return &sel.flows.v[sel.flows.n - 1];
}

/* As one whose socket is that user's. */
static struct flow *attribute(struct flow *flow, uint32_t uid)
{
	flow->uid = uid;
	flow_attribute(flow, &sel.people);
	assert_int_equal(flow->user, uid);
	return flow;
}

static int on_caught(const struct flow *flow, const struct fence_match *m, void *arg)
{
	(void)flow;
	(void)arg;
	by = *m;
	caught++;
	return 0;
}

static size_t judge(void)
{
	caught = 0;
	must(fencing_mean(fencing, &sel.people, &cgroups, &meant), "mean");
	must(fencing_judge(fencing, &meant, &sel, on_caught, NULL), "judge");
	forget();
	return caught;
}

static size_t judge_places(void)
{
	caught = 0;
	must(fencing_judge_places(fencing, &sel, on_caught, NULL), "judge");
	forget();
	return caught;
}

static bool is_by(uint64_t number)
{
	return strtoull(by.id + 1, NULL, 10) == number;
}

/* A microsecond is what the births are told in. */
static uint64_t moment(void)
{
	poll(NULL, 0, 1);
	return now();
}

#define newest() (fencing->all.v[fencing->all.n - 1])

static void test_places(void **state)
{
	uint64_t before = moment(), between, first, second;
	struct prefix kept[] = { prefix("127.0.0.2") };
	const struct prefixes protect = { kept, 1, 1 };

	(void)state;
	forget();
	assert_false(fencing_any_place(fencing));
	first = must_add("--client 127.0.0.2", 60000);
	between = moment();
	second = must_add("--client 127.0.0.0/24 --local-port 22", 90000);
	assert_true(fencing_any_place(fencing) && !fencing_any_people(fencing));
	find(1, moment(), 0);
	assert_true(judge_places() == 1 && is_by(second)); /* the longer one */
	assert_string_equal(by.request, "");
	find(1, between, 0);
	assert_true(judge_places() == 1 && is_by(first)); /* the other was not there yet */
	find(1, before, 0);
	find(2, 0, 0);
	assert_int_equal(judge_places(), 0);
	find(1, moment(), 0)->local_port = 23;
	assert_true(judge_places() == 1 && is_by(first));
	find(1, moment(), 0)->direction = DIR_OUT;
	find(2, moment(), 0)->netns++;
	assert_int_equal(judge_places(), 0);
	find(1, moment(), 1 << MONITOR);
	assert_int_equal(judge(), 0); /* they name nobody */
	assert_int_equal(fencing_protect(fencing, &protect), 0);
	find(1, moment(), 0);
	assert_int_equal(judge_places(), 0);
}

/* When it began nobody knows; and of an earlier boot nothing is left. */
static void test_half_open(void **state)
{
	(void)state;
	forget();
	must_add("--client 127.0.0.2", 60000);
	*find(1, 0, 0) = (struct flow){ .cookie = 1, .state = STATE_NEW_SYN_RECV, .direction = DIR_IN, .remote = prefix("127.0.0.2").addr,
					.netns = strtoul(here, NULL, 10) };
	assert_int_equal(judge_places(), 1);
	find(1, 0, 0);
	assert_int_equal(judge_places(), 0);
	newest()->since_ns = 0;
	find(1, 0, 0);
	assert_int_equal(judge_places(), 1);
	newest()->until_ns = moment(); /* it has ended, and nobody has put it away yet */
	find(1, 0, 0);
	assert_int_equal(judge_places(), 0);
}

static void test_first_look(void **state)
{
	uint64_t before = moment(), number;

	(void)state;
	forget();
	number = must_add("--user uid:4242", 60000);
	assert_true(fencing_any_people(fencing) && !fencing_any_place(fencing));
	for (int i = 0; i < 2; i++) { /* the first look and another */
		find(1, before, 1 << MONITOR | 1 << SHELL);
		find(2, 0, 1 << MONITOR); /* nobody saw it come */
		find(3, before, 1 << MONITOR | 1 << INN);
		find(4, before, 1 << SERVICE);
		assert_int_equal(judge(), 0);
	}
	find(1, before, 1 << MONITOR);
	find(4, before, 1 << SERVICE | 1 << SHELL); /* handed over since */
	assert_true(judge() == 1 && is_by(number));
	find(4, before, 1 << SERVICE | 1 << SHELL); /* as long as it is there */
	assert_int_equal(judge(), 1);
	find(3, before, 1 << MONITOR); /* hers alone by now: it was hers before */
	assert_int_equal(judge(), 0);
	find(5, moment(), 1 << MONITOR | 1 << INN); /* not hers alone */
	find(6, moment(), 1 << INN);
	attribute(find(7, moment(), 1 << SERVICE), ALICE); /* nobody has logged in there */
	assert_int_equal(judge(), 0);
	attribute(find(7, moment(), 1 << SERVICE), ALICE)->direction = DIR_OUT; /* she has opened it, whose it is is known */
	assert_int_equal(judge(), 1);
	find(8, moment(), 1 << MONITOR);
	assert_int_equal(judge(), 1);
}

/* Of two who have it, whoever is shown as its user: what was theirs before stays. */
static void test_shared(void **state)
{
	uint64_t before = moment();

	(void)state;
	forget();
	must_add("--user uid:4242", 60000);
	must_add("--user uid:4243", 60000);
	find(1, before, 1 << MONITOR | 1 << INN);
	find(2, before, 1 << MONITOR | 1 << INN);
	assert_int_equal(judge(), 0);
	find(1, before, 1 << MONITOR);
	find(2, before, 1 << INN);
	assert_int_equal(judge(), 0);
}

static int too_much(const struct flow *flow, const struct fence_match *m, void *arg)
{
	return on_caught(flow, m, arg) ?: -ENOMEM;
}

/* A look that was cut short has told nothing. */
static void test_cut_short(void **state)
{
	uint64_t before = moment();

	(void)state;
	forget();
	must_add("--user uid:4242", 60000);
	find(1, before, 1 << MONITOR);
	find(2, moment(), 1 << MONITOR);
	must(fencing_mean(fencing, &sel.people, &cgroups, &meant), "mean");
	assert_int_equal(fencing_judge(fencing, &meant, &sel, too_much, NULL), -ENOMEM);
	forget();
	find(1, before, 1 << MONITOR);
	find(3, before, 1 << SHELL);
	assert_int_equal(judge(), 0);
}

static void set_audit(struct standing *s, uint32_t audit)
{
	s->audit = audit;
	free(s->line);
	s->line = NULL;
	fencing->stale = true;
}

/* Who was connected before, and has logged in since, by the number of his session; also where nobody has looked in between. */
static void test_log_in(void **state)
{
	uint64_t before = moment();

	(void)state;
	forget();
	must_add("--user uid:4242", 60000);
	set_audit(newest(), 7);
	find(1, before, 1 << MONITOR);
	assert_int_equal(judge(), 0);
	must_add("--user uid:4242 --local-port 22", 70000);
	set_audit(newest(), 6);
	find(1, before, 1 << MONITOR);
	assert_true(judge() == 1 && is_by(newest()->number));
	again();
	assert_true(fencing->all.v[0]->audit == 7 && newest()->audit == 6);
	find(1, before, 1 << MONITOR);
	find(2, before, 1 << SHELL)->local_port = 23;
	assert_true(judge() == 1 && is_by(newest()->number));
}

static void test_sessions(void **state)
{
	struct standing *s;

	(void)state;
	forget();
	must_add("--user uid:1", 60000); /* of a session, as if one of that name were there */
	s = newest();
	s->target.filter.named = 1u << SEL_SESSION | 1u << SEL_NETNS;
	s->target.filter.users.n = 0;
	s->target.filter.sessions.v = calloc(1, sizeof(*s->target.filter.sessions.v));
	s->target.filter.sessions.n = s->target.filter.sessions.cap = 1;
	s->target.filter.sessions.v[0] = (struct session_id){ .form = SESSION_AUDIT, .audit = 6 };
	find(1, moment(), 1 << INN);
	assert_int_equal(judge(), 1);
	find(1, moment(), 1 << MONITOR);
	assert_int_equal(judge(), 0);
}

static uint64_t make(const char *path)
{
	struct stat st;

	must(mkdir(path, 0755), path);
	must(stat(path, &st), path);
	return st.st_ino;
}

/* Below a cgroup that is fenced: made before and after, gone, and one beside it whose name begins as its does. */
static void test_cgroups(void **state)
{
	_free_ char *mount = NULL;
	char top[128], below[160], deep[192], beside[160], text[160];

	(void)state;
	forget();
	must(cgroup_mount(&mount), "cgroup v2");
	snprintf(top, sizeof(top), "%s/sever-judge-%d", mount, getpid());
	snprintf(below, sizeof(below), "%s/below", top);
	snprintf(deep, sizeof(deep), "%s/deep", below);
	snprintf(beside, sizeof(beside), "%s-2", top);
	procs[SERVICE].cgroup = make(top);
	snprintf(text, sizeof(text), "--cgroup %s", top);
	must_add(text, 60000);
	assert_int_equal(judge(), 0);
	find(1, 1, 1 << SERVICE);
	assert_int_equal(judge(), 1);
	make(below);
	procs[SERVICE].cgroup = make(deep);
	find(1, 1, 1 << SERVICE);
	assert_int_equal(judge(), 1);
	find(1, 1, 0)->cgroup = procs[SERVICE].cgroup; /* handed on since */
	assert_int_equal(judge(), 1);
	must(rmdir(deep), deep);
	find(1, 1, 1 << SERVICE);
	assert_int_equal(judge(), 1);
	procs[SERVICE].cgroup = make(beside);
	find(1, moment(), 1 << SERVICE);
	find(2, moment(), 1 << SHELL);
	assert_int_equal(judge(), 0);
	must(rmdir(beside), beside);
	must(rmdir(below), below);
	must(rmdir(top), top);
	procs[SERVICE].cgroup = 1002;
	lineage_clear(&cgroups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fencing_test(test_places),    fencing_test(test_half_open), fencing_test(test_first_look), fencing_test(test_shared),
		fencing_test(test_cut_short), fencing_test(test_log_in),    fencing_test(test_sessions),   fencing_test(test_cgroups),
	};

	return fence_run("fence_judge", tests, setup_all, teardown_all);
}
