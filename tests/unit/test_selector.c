// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_selector.c - every way to name a victim, and every way to get it wrong: a word that is not
 * understood must be refused with a sentence that names it, never read as something wider. */
// LINK: -Wl,--wrap=getservbyname
#include "model/flow.h"
#include "model/selector.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#define BIT(n) (1u << (n))

static struct selector parse(enum sel kind, const char *text)
{
	struct selector s = {};
	char err[ERR_LEN] = "";

	if (selector_parse(kind, text, &s, err) != 0)
		fail_msg("%s", err);
	assert_int_equal(s.kind, kind);
	assert_ptr_equal(s.text, text);
	return s;
}

/* The sentence is "--option word: reason", and reason holds why. */
static void refuses(enum sel kind, const char *text, const char *why)
{
	struct selector s, before;
	char err[ERR_LEN] = "", begin[ERR_LEN];

	memset(&s, 0x5a, sizeof(s));
	before = s;
	snprintf(begin, sizeof(begin), "%s %s: ", selector_option[kind], text);
	if (selector_parse(kind, text, &s, err) != -EINVAL)
		fail_msg("%s is accepted", begin);
	if (strncmp(err, begin, strlen(begin)) || !strstr(err + strlen(begin), why))
		fail_msg("\"%s\" is not \"%s...%s...\"", err, begin, why);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void test_options(void **state)
{
	(void)state;
	for (int i = 0; i < SEL_MAX; i++)
		assert_memory_equal(selector_option[i], "--", 2);
}

static void test_any_kind(void **state)
{
	char text[TEXT_MAX + 2], err[ERR_LEN];
	struct selector s;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[TEXT_MAX + 1] = '\0';
	for (int i = 0; i < SEL_ALL; i++) {
		assert_int_equal(selector_parse(i, "", &s, err), -EINVAL);
		assert_non_null(strstr(err, selector_option[i]));
		assert_int_equal(selector_parse(i, NULL, &s, err), -EINVAL);
		assert_int_equal(selector_parse(i, text, &s, err), -EINVAL);
		assert_non_null(strstr(err, "...: longer than 1023 bytes"));
		assert_int_equal(selector_parse(i, "a\033[2Jb", &s, err), -EINVAL);
		assert_non_null(strstr(err, " a\\x1b[2Jb: holds control bytes"));
		assert_int_equal(selector_parse(i, "a\x7f", &s, NULL), -EINVAL);
	}
	text[TEXT_MAX] = '\0';
	parse(SEL_USER, text);
	assert_int_equal(selector_parse(SEL_ALL, NULL, &s, err), 0);
	assert_int_equal(s.kind, SEL_ALL);
}

static void test_user(void **state)
{
	static const char *const names[] = { "alice",	    "CORP\\alice", "alice@CORP.EXAMPLE", "1001",  "0",
					     "uid",	    "UID:5",	   "CORP\\alice@x",	 "a@b@c", "CORP\\1001",
					     "j\xc3\xb6rg", "dom+al ice" };
	static const char *const bad[] = { "\\alice", "CORP\\", "\\", "\\\\alice", "A\\B\\c", "@CORP", "alice@" };
	static const char *const bad_uids[] = { "uid:",	     "uid:-1",	  "uid:4294967295", "uid:4294967296",
						"uid:1001 ", "uid:alice", "uid:0x10" };

	(void)state;
	for (size_t i = 0; i < array_size(names); i++)
		assert_int_equal(parse(SEL_USER, names[i]).user.form, USER_NAME);
	for (size_t i = 0; i < array_size(bad); i++)
		refuses(SEL_USER, bad[i], "not a user name");
	for (size_t i = 0; i < array_size(bad_uids); i++)
		refuses(SEL_USER, bad_uids[i], "not a uid");
	assert_int_equal(parse(SEL_USER, "uid:0").user.form, USER_UID);
	assert_int_equal(parse(SEL_USER, "uid:0").user.uid, 0);
	assert_int_equal(parse(SEL_USER, "uid:4294967294").user.uid, 4294967294);
}

static void check_address(enum sel kind, const char *text, const char *address, unsigned int len)
{
	struct selector s = parse(kind, text);
	char buf[ADDR_STRLEN];

	assert_null(s.client.host);
	assert_string_equal(addr_format(&s.client.prefix.addr, buf), address);
	assert_int_equal(s.client.prefix.len, len);
}

static void test_client(void **state)
{
	(void)state;
	for (enum sel kind = SEL_CLIENT; kind <= SEL_PEER; kind++) {
		check_address(kind, "127.0.0.2", "127.0.0.2", 32);
		check_address(kind, "\\\\127.0.0.2", "127.0.0.2", 32);
		check_address(kind, "\\\\[2001:db8::1]", "2001:db8::1", 128);
		check_address(kind, "::ffff:127.0.0.2", "127.0.0.2", 32);
		check_address(kind, "10.0.0.0/8", "10.0.0.0", 8);
		assert_string_equal(parse(kind, "HostA").client.host, "HostA");
		assert_string_equal(parse(kind, "\\\\HostA").client.host, "HostA");
		assert_string_equal(parse(kind, "host_a-1.example.").client.host, "host_a-1.example.");
		assert_string_equal(parse(kind, "everyone").client.host, "everyone");
		assert_string_equal(parse(kind, "1a.2b").client.host, "1a.2b");
		assert_string_equal(parse(kind, "0xyz").client.host, "0xyz");
	}
	assert_string_equal(parse(SEL_PEER, "fe80::1%eth0").client.prefix.zone, "eth0");
}

static void test_client_refused(void **state)
{
	static const char *const no_address[] = { "127.1",	 "1.2.3.4.5", "256.1.1.1", "2130706433", "0x7f.1",
						  "0x7f000001",	 "host.0x1",  "host.1",	   "127.0.0.1.", "127.0.0.1:22",
						  "[127.0.0.1]", "[::1",      ":::",	   "hosta/8",	 "127.1/8",
						  "host%eth0",	 "\\\\127.1", "0x" };
	static const char *const no_host[] = { "host a",      "h\xc3\xb6st",	  "a,b",     "*",      ".",
					       "..",	      ".hosta",		  "a..b",    "-hosta", "\\hosta",
					       "\\\\\\hosta", "\\\\hosta\\share", "hosta\\", "host!" };
	char longest[254 + 1];

	(void)state;
	for (size_t i = 0; i < array_size(no_address); i++)
		refuses(SEL_CLIENT, no_address[i], "not a valid address");
	for (size_t i = 0; i < array_size(no_host); i++) {
		char err[ERR_LEN];
		struct selector s;

		assert_int_equal(selector_parse(SEL_CLIENT, no_host[i], &s, err), -EINVAL);
		assert_non_null(strstr(err, "not an address, a prefix or a host name"));
	}
	refuses(SEL_CLIENT, "\\\\", "missing");
	refuses(SEL_CLIENT, "10.1.2.3/8", "10.0.0.0/8");
	refuses(SEL_PEER, "10.0.0.0/33", "not a prefix length");
	refuses(SEL_CLIENT, "2001:db8::1%eth0", "link-local");
	memset(longest, 'a', sizeof(longest));
	longest[254] = '\0';
	assert_int_equal(selector_parse(SEL_CLIENT, longest, &(struct selector){}, NULL), -EINVAL);
	longest[253] = '\0';
	parse(SEL_CLIENT, longest);
}

static void test_session(void **state)
{
	(void)state;
	assert_int_equal(parse(SEL_SESSION, "self").session.form, SESSION_SELF);
	assert_int_equal(parse(SEL_SESSION, "3").session.form, SESSION_LOGIND);
	assert_int_equal(parse(SEL_SESSION, "c1").session.form, SESSION_LOGIND);
	assert_int_equal(parse(SEL_SESSION, "everyone").session.form, SESSION_LOGIND);
	assert_int_equal(parse(SEL_SESSION, "audit:7").session.form, SESSION_AUDIT);
	assert_int_equal(parse(SEL_SESSION, "audit:7").session.audit, 7);
	assert_int_equal(parse(SEL_SESSION, "audit:4294967295").session.audit, UINT32_MAX);
	assert_int_equal(parse(SEL_SESSION, "audit:0").session.audit, 0);
	refuses(SEL_SESSION, "audit:", "not an audit session");
	refuses(SEL_SESSION, "audit:-1", "not an audit session");
	refuses(SEL_SESSION, "audit:4294967296", "not an audit session");
}

static void test_where(void **state)
{
	(void)state;
	parse(SEL_CGROUP, "/");
	parse(SEL_CGROUP, "/user.slice/user-1001.slice/session-3.scope");
	parse(SEL_CGROUP, "/a..b/..c/d../...");
	refuses(SEL_CGROUP, "user.slice", "starts with /");
	refuses(SEL_CGROUP, "/a/../b", "..");
	refuses(SEL_CGROUP, "/..", "..");
	refuses(SEL_CGROUP, "/a/..", "..");
	parse(SEL_UNIT, "ssh.service");
	parse(SEL_UNIT, "nginx");
	parse(SEL_UNIT, "user@1001.service");
	parse(SEL_UNIT, "dev-disk-by\\x2did.swap");
	refuses(SEL_UNIT, "a/b.service", "not the name of a unit");
	refuses(SEL_UNIT, "..", "not the name of a unit");
	refuses(SEL_UNIT, "ssh *", "not the name of a unit");
	assert_int_equal(parse(SEL_PID, "1").pid, 1);
	assert_int_equal(parse(SEL_PID, "2147483647").pid, 2147483647);
	refuses(SEL_PID, "0", "not a pid");
	refuses(SEL_PID, "-1", "not a pid");
	refuses(SEL_PID, "2147483648", "not a pid");
	refuses(SEL_PID, "sshd", "not a pid");
}

static void check_ports(const char *text, uint16_t first, uint16_t last)
{
	for (enum sel kind = SEL_LOCAL_PORT; kind <= SEL_REMOTE_PORT; kind++) {
		struct selector s = parse(kind, text);

		assert_int_equal(s.ports.first, first);
		assert_int_equal(s.ports.last, last);
	}
}

static void test_ports(void **state)
{
	static const char *const bad[] = { "0", "70000", "65536", "-22", "-", "99999999999999999999" };
	static const char *const bad_ranges[] = { "22-", "22-65536", "22-0", "22--25", "22-25-28" };

	(void)state;
	check_ports("22", 22, 22);
	check_ports("1-65535", 1, 65535);
	check_ports("22-22", 22, 22);
	for (size_t i = 0; i < array_size(bad); i++)
		refuses(SEL_LOCAL_PORT, bad[i], "not a port (1 to 65535)");
	for (size_t i = 0; i < array_size(bad_ranges); i++)
		refuses(SEL_REMOTE_PORT, bad_ranges[i], "not a range");
	refuses(SEL_LOCAL_PORT, "25-22", "backwards");
	refuses(SEL_LOCAL_PORT, "no-such-service", "not a port");
	refuses(SEL_LOCAL_PORT, "22,25", "not a port");
	refuses(SEL_LOCAL_PORT, " 22", "not a port");
	refuses(SEL_LOCAL_PORT, "ssh-25", "not a port");
}

/* The services of a host of our own: one for each protocol, and one that is no port. */
struct servent *__wrap_getservbyname(const char *name, const char *proto);

struct servent *__wrap_getservbyname(const char *name, const char *proto)
{
	static struct servent services[] = {
		{ .s_name = "ssh", .s_proto = "tcp", .s_port = 22 },
		{ .s_name = "ssh", .s_proto = "udp", .s_port = 2222 },
		{ .s_name = "tftp", .s_proto = "udp", .s_port = 69 },
		{ .s_name = "ftp-data", .s_proto = "tcp", .s_port = 20 },
		{ .s_name = "3com-amp3", .s_proto = "tcp", .s_port = 629 },
		{ .s_name = "zero", .s_proto = "tcp", .s_port = 0 },
	};
	static struct servent found;

	for (size_t i = 0; i < array_size(services); i++) {
		found = services[i];
		found.s_port = htons(found.s_port);
		if (!strcmp(name, found.s_name) && !strcmp(proto, found.s_proto))
			return &found;
	}
	return NULL;
}

static void test_services(void **state)
{
	(void)state;
	check_ports("ssh", 22, 22);
	check_ports("tftp", 69, 69);
	check_ports("ftp-data", 20, 20);
	check_ports("3com-amp3", 629, 629);
	refuses(SEL_LOCAL_PORT, "zero", "not a port");
	refuses(SEL_LOCAL_PORT, "SSH", "not a port");
}

static void test_proto(void **state)
{
	(void)state;
	assert_int_equal(parse(SEL_PROTO, "tcp").protos, BIT(PROTO_TCP) | BIT(PROTO_MPTCP));
	assert_int_equal(parse(SEL_PROTO, "udp").protos, BIT(PROTO_UDP));
	assert_int_equal(parse(SEL_PROTO, "mptcp").protos, BIT(PROTO_MPTCP));
	refuses(SEL_PROTO, "RDP", "tcp, udp or mptcp");
	refuses(SEL_PROTO, "6", "tcp, udp or mptcp");
	refuses(SEL_PROTO, "tcp,udp", "tcp, udp or mptcp");
}

static void test_netns(void **state)
{
	char name[257];

	(void)state;
	assert_int_equal(parse(SEL_NETNS, "self").netns.form, NETNS_SELF);
	assert_int_equal(parse(SEL_NETNS, "blue").netns.form, NETNS_NAME);
	assert_int_equal(parse(SEL_NETNS, "4026531840x").netns.form, NETNS_NAME);
	assert_int_equal(parse(SEL_NETNS, "./blue").netns.form, NETNS_PATH);
	assert_int_equal(parse(SEL_NETNS, "/proc/1/ns/net").netns.form, NETNS_PATH);
	assert_int_equal(parse(SEL_NETNS, "4026531840").netns.form, NETNS_INODE);
	assert_int_equal(parse(SEL_NETNS, "4026531840").netns.inode, 4026531840);
	refuses(SEL_NETNS, "0", "not the inode");
	refuses(SEL_NETNS, "4294967296", "not the inode");
	refuses(SEL_NETNS, "..", "not the name");
	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	assert_int_equal(selector_parse(SEL_NETNS, name, &(struct selector){}, NULL), -EINVAL);
}

static void test_flow(void **state)
{
	static const char *const bad[] = { "1f",
					   "1f@",
					   "@1",
					   "1f@0",
					   "1f@x",
					   "0@1",
					   "0x1f@1",
					   "1f@1@2",
					   "1f@4294967296",
					   "ffffffffffffffff@1", /* the kernel's "any cookie" */
					   "10000000000000001@1",
					   "1g@1",
					   "-1@1",
					   "1f@4026531840 " };
	struct selector s = parse(SEL_FLOW, "000000000000001F@4026531840");

	(void)state;
	assert_int_equal(s.flow.cookie, 0x1f);
	assert_int_equal(s.flow.netns, 4026531840);
	s = parse(SEL_FLOW, "fffffffffffffffe@1");
	assert_true(s.flow.cookie == 0xfffffffffffffffe);
	for (size_t i = 0; i < array_size(bad); i++)
		refuses(SEL_FLOW, bad[i], "not a flow");
}

static void test_state(void **state)
{
	static const struct {
		const char *name;
		uint32_t states;
	} good[] = {
		{ "established", BIT(1) },	  { "syn-sent", BIT(2) },   { "syn-recv", BIT(3) | BIT(12) },
		{ "SYN_RECV", BIT(3) | BIT(12) }, { "fin-wait-1", BIT(4) }, { "fin_wait1", BIT(4) },
		{ "FIN-WAIT1", BIT(4) },	  { "fin_wait_2", BIT(5) }, { "fin-wait2", BIT(5) },
		{ "time-wait", BIT(6) },	  { "close-wait", BIT(8) }, { "last-ack", BIT(9) },
		{ "Closing", BIT(11) },
	};
	static const char *const unknown[] = { "estab",	       "all",	   "connected",
					       "established ", "fin-wait", "fin-wait-3",
					       "time--wait",   "syn",	   "-" };

	(void)state;
	for (size_t i = 0; i < array_size(good); i++)
		assert_int_equal(parse(SEL_STATE, good[i].name).states, good[i].states);
	for (size_t i = 0; i < array_size(unknown); i++)
		refuses(SEL_STATE, unknown[i], "not a state (established,");
	refuses(SEL_STATE, "listen", "never selected");
	refuses(SEL_STATE, "LISTENING", "listening sockets are never selected");
	refuses(SEL_STATE, "close", "never selected");
	refuses(SEL_STATE, "unconn", "never selected");
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "500ms", 500 },
		{ "5s", 5000 },
		{ "10m", 600000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "0s", 0 },
		{ "31536000000000ms", 31536000000000ull },
		{ "365000d", 31536000000000ull },
	};
	static const char *const bad[] = { "",
					   "5",
					   "s",
					   "ms",
					   "-5s",
					   "+5s",
					   "1.5s",
					   "5 s",
					   " 5s",
					   "5s ",
					   "5S",
					   "5sec",
					   "1h30m",
					   "0x5s",
					   "1w",
					   "31536000000001ms",
					   "18446744073709551615ms",
					   "18446744073709551616ms",
					   "18446744073709552s",
					   "365001d" };

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		uint64_t ms = 1;

		assert_int_equal(duration_parse(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
		assert_true(parse(SEL_OLDER_THAN, good[i].text).older_ms == ms);
	}
	for (size_t i = 0; i < array_size(bad); i++) {
		uint64_t ms = 1;

		if (duration_parse(bad[i], &ms) != -EINVAL || ms != 1)
			fail_msg("\"%s\" is a duration", bad[i]);
	}
	refuses(SEL_OLDER_THAN, "5", "not a duration (500ms, 5s, 10m, 2h or 1d)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	 cmocka_unit_test(test_any_kind),	cmocka_unit_test(test_user),
		cmocka_unit_test(test_client),	 cmocka_unit_test(test_client_refused), cmocka_unit_test(test_session),
		cmocka_unit_test(test_where),	 cmocka_unit_test(test_ports),		cmocka_unit_test(test_proto),
		cmocka_unit_test(test_netns),	 cmocka_unit_test(test_flow),		cmocka_unit_test(test_state),
		cmocka_unit_test(test_services), cmocka_unit_test(test_duration),
	};

	return unit_run("selector", tests, NULL);
}
