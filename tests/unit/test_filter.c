// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_filter.c - what a filter matches: kinds are ANDed, repeats ORed. Some rules by example, then all of them against an
 * oracle that is written in another way. */
#include "random.h"
#include "unit.h"


#define ROUNDS 4000
#define FLOWS 60

static const struct session sessions_v[] = {
	{ .id = "3", .uid = 1, .audit = 9, .leader = 11 },
	{ .id = "audit:7", .uid = 2, .audit = 7, .leader = 13 },
	{ .id = "5", .uid = 1, .audit = ID_UNSET, .leader = 14 },
};
static const struct proc procs_v[] = {
	{ .pid = 10, .session = -1, .login_uid = ID_UNSET, .cgroup = 1 },
	{ .pid = 11, .session = 0, .login_uid = 1, .cgroup = 2 },
	{ .pid = 12, .session = 0, .login_uid = 3, .cgroup = 2 },
	{ .pid = 13, .session = 1, .login_uid = 2, .cgroup = 3 },
	{ .pid = 14, .session = 2, .login_uid = 1, .cgroup = 0 },
	{ .pid = 15, .session = -1, .login_uid = 3, .cgroup = 4 },
};
static const struct proctab procs = { .v = (struct proc *)procs_v, .n = array_size(procs_v) };
static const struct sessions sessions = { .v = (struct session *)sessions_v, .n = array_size(sessions_v) };

static bool named(const struct filter *f, enum sel kind)
{
	return f->named >> kind & 1;
}

/* ---- by example ---- */

static const struct flow ssh = { .cookie = 5, .netns = 1, .inode = 4, .family = AF_INET, .proto = PROTO_TCP,
				 .state = STATE_ESTABLISHED, .direction = DIR_IN, .local_port = 22,
				 .remote_port = 5000, .min_age_ms = 1000,
				 .local = { .family = AF_INET, .b = { 10, 0, 0, 1 } },
				 .remote = { .family = AF_INET, .b = { 10, 0, 0, 9 } } };

static struct filter from(enum sel kind, const char *text)
{
	struct filter f = { .named = 1u << kind, .protos = ~0u, .states = STATES_DEFAULT };
	struct prefix p;

	if (prefix_parse(text, &p, NULL) < 0)
		abort();
	APPEND(kind == SEL_CLIENT ? &f.clients : &f.peers, p);
	return f;
}

static void test_client_and_peer(void **state)
{
	_cleanup_(filter_clear) struct filter client = from(SEL_CLIENT, "10.0.0.9");
	_cleanup_(filter_clear) struct filter peer = from(SEL_PEER, "10.0.0.0/24");
	_cleanup_(filter_clear) struct filter local = from(SEL_PEER, "10.0.0.1");
	struct flow f = ssh;

	(void)state;
	for (f.direction = 0; f.direction < DIR_MAX; f.direction++) {
		assert_int_equal(filter_match_socket(&client, NULL, &f), f.direction == DIR_OUT ? MATCH_NO : MATCH_YES);
		assert_int_equal(filter_match_socket(&peer, NULL, &f), MATCH_YES);
		assert_int_equal(filter_match_socket(&local, NULL, &f), MATCH_NO);
	}
	f.state = STATE_CLOSE; /* unconnected: what looks like a remote end is none */
	f.direction = DIR_UNKNOWN;
	assert_int_equal(filter_match_socket(&client, NULL, &f), MATCH_NO);
	assert_int_equal(filter_match_socket(&peer, NULL, &f), MATCH_NO);
}

/* A zone is an index that differs by namespace; unknown there, it matches nothing. Clients come first in the list. */
static void test_zones(void **state)
{
	_cleanup_(filter_clear) struct filter f = from(SEL_CLIENT, "fe80::9%eth0");
	_cleanup_(filter_clear) struct filter peer = from(SEL_PEER, "fe80::9%eth1");
	const uint32_t first[] = { 3, 4 }, gone[] = { 0, 0 };
	struct flow flow = ssh;

	(void)state;
	APPEND(&f.peers, peer.peers.v[0]);
	flow.family = AF_INET6;
	flow.remote = peer.peers.v[0].addr;
	flow.remote.scope = 3;
	assert_int_equal(filter_match_socket(&f, first, &flow), MATCH_YES);
	assert_int_equal(filter_match_socket(&f, first + 1, &flow), MATCH_NO);
	assert_int_equal(filter_match_socket(&f, gone, &flow), MATCH_NO);
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_NO);
	f.named |= 1u << SEL_PEER;
	assert_int_equal(filter_match_socket(&f, first, &flow), MATCH_NO);
	strcpy(f.peers.v[0].zone, "eth0");
	assert_int_equal(filter_match_socket(&f, (const uint32_t[]){ 3, 3 }, &flow), MATCH_YES);
	flow.remote.scope = 0;
	assert_int_equal(filter_match_socket(&f, gone, &flow), MATCH_NO);
}

