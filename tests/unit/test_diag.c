// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_diag.c - sock_diag requests byte for byte, and answers: real ones, and real ones cut short or spoilt. */
#include "kernel/diag.h"
#include "recorded.h"
#include "unit.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

/* ---- requests ---- */

#define PORTS 0x1b, 0x59, 0xc7, 0x39 /* 7001, 51001 */
#define SWAPPED 0xc7, 0x39, 0x1b, 0x59
#define NO_ADDR 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
#define REST 3, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 /* interface 3, cookie */
#define HEAD(type) 72, 0, 0, 0, type, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define TAIL(family, proto) family, proto, 0, 0, 0xff, 0xff, 0xff, 0xff

static struct flow victim(uint16_t family, uint8_t proto)
{
	return (struct flow){ .cookie = 0x1122334455667788, .family = family, .proto = proto, .ifindex = 3,
			      .local = { .family = AF_INET, .b = { 127, 0, 0, 1 } }, .local_port = 7001,
			      .remote = { .family = AF_INET, .b = { 127, 0, 0, 2 } }, .remote_port = 51001 };
}

static void writes(const struct flow *f, uint16_t type, const uint8_t want[72])
{
	_Alignas(struct nlmsghdr) uint8_t buf[DIAG_FLOW_LEN + 8];

	memset(buf, 0xa5, sizeof(buf));
	diag_flow_request(buf, type, f);
	for (int i = 0; i < 72; i++)
		if (buf[i] != want[i])
			fail_msg("byte %d is %02x, not %02x", i, buf[i], want[i]);
	assert_int_equal(DIAG_FLOW_LEN, 72);
	assert_int_equal(buf[72], 0xa5);
}

static void test_flow_request(void **state)
{
	static const uint8_t destroy[] = { HEAD(SOCK_DESTROY), TAIL(AF_INET, IPPROTO_TCP), PORTS, 127, 0, 0, 1,
					   NO_ADDR, 127, 0, 0, 2, NO_ADDR, REST };
	static const uint8_t look[] = { HEAD(SOCK_DIAG_BY_FAMILY), TAIL(AF_INET, IPPROTO_TCP), PORTS, 127, 0, 0, 1,
					NO_ADDR, 127, 0, 0, 2, NO_ADDR, REST };
	struct flow f = victim(AF_INET, PROTO_TCP);

	(void)state;
	writes(&f, SOCK_DESTROY, destroy);
	writes(&f, SOCK_DIAG_BY_FAMILY, look);
}

/* An IPv4 connection of an IPv6 socket is asked for as what it is to the kernel. */
static void test_mapped_request(void **state)
{
	static const uint8_t want[] = { HEAD(SOCK_DESTROY), TAIL(AF_INET6, IPPROTO_TCP), PORTS, MAPPED, 127, 0, 0, 1,
					MAPPED, 127, 0, 0, 2, REST };
	static const uint8_t v6[] = { HEAD(SOCK_DESTROY), TAIL(AF_INET6, IPPROTO_TCP), PORTS,
				      0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				      0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, REST };
	struct flow f = victim(AF_INET6, PROTO_TCP);

	(void)state;
	writes(&f, SOCK_DESTROY, want);
	f.local = (struct addr){ .family = AF_INET6, .scope = 3, .b = { 0xfe, 0x80, [15] = 1 } };
	f.remote = (struct addr){ .family = AF_INET6, .scope = 3, .b = { 0xfe, 0x80, [15] = 2 } };
	writes(&f, SOCK_DESTROY, v6);
}

