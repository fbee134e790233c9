// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_live.c - what is born, ends or is lost on its way, and what a request finds of that. Others use this host meanwhile: all that
 * is looked at is in a namespace of the test's own. */
#include "daemon/attend.h"
#include "daemon/source_index.h"
#include "pipeline/source.h"
#include "tracked.h"

#include <bpf/bpf.h>

static struct live live;

static int setup(void **state)
{
	char err[ERR_LEN] = "";

	if (no_namespace(state) < 0)
		return -1;
	if (live_open(&live, NULL, err) < 0)
		fail_msg("%s", err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_close(&live);
	return 0;
}

/* The nth event from `since` on of that kind and socket; NULL none. */
static const struct logged *logged(enum event what, uint64_t cookie, uint64_t since, size_t nth)
{
	for (uint64_t seq = since; seq < live.log.next; seq++) {
		const struct logged *e = log_at(&live.log, seq);

		if (e && e->event == what && e->flow.cookie == cookie && !nth--)
			return e;
	}
	return NULL;
}

static void test_told(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.2", 0);
	uint64_t in = cookie_of(p.in), out = cookie_of(p.out), since = live.log.first;
	const struct logged *e;

	(void)state;
	must(live_drain(&live), "live_drain");
	assert_non_null(index_find(&live.index, in));
	assert_int_equal(index_find(&live.index, out)->remote_port, port_of(p.in));
	assert_non_null(logged(EVENT_FLOW_OPEN, in, since, 0));
	assert_non_null(logged(EVENT_FLOW_OPEN, out, since, 0));
	assert_null(logged(EVENT_FLOW_CLOSE, in, since, 0));
	must(write(p.out, "four", 4), "write");
	close_pair(&p);
	for (long ms = 0; ms < deadline_ms() && (index_find(&live.index, in) || index_find(&live.index, out)); ms++) {
		poll(NULL, 0, 1);
		must(live_drain(&live), "live_drain");
	}
	assert_null(index_find(&live.index, in));
	e = logged(EVENT_FLOW_CLOSE, out, since, 0);
	assert_true(e && e->sent == 4 && e->boot_ns > e->flow.birth && e->job == 0);
	assert_null(logged(EVENT_FLOW_CLOSE, out, since, 1));
	close(l);
}

static struct sever_event birth_of(uint64_t cookie, uint64_t birth)
{
	return (struct sever_event){
		.kind = SEVER_EVENT_BIRTH,
		.cookie = cookie,
		.flow = { .birth = birth, .family = AF_INET, .addr_family = AF_INET, .protocol = IPPROTO_UDP,
			  .login_uid = SEVER_ID_UNSET, .audit_session = SEVER_ID_UNSET, .direction = SEVER_DIR_OUT },
	};
}

/* A socket that is connected anew is another flow of the same cookie, also where the end of the first was lost: it is not ended by
 * the request that was to end that, nor is it anybody's. */
static void test_connected_again(void **state)
{
	struct sever_event first = birth_of(~0ull, 5), second = birth_of(~0ull, 6);
	uint64_t since = live.log.next;
	struct entry *e;

	(void)state;
	live_take(&live, &first, true);
	live_take(&live, &first, true);
	assert_non_null(logged(EVENT_FLOW_OPEN, ~0ull, since, 0));
	assert_null(logged(EVENT_FLOW_OPEN, ~0ull, since, 1));
	e = index_find(&live.index, ~0ull);
	e->job = live_new_job(&live, "a", 0);
	index_own(&live.index, e, 3001, 0);
	live_take(&live, &second, true);
	assert_int_equal(logged(EVENT_FLOW_CLOSE, ~0ull, since, 0)->reason, REASON_UNKNOWN);
	assert_int_equal(logged(EVENT_FLOW_CLOSE, ~0ull, since, 0)->uid, 3001);
	e = index_find(&live.index, ~0ull);
	assert_true(e && !e->job && e->owner == ID_UNSET && e->birth == 6);
	assert_int_equal(logged(EVENT_FLOW_OPEN, ~0ull, since, 1)->uid, ID_UNSET);
	index_remove(&live.index, e);
}

static const struct logged *end_of_flow(uint64_t cookie, enum sever_cause cause, uint32_t job, uint32_t session)
{
	struct sever_event e = birth_of(cookie, 5);
	uint64_t since = live.log.next;
	struct entry *at;

	live_take(&live, &e, true);
	at = index_find(&live.index, cookie);
	at->job = job;
	index_own(&live.index, at, 3001, session);
	e.kind = SEVER_EVENT_END;
	e.cause = cause;
	live_take(&live, &e, true);
	return logged(EVENT_FLOW_CLOSE, cookie, since, 0);
}

/* Who cut his own session did it himself, not so with another one of his; and what ended by itself no request has ended. */
static void test_whose_doing(void **state)
{
	uint32_t job = live_new_job(&live, "a", 7), nobodys = live_new_job(&live, "b", 0);
	const struct logged *e;

	(void)state;
	e = end_of_flow(~0ull, SEVER_CAUSE_DESTROYED, job, 7);
	assert_true(e->reason == REASON_ADMIN_SELF && e->job == job);
	assert_int_equal(end_of_flow(~0ull, SEVER_CAUSE_DESTROYED, job, 8)->reason, REASON_ADMIN);
	assert_int_equal(end_of_flow(~0ull, SEVER_CAUSE_DESTROYED, nobodys, 0)->reason, REASON_ADMIN);
	e = end_of_flow(~0ull, SEVER_CAUSE_PEER, job, 7);
	assert_true(e->reason == REASON_CLIENT && !e->job);
}

/* What a request for that client finds in this namespace; its notes must begin with `noted`, NULL: there are none. */
static bool found_all;

static size_t find(struct filter *f, const char *noted)
{
	struct selection sel = { 0 };
	struct source *s = NULL;
	size_t n = 0;

	f->protos = 1u << PROTO_TCP;
	f->states = STATES_DEFAULT;
	must(source_index_open(&live, 1, 0, true, &s), "source_index_open"); /* init asks: what we hold is not looked at */
	must(s->ops->select(s, f, NULL, &sel), "select");
	for (size_t i = 0; i < sel.flows.n; i++)
		n += sel.flows.v[i].netns == own_inode();
	found_all = !sel.incomplete;
	assert_true(sel.unattributed < 1u << 20); /* others have some */
	if (noted && !found_all)
		assert_true(s->notes.n == 1 && !strncmp(s->notes.v[0], noted, strlen(noted)));
	selection_clear(&sel);
	source_close(s);
	filter_clear(f);
	return n;
}

static size_t find_client(const char *addr, const char *noted)
{
	struct filter f = { .named = 1u << SEL_CLIENT };
	char why[ERR_LEN];

	f.clients.v = calloc(1, sizeof(*f.clients.v));
	f.clients.n = 1;
	assert_true(f.clients.v && prefix_parse(addr, f.clients.v, why) == 0);
	return find(&f, noted);
}

/* More events than the ring holds, while nobody reads. */
static void flood(int l)
{
	for (int i = 0; i < 7000; i++) {
		struct pair p = connected(l, "127.0.0.3", 0);

		reset_on_close(p.out);
		close_pair(&p);
	}
}

/* The birth of a victim was lost, and nobody has noticed yet: a request sees it all the same. */
static void test_lost(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct track_losses before, after;
	uint64_t since;
	struct pair p;

	(void)state;
	must(live_resync(&live), "live_resync");
	must(track_losses(live.track, &before), "track_losses");
	flood(l);
	p = connected(l, "127.0.0.4", 0);
	must(track_losses(live.track, &after), "track_losses");
	assert_true(after.events > before.events);
	since = live.log.next;
	assert_int_equal(find_client("127.0.0.4", NULL), 1);
	assert_true(found_all);
	assert_non_null(logged(EVENT_FLOW_OPEN, cookie_of(p.in), since, 0));
	assert_null(logged(EVENT_FLOW_OPEN, cookie_of(p.in), since, 1));
	close_pair(&p);
	close(l);
}

static size_t find_users(uint32_t n)
{
	struct filter f = { .named = 1u << SEL_USER };

	for (uint32_t uid = 0; uid < n; uid++)
		assert_int_equal(ids_add(&f.users, uid), 0);
	return find(&f, NULL);
}

/* Users whose flows stand in one bucket lead to each of these as often as they are many: it is one flow all the same. */
static void test_crowd_of_users(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p[200];

	(void)state;
	for (size_t i = 0; i < array_size(p); i++)
		p[i] = connected(l, "127.0.0.5", 0);
	assert_int_equal(find_users(1), 2 * array_size(p)); /* from here on it is known who accepted them */
	assert_int_equal(find_users(8192), 2 * array_size(p));
	for (size_t i = 0; i < array_size(p); i++)
		close_pair(&p[i]);
	close(l);
}

/* An end that nobody counted as lost is found when everything is looked at all the same. */
static void test_doubt(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.7", 0);
	uint64_t cookie = cookie_of(p.out);
	struct sever_flow f;

	(void)state;
	must(live_resync(&live), "live_resync");
	must(track_read(live.track, cookie, &f), "track_read");
	close_pair(&p);
	for (long ms = 0; ms < deadline_ms() && index_find(&live.index, cookie); ms++) {
		must(live_drain(&live), "live_drain");
		poll(NULL, 0, 1);
	}
	must(bpf_map_update_elem(live.track->part[PART_FLOWS], &cookie, &f, BPF_ANY), "ghost");
	must(live_audit(&live), "live_audit");
	must(live_resync(&live), "live_resync");
	assert_int_equal(track_read(live.track, cookie, &f), -ENOENT);
	assert_null(index_find(&live.index, cookie));
	close(l);
}

static void *audit(void *arg)
{
	return live_audit(&live) == 0 ? arg : NULL;
}

/* No request waits for it. */
static void test_audit_in_the_way(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.7", 0);
	uint64_t ghost = 1ull << 62;
	struct sever_flow f;
	pthread_t thread;
	void *done;

	(void)state;
	must(track_read(live.track, cookie_of(p.out), &f), "track_read");
	must(bpf_map_update_elem(live.track->part[PART_FLOWS], &ghost, &f, BPF_ANY), "ghost");
	pthread_mutex_lock(&live.lock); /* which who has found it out waits for */
	must(-pthread_create(&thread, NULL, audit, &live), "pthread_create");
	for (long ms = 0; ms < deadline_ms() && track_read(live.track, ghost, &f) == 0; ms++)
		poll(NULL, 0, 1);
	assert_int_equal(track_read(live.track, ghost, &f), -ENOENT);
	assert_int_equal(pthread_mutex_trylock(&live.resync_lock), 0);
	pthread_mutex_unlock(&live.resync_lock);
	pthread_mutex_unlock(&live.lock);
	pthread_join(thread, &done);
	assert_non_null(done);
	close_pair(&p);
	close(l);
}

static int swallow(const struct sever_event *e, void *arg)
{
	(void)e;
	(void)arg;
	return 0;
}

/* A connection of which the index knows and whose end nobody has read: the map had it, until it ended. */
static uint64_t end_unread(int l, struct sever_flow *was)
{
	struct pair p = connected(l, "127.0.0.8", 0);
	uint64_t cookie = cookie_of(p.out);
	struct sever_flow f;

	must(live_resync(&live), "live_resync");
	must(live_drain(&live), "live_drain");
	assert_non_null(index_find(&live.index, cookie));
	must(track_read(live.track, cookie, was), "track_read");
	close_pair(&p);
	for (long ms = 0; ms < deadline_ms() && track_read(live.track, cookie, &f) == 0; ms++)
		poll(NULL, 0, 1);
	must(track_drain(live.track, 100000, swallow, NULL), "track_drain");
	return cookie;
}

/* It is missing at first, for its end may yet be read; then it was lost, and is told. */
static void test_end_lost(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	uint64_t since = live.log.next, cookie;
	struct sever_flow was;

	(void)state;
	cookie = end_unread(l, &was);
	live.damaged = true;
	must(live_resync(&live), "live_resync");
	assert_true(live.doubtful && index_find(&live.index, cookie));
	live.doubtful = 1; /* it was long ago */
	must(live_resync(&live), "live_resync");
	assert_null(index_find(&live.index, cookie));
	assert_int_equal(logged(EVENT_FLOW_CLOSE, cookie, since, 0)->reason, REASON_UNKNOWN);
	assert_null(logged(EVENT_FLOW_CLOSE, cookie, since, 1));
	cookie = end_unread(l, &was);
	must(bpf_map_update_elem(live.track->part[PART_FLOWS], &cookie, &was, BPF_ANY), "ghost");
	must(live_audit(&live), "live_audit");
	assert_null(index_find(&live.index, cookie));
	assert_int_equal(logged(EVENT_FLOW_CLOSE, cookie, since, 0)->reason, REASON_UNKNOWN);
	close(l);
}

/* Somebody only watches: what was lost is made good though nobody asks. */
static void test_nobody_asks(void **state)
{
	int l = listener("127.0.0.1", 0, 5);
	struct pair p = connected(l, "127.0.0.9", 0);
	struct attend attend;
	bool there = false;

	(void)state;
	must(track_drain(live.track, 100000, swallow, NULL), "track_drain");
	live.damaged = true;
	assert_int_equal(attend_start(&attend, &live, NULL), 0);
	for (long ms = 0; ms < deadline_ms() && !there; ms++) {
		poll(NULL, 0, 1);
		pthread_mutex_lock(&live.lock);
		there = index_find(&live.index, cookie_of(p.in));
		pthread_mutex_unlock(&live.lock);
	}
	attend_stop(&attend);
	assert_true(there);
	close_pair(&p);
	close(l);
}

/* A map that is too small for the host: a request says that it may have missed some, until there is room again. */
static void test_crowded(void **state)
{
	const struct track_options small = { .max_flows = live.index.n + 200 };
	int l = listener("127.0.0.1", 0, 5);
	struct pair p[300];

	(void)state;
	track_close(live.track);
	live.track = opened(&small);
	index_clear(&live.index);
	for (size_t i = 0; i < array_size(p); i++)
		p[i] = connected(l, "127.0.0.6", 0);
	assert_true(find_client("127.0.0.6", "not all connections could be tracked") < array_size(p));
	assert_false(found_all);
	assert_true(live.crowded);
	for (size_t i = 0; i < array_size(p); i++) {
		reset_on_close(p[i].out);
		close_pair(&p[i]);
	}
	p[0] = connected(l, "127.0.0.6", 0);
	/* Others on this host may fill it again for a moment. */
	for (long ms = 0; ms < deadline_ms() && !found_all; ms += 20) {
		poll(NULL, 0, 20);
		assert_int_equal(find_client("127.0.0.6", NULL), 1);
	}
	assert_true(found_all);
	close_pair(&p[0]);
	close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connected_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whose_doing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowd_of_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit_in_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowded, setup, teardown),
	};

	return track_run("live", tests, NULL, NULL);
}