static void test_states(void **state)
{
	const struct filter usual = { .protos = ~0u, .states = STATES_DEFAULT };
	const struct filter any_state = { .protos = ~0u, .states = ~0u };
	struct flow f = ssh;

	(void)state;
	for (f.state = 1; f.state < STATE_MAX; f.state++) {
		bool odd = f.state == STATE_TIME_WAIT || f.state == STATE_LISTEN || f.state == STATE_BOUND_INACTIVE;

		assert_int_equal(filter_match_socket(&usual, NULL, &f), odd ? MATCH_NO : MATCH_YES);
		/* No words select a listener. */
		assert_int_equal(filter_match_socket(&any_state, NULL, &f),
				 f.state == STATE_LISTEN ? MATCH_NO : MATCH_YES);
	}
}

/* An age that is not certain is no match and no miss, but only of what matches otherwise. It is certain where the birth was seen,
 * unless that is longer ago than can be counted. */
static void test_older_than(void **state)
{
	struct filter f = { .named = 1u << SEL_OLDER_THAN, .protos = ~0u, .states = ~0u, .older_ms = 1000 };
	struct flow flow = ssh;

	(void)state;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_YES);
	flow.min_age_ms = 999;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_UNKNOWN);
	flow.since = 1;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_NO);
	flow.min_age_ms = UINT32_MAX;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_YES);
	f.older_ms = UINT32_MAX + 1ull;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_UNKNOWN);
	flow.since = 0;
	f.protos = 1u << PROTO_UDP;
	assert_int_equal(filter_match_socket(&f, NULL, &flow), MATCH_NO);
}

/* ---- against the oracle ---- */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static bool reached(const struct prefixes *p, const uint32_t *zones, const struct flow *f)
{
	bool hit = false;

	for (size_t i = 0; i < p->n; i++)
		hit = hit || (p->v[i].addr.family == f->remote.family &&
			      bits_equal(p->v[i].addr.b, f->remote.b, p->v[i].len) &&
			      (!*p->v[i].zone || (zones[i] && zones[i] == f->remote.scope)));
	return hit;
}

static bool ported(const struct ranges *r, uint16_t port)
{
	bool hit = false;

	for (size_t i = 0; i < r->n; i++)
		hit = hit || (r->v[i].first <= port && port <= r->v[i].last);
	return hit;
}

static bool among(const struct ids *ids, uint64_t id)
{
	bool hit = false;

	for (size_t i = 0; i < ids->n; i++)
		hit = hit || ids->v[i] == id;
	return hit;
}

static enum match oracle_socket(const struct filter *f, const uint32_t *zones, const struct flow *w)
{
	bool ends = !named(f, SEL_CLIENT) && !named(f, SEL_PEER), handle = false;

	for (size_t i = 0; i < f->flows.n; i++)
		handle = handle || (f->flows.v[i].cookie == w->cookie && f->flows.v[i].netns == w->netns);
	if (!ends)
		ends = w->state != STATE_CLOSE &&
		       (!named(f, SEL_CLIENT) || (w->direction != DIR_OUT && reached(&f->clients, zones, w))) &&
		       (!named(f, SEL_PEER) || reached(&f->peers, zones + f->clients.n, w));
	if (w->state == STATE_LISTEN || !(f->states >> w->state & 1) || !(f->protos >> w->proto & 1) || !ends ||
	    (named(f, SEL_NETNS) && !among(&f->netns, w->netns)) || (named(f, SEL_FLOW) && !handle) ||
	    (named(f, SEL_LOCAL_PORT) && !ported(&f->local_ports, w->local_port)) ||
	    (named(f, SEL_REMOTE_PORT) && !ported(&f->remote_ports, w->remote_port)))
		return MATCH_NO;
	if (!named(f, SEL_OLDER_THAN) || w->min_age_ms >= f->older_ms)
		return MATCH_YES;
	return w->since ? MATCH_NO : MATCH_UNKNOWN;
}

static uint32_t login_of(const struct proc *p)
{
	return p->session < 0 ? p->login_uid : sessions_v[p->session].uid;
}

static bool oracle_session(const struct filter *f, const struct flow *w)
{
	bool hit = false;

	for (size_t i = 0; w->session >= 0 && i < f->sessions.n; i++) {
		const struct session_id *id = &f->sessions.v[i];
		const struct session *s = &sessions_v[w->session];

		hit = hit || (id->form == SESSION_LOGIND ? !strcmp(id->id, s->id) :
							   s->audit == id->audit && id->audit != ID_UNSET);
	}
	return hit;
}