/* The kernel reads the ends of a UDP look-up the other way round, those of a destroy as they stand. */
static void test_udp_request(void **state)
{
	static const uint8_t destroy[] = { HEAD(SOCK_DESTROY), TAIL(AF_INET, IPPROTO_UDP), PORTS, 127, 0, 0, 1,
					   NO_ADDR, 127, 0, 0, 2, NO_ADDR, REST };
	static const uint8_t look[] = { HEAD(SOCK_DIAG_BY_FAMILY), TAIL(AF_INET, IPPROTO_UDP), SWAPPED, 127, 0, 0, 2,
					NO_ADDR, 127, 0, 0, 1, NO_ADDR, REST };
	struct flow f = victim(AF_INET, PROTO_UDP);

	(void)state;
	writes(&f, SOCK_DESTROY, destroy);
	writes(&f, SOCK_DIAG_BY_FAMILY, look);
}

static void dump_writes(const struct diag_dump *d, const uint8_t *want, size_t len)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[DIAG_DUMP_MAX];

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(diag_dump_request(buf, d), len);
	assert_memory_equal(buf, want, len);
}

#define ZEROS48 NO_ADDR, NO_ADDR, NO_ADDR, NO_ADDR

static void test_dump_request(void **state)
{
	static const uint8_t code[] = { INET_DIAG_BC_JMP, 4, 4, 0 };
	/* The old form: 60 bytes whose family, first, stays "any"; extensions at 3, states at 52. */
	static const uint8_t tcp[] = { 84, 0, 0, 0, TCPDIAG_GETSOCK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				       0, 0, 0, 1 << (INET_DIAG_INFO - 1), ZEROS48, 0xff, 0x0f, 0, 0, 0, 0, 0, 0,
				       8, 0, INET_DIAG_REQ_BYTECODE, 0, INET_DIAG_BC_JMP, 4, 4, 0 };
	static const uint8_t udp[] = { 72, 0, 0, 0, SOCK_DIAG_BY_FAMILY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				       AF_INET6, IPPROTO_UDP, 0, 0, 2, 0, 0, 0, ZEROS48 };
	static const uint8_t mptcp[] = { 80, 0, 0, 0, SOCK_DIAG_BY_FAMILY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					 AF_INET, IPPROTO_TCP, 0, 0, 2, 0, 0, 0, ZEROS48,
					 8, 0, INET_DIAG_REQ_PROTOCOL, 0, 0x06, 0x01, 0, 0 };

	(void)state;
	_Static_assert(sizeof(tcp) == 84 && sizeof(udp) == 72 && sizeof(mptcp) == 80, "lengths");
	dump_writes(&(struct diag_dump){ .proto = PROTO_TCP, .family = AF_INET6, .states = 0xfff, .tcp_info = true,
					 .code = code, .code_len = sizeof(code) }, tcp, sizeof(tcp));
	dump_writes(&(struct diag_dump){ .proto = PROTO_UDP, .family = AF_INET6, .states = 2 }, udp, sizeof(udp));
	dump_writes(&(struct diag_dump){ .proto = PROTO_MPTCP, .family = AF_INET, .states = 2 }, mptcp, sizeof(mptcp));
}

static void test_longest_code(void **state)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[DIAG_DUMP_MAX];
	static uint8_t code[DIAG_CODE_MAX];

	(void)state;
	memset(code, 0x5a, sizeof(code));
	for (enum proto p = PROTO_TCP; p <= PROTO_MPTCP; p++) {
		struct diag_dump d = { .proto = p, .code = code, .code_len = sizeof(code) };
		size_t len = diag_dump_request(buf, &d);

		assert_true(len <= sizeof(buf));
		assert_int_equal(((struct nlmsghdr *)buf)->nlmsg_len, len);
		assert_memory_equal(buf + len - sizeof(code), code, sizeof(code));
	}
}

/* ---- answers ---- */

static struct flow read_one(const void *msg, enum proto proto)
{
	struct flow f;

	memset(&f, 0x5a, sizeof(f));
	assert_int_equal(diag_parse(msg, proto, &f), 0);
	assert_int_equal(f.proto, proto);
	assert_int_equal(f.proc, -1);
	assert_int_equal(f.session, -1);
	assert_int_equal(f.login_uid, ID_UNSET);
	assert_int_equal(f.shared_with, ID_UNSET);
	assert_true(!f.netns && !f.direction && !f.user_known && !f.outcome && !f.err && !f.engine && !f.present);
	return f;
}

static void is_between(const struct flow *f, const char *local, uint16_t local_port, const char *remote,
		       uint16_t remote_port)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(&f->local, buf), local);
	assert_string_equal(addr_format(&f->remote, buf), remote);
	assert_int_equal(f->local_port, local_port);
	assert_int_equal(f->remote_port, remote_port);
}

static void test_recorded(void **state)
{
	struct flow f = read_one(recorded_v4, PROTO_TCP);

	(void)state;
	is_between(&f, "127.0.0.1", 7001, "127.0.0.2", 51001);
	assert_true(f.cookie == 0x6b3682 && f.family == AF_INET && f.state == STATE_ESTABLISHED);
	assert_true(f.rqueue == 5 && f.wqueue == 0 && f.uid == 0 && f.inode && f.cgroup && !f.subflow);
	assert_in_range(f.min_age_ms, 250, 400);
	assert_true(f.timed && f.idle_ms <= f.min_age_ms);
	assert_true(f.counted && f.sent == 0 && f.received == 5);
	f = read_one(recorded_mapped, PROTO_TCP);
	is_between(&f, "127.0.0.1", 7002, "127.0.0.3", 51002);
	assert_true(f.family == AF_INET6 && f.local.family == AF_INET && !f.min_age_ms);
	f = read_one(recorded_linklocal, PROTO_TCP);
	is_between(&f, "fe80::1%1", 7003, "fe80::1%1", 51003);
	f = read_one(recorded_udp, PROTO_UDP);
	is_between(&f, "127.0.0.1", 7006, "127.0.0.2", 51006);
	f = read_one(recorded_timewait, PROTO_TCP);
	is_between(&f, "127.0.0.2", 51005, "127.0.0.1", 7005);
	assert_true(f.state == STATE_TIME_WAIT && !f.inode && !f.cgroup && !f.counted && !f.timed);
}

static void test_recorded_mptcp(void **state)
{
	struct flow sub = read_one(recorded_subflow, PROTO_TCP), whole = read_one(recorded_mptcp, PROTO_MPTCP);

	(void)state;
	assert_true(sub.subflow && !whole.subflow);
	is_between(&sub, "127.0.0.1", 7004, "127.0.0.2", 51004);
	is_between(&whole, "127.0.0.1", 7004, "127.0.0.2", 51004);
	assert_true(flow_key(&sub) != flow_key(&whole) && whole.inode);
}

/* What a parse gives is what the next request asks for. */
static void test_round_trip(void **state)
{
	static const uint8_t *const messages[] = { recorded_v4, recorded_mapped, recorded_linklocal, recorded_subflow };

	(void)state;
	for (size_t i = 0; i < array_size(messages); i++) {
		_Alignas(struct nlmsghdr) uint8_t buf[DIAG_FLOW_LEN];
		const struct inet_diag_msg *m = NLMSG_DATA((struct nlmsghdr *)messages[i]);
		const struct inet_diag_req_v2 *req = NLMSG_DATA((struct nlmsghdr *)buf);
		struct flow f = read_one(messages[i], PROTO_TCP);

		diag_flow_request(buf, SOCK_DESTROY, &f);
		assert_memory_equal(&req->id, &m->id, sizeof(m->id));
		assert_int_equal(req->sdiag_family, m->idiag_family);
	}
}

struct message {
	union {
		struct nlmsghdr h;
		uint8_t bytes[1024];
	};
};

static struct message copy_of(const uint8_t *from)
{
	struct message m;

	memcpy(&m, from, ((const struct nlmsghdr *)from)->nlmsg_len);
	return m;
}