/* held: bit i, process i holds it. */
static bool oracle_people(const struct filter *f, unsigned int held, const struct flow *w)
{
	bool user = w->user_known && among(&f->users, w->user), pid = false;
	bool cgroup = among(&f->cgroups, w->cgroup), unit = among(&f->units, w->cgroup);

	for (size_t i = 0; i < procs.n; i++) {
		if (!(held >> i & 1))
			continue;
		user = user || among(&f->users, login_of(&procs_v[i]));
		pid = pid || among(&f->pids, procs_v[i].pid);
		cgroup = cgroup || among(&f->cgroups, procs_v[i].cgroup);
		unit = unit || among(&f->units, procs_v[i].cgroup);
	}
	return (!named(f, SEL_USER) || user) && (!named(f, SEL_PID) || pid) && (!named(f, SEL_CGROUP) || cgroup) &&
	       (!named(f, SEL_UNIT) || unit) && (!named(f, SEL_SESSION) || oracle_session(f, w)) &&
	       (!f->transport_only || w->transport);
}

static void some_ids(struct ids *ret, uint32_t base, uint32_t n)
{
	for (uint32_t i = 0, k = 1 + any(3); i < k; i++)
		assert_int_equal(ids_add(ret, base + any(n)), 0);
	ids_sort(ret);
}

static void draw(struct filter *f)
{
	static const char *const ids[] = { "3", "audit:7", "5", "x" };

	any_ends(f, 4);
	f->protos = any(3) ? ~0u : 1 + any(7);
	f->states = any(2) ? STATES_DEFAULT : (uint32_t)rand_r(&seed) | 2;
	f->transport_only = !any(4);
	f->older_ms = 1000;
	name(f, SEL_OLDER_THAN, 6);
	if (name(f, SEL_NETNS, 6))
		some_ids(&f->netns, 1, 3);
	if (name(f, SEL_USER, 4))
		some_ids(&f->users, 0, 4);
	if (name(f, SEL_PID, 6))
		some_ids(&f->pids, 9, 8);
	if (name(f, SEL_CGROUP, 6))
		some_ids(&f->cgroups, 0, 6);
	if (name(f, SEL_UNIT, 6))
		some_ids(&f->units, 0, 6);
	if (name(f, SEL_FLOW, 8))
		for (int i = 0; i < 12; i++)
			APPEND(&f->flows, (struct flow_id){ 1 + any(20), 1 + any(3) });
	if (name(f, SEL_SESSION, 5)) {
		struct session_id id = { .form = any(2), .audit = any(2) ? 7 + any(3) : ID_UNSET };

		strcpy(id.id, ids[any(array_size(ids))]);
		APPEND(&f->sessions, id);
	}
}

static void compare(const struct filter *f, unsigned int *yes, unsigned int *no)
{
	_cleanup_(holders_clear) struct holders holders = { 0 };
	const uint32_t zones[6] = { any(3), any(3), any(3), any(3), any(3), any(3) };
	const struct people p = { &procs, &sessions, &holders, false };
	struct flow w = any_flow();
	unsigned int held = any(3) ? any(64) & any(64) : 0;
	bool match;

	w.proto = any(2); /* whose key is the cookie */
	for (uint32_t i = 0; i < procs.n; i++)
		if (held >> i & 1)
			assert_int_equal(holders_add(&holders, w.cookie, i), 0);
	flow_attribute(&w, &p);
	match = filter_match_people(f, &p, &w);
	assert_int_equal(filter_match_socket(f, zones, &w), oracle_socket(f, zones, &w));
	assert_int_equal(match, oracle_people(f, held, &w));
	/* A pass that looks only at the likely holders must not lose it. */
	if (match && filter_names_people(f)) {
		bool cared = filter_match_socket_owner(f, &w);

		for (uint32_t i = 0; i < procs.n; i++)
			cared |= held >> i & 1 && filter_cares_for(f, &p, &procs_v[i]);
		assert_true(cared);
	}
	match = match && oracle_socket(f, zones, &w) == MATCH_YES;
	*yes += match;
	*no += !match;
}

static void test_oracle(void **state)
{
	unsigned int yes = 0, no = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(filter_clear) struct filter f = { 0 };

		draw(&f);
		assert_int_equal(filter_needs_people(&f), filter_names_people(&f) || f.transport_only);
		for (int k = 0; k < FLOWS; k++)
			compare(&f, &yes, &no);
	}
	/* Enough of both that the comparison says something. */
	assert_true(yes > ROUNDS && no > ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_and_peer), cmocka_unit_test(test_zones),
		cmocka_unit_test(test_states),		cmocka_unit_test(test_older_than),
		cmocka_unit_test(test_oracle),
	};

	return unit_run("filter", tests, NULL);
}