/* In a block of exactly that size, so that a sanitizer sees the byte beyond. */
static void cut_short(const uint8_t *from)
{
	const size_t whole = ((const struct nlmsghdr *)from)->nlmsg_len, least = NLMSG_LENGTH(sizeof(struct inet_diag_msg));

	for (size_t len = sizeof(struct nlmsghdr); len <= whole; len++) {
		_free_ struct nlmsghdr *h = malloc(len);
		struct flow f, untouched;

		memset(&f, 0x5a, sizeof(f));
		untouched = f;
		memcpy(h, from, len);
		h->nlmsg_len = len;
		assert_int_equal(diag_parse(h, PROTO_TCP, &f), len < least ? -EBADMSG : 0);
		assert_int_equal(memcmp(&f, &untouched, sizeof(f)) == 0, len < least);
	}
}

static void test_cut_short(void **state)
{
	(void)state;
	cut_short(recorded_v4);
	cut_short(recorded_subflow);
	cut_short(recorded_timewait);
}

static void test_refused(void **state)
{
	(void)state;
	for (int value = 0; value < 256; value++) {
		struct message family = copy_of(recorded_v4), odd = family;
		struct inet_diag_msg *m = NLMSG_DATA(&family.h), *s = NLMSG_DATA(&odd.h);
		struct flow f;

		m->idiag_family = value;
		assert_int_equal(diag_parse(&family.h, PROTO_TCP, &f),
				 value == AF_INET || value == AF_INET6 ? 0 : -EBADMSG);
		s->idiag_state = value;
		assert_int_equal(diag_parse(&odd.h, PROTO_TCP, &f), value < STATE_MAX ? 0 : -EBADMSG);
	}
}

static struct rtattr *attr_of(struct message *m, uint16_t type)
{
	struct rtattr *a = (void *)(m->bytes + NLMSG_LENGTH(sizeof(struct inet_diag_msg)));
	int left = m->h.nlmsg_len - NLMSG_LENGTH(sizeof(struct inet_diag_msg));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type)
			return a;
	fail_msg("the recording has no attribute %u", type);
	return NULL;
}

/* An attribute that is too short for what it should hold, or whose length is a lie, says nothing; the rest still does. */
static void test_bad_attributes(void **state)
{
	static const uint16_t types[] = { INET_DIAG_CGROUP_ID, INET_DIAG_INFO, INET_DIAG_ULP_INFO };
	static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 7, 8, 11, 0xffff };

	(void)state;
	for (size_t t = 0; t < array_size(types); t++)
		for (size_t l = 0; l < array_size(lengths); l++) {
			struct message m = copy_of(recorded_subflow);
			struct flow f;

			attr_of(&m, types[t])->rta_len = lengths[l];
			f = read_one(&m, PROTO_TCP);
			is_between(&f, "127.0.0.1", 7004, "127.0.0.2", 51004);
			assert_true(types[t] != INET_DIAG_CGROUP_ID || !f.cgroup);
			assert_true(types[t] != INET_DIAG_INFO || (!f.min_age_ms && !f.counted && !f.timed));
			assert_true(types[t] != INET_DIAG_ULP_INFO || !f.subflow);
		}
}

/* The kernel counts SYN and FIN into what is not acknowledged, and a connection in the making has no age. */
static void test_queue_and_age(void **state)
{
	(void)state;
	for (uint8_t s = STATE_ESTABLISHED; s < STATE_MAX; s++) {
		bool making = s == STATE_SYN_SENT || s == STATE_SYN_RECV || s == STATE_NEW_SYN_RECV;
		bool closing = s == STATE_FIN_WAIT1 || s == STATE_CLOSING || s == STATE_LAST_ACK;
		struct message m = copy_of(recorded_v4);
		struct inet_diag_msg *msg = NLMSG_DATA(&m.h);
		struct flow f;

		msg->idiag_state = s;
		for (msg->idiag_wqueue = 0; msg->idiag_wqueue < 3; msg->idiag_wqueue++) {
			f = read_one(&m, PROTO_TCP);
			assert_int_equal(f.wqueue, making ? 0 : msg->idiag_wqueue - (closing && msg->idiag_wqueue));
			assert_int_equal(f.min_age_ms > 0, !making && s != STATE_LISTEN);
			assert_int_equal(f.timed, !making && s != STATE_LISTEN);
		}
	}
}

/* A copy of the recording whose TCP says: 100 bytes sent and 10 of them twice, 51 received, the last one 3 s ago. */
static struct message talker(uint8_t state)
{
	struct message m = copy_of(recorded_v4);
	struct tcp_info ti = { .tcpi_last_data_sent = 5000, .tcpi_last_data_recv = 3000, .tcpi_last_ack_recv = 1,
			       .tcpi_bytes_sent = 110,	    .tcpi_bytes_retrans = 10,	 .tcpi_bytes_received = 51 };
	struct rtattr *info = attr_of(&m, INET_DIAG_INFO);

	assert_true(RTA_PAYLOAD(info) >= offsetof(struct tcp_info, tcpi_dsack_dups));
	memcpy(RTA_DATA(info), &ti, RTA_PAYLOAD(info) < sizeof(ti) ? RTA_PAYLOAD(info) : sizeof(ti));
	((struct inet_diag_msg *)NLMSG_DATA(&m.h))->idiag_state = state;
	return m;
}

static void test_traffic(void **state)
{
	static const uint8_t closed_by_peer[] = { STATE_CLOSE_WAIT, STATE_LAST_ACK, STATE_CLOSING };
	struct message m = talker(STATE_ESTABLISHED);
	struct flow f = read_one(&m, PROTO_TCP);

	(void)state;
	assert_true(f.counted && f.sent == 100 && f.received == 51);
	assert_true(f.timed && f.idle_ms == 3000 && f.min_age_ms == 5000);
	for (size_t i = 0; i < array_size(closed_by_peer); i++) {
		m = talker(closed_by_peer[i]);
		assert_int_equal(read_one(&m, PROTO_TCP).received, 50);
	}
	/* What MPTCP and UDP say of themselves is of another form. */
	m = talker(STATE_ESTABLISHED);
	f = read_one(&m, PROTO_MPTCP);
	assert_false(f.counted || f.timed || f.min_age_ms);
	f = read_one(&m, PROTO_UDP);
	assert_false(f.counted || f.timed || f.min_age_ms);
	/* An older kernel's says less. */
	attr_of(&m, INET_DIAG_INFO)->rta_len = RTA_LENGTH(offsetof(struct tcp_info, tcpi_bytes_sent));
	f = read_one(&m, PROTO_TCP);
	assert_true(f.timed && !f.counted);
}

static void test_ask_info(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t plain[DIAG_FLOW_LEN], asks[DIAG_FLOW_LEN];
	struct flow f = victim(AF_INET, PROTO_TCP);

	(void)state;
	diag_flow_request(plain, SOCK_DIAG_BY_FAMILY, &f);
	diag_flow_request(asks, SOCK_DIAG_BY_FAMILY, &f);
	diag_ask_info(asks);
	assert_int_equal(asks[NLMSG_HDRLEN + 2], 1 << (INET_DIAG_INFO - 1));
	asks[NLMSG_HDRLEN + 2] = 0;
	assert_memory_equal(plain, asks, sizeof(plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_request), cmocka_unit_test(test_mapped_request),
		cmocka_unit_test(test_udp_request),  cmocka_unit_test(test_dump_request),
		cmocka_unit_test(test_longest_code), cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_recorded_mptcp), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut_short),    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_attributes), cmocka_unit_test(test_queue_and_age),
		cmocka_unit_test(test_traffic),	     cmocka_unit_test(test_ask_info),
	};

	return unit_run("diag", tests, NULL);
}
