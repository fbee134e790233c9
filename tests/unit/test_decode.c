// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_decode.c - what the command line asks for is what the daemon reads; what means nothing to it is refused. */
#include "cli/remote_encode.h"
#include "daemon/decode.h"
#include "daemon/methods.h"
#include "kernel/netns.h"
#include "pipeline/request_id.h"

#include <string.h>

#include "unit.h"

#define ID "6d1c0e9a-0000-4000-8000-00000000000a"

static char err[ERR_LEN];

/* Reads parameters as the daemon does. */
static int read_back(const char *method, json_t *p, struct request *ret, struct selector **ret_selectors)
{
	char bad[PARAM_LEN];
	size_t i = 0;

	while (i < n_methods && strcmp(methods[i].name, method) != 0)
		i++;
	if (i == n_methods)
		fail_msg("no method %s", method);
	if (params_check(methods[i].parameters, p, bad) < 0)
		fail_msg("%s refuses %s", method, bad);
	return request_decode(p, ret, ret_selectors, err);
}

static void same_request(const struct request *a, const struct request *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->verb, b->verb);
	assert_int_equal(a->wait, b->wait);
	assert_int_equal(a->timeout_ms, b->timeout_ms);
	assert_int_equal(a->drain_ms, b->drain_ms);
	assert_int_equal(a->fence_ms, b->fence_ms);
	assert_int_equal(a->max, b->max);
	assert_int_equal(!a->reason, !b->reason);
	assert_true(!a->reason || !strcmp(a->reason, b->reason));
	assert_int_equal(a->dry_run, b->dry_run);
	assert_int_equal(a->collateral, b->collateral);
	assert_int_equal(a->include_self, b->include_self);
	assert_int_equal(a->yes, b->yes);
	assert_int_equal(a->ignore_none, b->ignore_none);
	assert_int_equal(a->n_selectors, b->n_selectors);
	for (size_t i = 0; i < a->n_selectors; i++) {
		assert_int_equal(a->selectors[i].kind, b->selectors[i].kind);
		assert_int_equal(!a->selectors[i].text, !b->selectors[i].text);
		assert_true(!a->selectors[i].text || !strcmp(a->selectors[i].text, b->selectors[i].text));
	}
}

static const struct {
	enum sel kind;
	const char *text;
} every[] = {
	{ SEL_USER, "DOM\\alice" },   { SEL_CLIENT, "10.0.0.0/8" }, { SEL_PEER, "fe80::1%eth0" },
	{ SEL_SESSION, "audit:7" },   { SEL_SESSION, "c1" },	    { SEL_CGROUP, "/a/\xc3\xa4" },
	{ SEL_UNIT, "ssh" },	      { SEL_PID, "4" },		    { SEL_LOCAL_PORT, "22-23" },
	{ SEL_REMOTE_PORT, "443" }, { SEL_PROTO, "udp" },	    { SEL_NETNS, "4026531840" },
	{ SEL_FLOW, "1a@7" },	      { SEL_STATE, "close-wait" },  { SEL_OLDER_THAN, "5m" },
	{ SEL_ALL, NULL },
};

static struct request a_request(struct selector *v)
{
	struct request req = { .id = ID, .verb = VERB_KILL, .selectors = v, .n_selectors = array_size(every) };

	for (size_t i = 0; i < array_size(every); i++)
		assert_int_equal(selector_parse(every[i].kind, every[i].text, &v[i], err), 0);
	req.timeout_ms = 7;
	return req;
}

static void test_kill(void **state)
{
	struct selector v[array_size(every)];
	struct request req = a_request(v);
	bool *const flags[] = { &req.dry_run, &req.collateral, &req.include_self, &req.yes, &req.ignore_none };

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		_cleanup_(json_decrefp) json_t *p = NULL;
		_free_ struct selector *selectors = NULL;
		struct request back;

		req.verb = i & 1 ? VERB_KILL : VERB_DISCONNECT;
		req.wait = i % STAGE_MAX;
		req.drain_ms = i & 1 ? 0 : 5;
		req.fence_ms = i & 2 ? 0 : 6;
		req.max = i & 4 ? 0 : INT64_MAX;
		req.reason = i & 8 ? NULL : "why \xe2\x82\xac\x1b";
		for (size_t k = 0; k < array_size(flags); k++)
			*flags[k] = i % array_size(flags) == k;
		assert_int_equal(encode_kill(&req, &p, err), 0);
		assert_int_equal(read_back("Kill", p, &back, &selectors), 0);
		same_request(&req, &back);
	}
}

static void check_fence(const char *method, json_t *p, size_t n_selectors)
{
	_free_ struct selector *selectors = NULL;
	struct request back;

	assert_int_equal(read_back(method, p, &back, &selectors), 0);
	assert_int_equal(back.n_selectors, n_selectors);
	json_decref(p);
}

static void test_fence(void **state)
{
	struct selector v[array_size(every)];
	struct request req = a_request(v);
	json_t *p;

	(void)state;
	req.fence_ms = 1;
	assert_int_equal(encode_fence_add(&req, &p, err), 0);
	check_fence("FenceAdd", p, req.n_selectors);
	req.fence_ms = FENCE_MS_MAX;
	req.reason = "why \xe2\x82\xac\x1b";
	req.include_self = req.yes = true;
	assert_int_equal(encode_fence_add(&req, &p, err), 0);
	check_fence("FenceAdd", p, req.n_selectors);
	assert_int_equal(encode_fence_list(&req, &p, err), 0);
	check_fence("FenceList", p, req.n_selectors);
	assert_int_equal(encode_fence_lift(&req, NULL, &p, err), 0);
	check_fence("FenceLift", p, req.n_selectors);
	req.n_selectors = 0;
	assert_int_equal(encode_fence_list(&req, &p, err), 0);
	check_fence("FenceList", p, 0);
	assert_int_equal(encode_fence_lift(&req, "f9223372036854775807", &p, err), 0);
	check_fence("FenceLift", p, 0);
}

static void test_list(void **state)
{
	struct selector v[array_size(every)];
	struct request req = a_request(v), back;

	(void)state;
	for (unsigned int i = 0; i < LIST_MAX + 2; i++) {
		_cleanup_(json_decrefp) json_t *p = NULL;
		_free_ struct selector *selectors = NULL;

		req.what = i < LIST_MAX ? i : LIST_SESSIONS;
		if (i == LIST_MAX)
			assert_int_equal(encode_watch(&req, UINT64_MAX, &p, err), 0);
		else if (i > LIST_MAX)
			assert_int_equal(encode_watch(&req, 0, &p, err), 0);
		else
			assert_int_equal(encode_list(&req, &p, err), 0);
		assert_int_equal(json_object_get(p, "after") != NULL, i > LIST_MAX);
		assert_int_equal(read_back(i < LIST_MAX ? "List" : "Watch", p, &back, &selectors), 0);
		assert_int_equal(back.verb, VERB_LIST);
		assert_int_equal(back.what, req.what);
		assert_int_equal(back.n_selectors, array_size(every));
		assert_string_equal(back.id, "");
	}
}

/* The value that is sent for one selector. */
static json_t *sent(enum sel kind, const char *text, int wanted)
{
	struct selector s;
	struct request req = { .verb = VERB_LIST, .selectors = &s, .n_selectors = 1 };
	json_t *p = NULL, *value = NULL;

	*err = '\0';
	assert_int_equal(selector_parse(kind, text, &s, err), 0);
	assert_int_equal(encode_list(&req, &p, err), wanted);
	assert_int_equal(*err != '\0', wanted < 0);
	if (wanted == 0)
		value = json_incref(json_object_get(json_array_get(json_object_get(p, "selectors"), 0), "value"));
	json_decref(p);
	return value;
}

/* "self" is the caller, so the caller says who that is. */
static void test_absolute(void **state)
{
	_cleanup_(json_decrefp) json_t *self = sent(SEL_NETNS, "self", 0), *path = NULL;
	_close_ int own = netns_own();
	char text[16];
	uint32_t inode;

	(void)state;
	assert_int_equal(netns_inode_of_fd(own, &inode), 0);
	snprintf(text, sizeof(text), "%u", inode);
	assert_string_equal(json_string_value(self), text);
	path = sent(SEL_NETNS, "/proc/self/ns/net", 0);
	assert_string_equal(json_string_value(path), text);
	sent(SEL_NETNS, "no-such-name", -ESRCH);
	sent(SEL_NETNS, "/proc/self/ns/mnt", -ESRCH);
	sent(SEL_CGROUP, "/\xff", -EILSEQ);
	assert_non_null(strstr(err, "--cgroup /\\xff"));
}

/* As the caller's resolver has it. */
static void test_host(void **state)
{
	_cleanup_(json_decrefp) json_t *host = NULL;

	(void)state;
	if (access("/etc/hosts", R_OK) < 0)
		skip_because("no /etc/hosts here, so localhost is no name");
	host = sent(SEL_CLIENT, "localhost", 0);
	assert_true(!strcmp(json_string_value(host), "127.0.0.1") || !strcmp(json_string_value(host), "::1"));
}

static int decode_text(const char *text, struct request *ret)
{
	_cleanup_(json_decrefp) json_t *p = json_loads(text, 0, NULL);
	_free_ struct selector *v = NULL;

	if (!p)
		fail_msg("%s is no JSON", text);
	return request_decode(p, ret, &v, err);
}

#define ONE(kind, value) "{\"selectors\":[{\"kind\":\"" kind "\",\"value\":\"" value "\"}]}"
#define KILL(more) "{\"verb\":\"kill\",\"selectors\":[{\"kind\":\"all\"}]" more "}"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ ONE("session", "self"), "selectors[0]: self" },
		{ ONE("netns", "self"), "selectors[0]: send the inode" },
		{ ONE("netns", "/proc/1/ns/net"), "selectors[0]: send the inode" },
		{ ONE("netns", "../x"), "selectors[0]: send the inode" },
		{ ONE("client", "example.com"), "selectors[0]: a host name" },
		{ ONE("peer", "localhost"), "selectors[0]: a host name" },
		{ ONE("user", ""), "selectors[0]: --user" },
		{ ONE("user", "a\\u0007"), "selectors[0]: --user" },
		{ ONE("pid", "0"), "selectors[0]: --pid" },
		{ ONE("local-port", "22"), "selectors[0]: no such kind" },
		{ ONE("local_", "22"), "selectors[0]: no such kind" },
		{ ONE("", "22"), "selectors[0]: no such kind" },
		{ ONE("all", "x"), "selectors[0]: all takes no value" },
		{ "{\"selectors\":[{\"kind\":\"all\"},{\"kind\":\"user\"}]}", "selectors[1]: --user" },
		{ "{\"selectors\":[1]}", "selectors[0]: no such kind" },
		{ "{\"selectors\":[{\"kind\":7,\"value\":\"x\"}]}", "selectors[0]: no such kind" },
		{ "{\"what\":\"sockets\"}", "what: " },
		{ "{\"verb\":\"kill\",\"selectors\":[]}", "selectors: none" },
		{ "{\"verb\":\"kill\"}", "selectors: none" },
		{ "{\"verb\":\"purge\",\"selectors\":[{\"kind\":\"all\"}]}", "verb: " },
		{ KILL(",\"request\":\"x\""), "request: " },
		{ KILL(",\"request\":\"6d1c0e9a-0000-4000-8000-00000000000g\""), "request: " },
		{ KILL(",\"request\":\"6d1c0e9a00000-4000-8000-00000000000a\""), "request: " },
		{ KILL(",\"options\":{\"wait\":\"gone\"}"), "options.wait: " },
	};
	struct request req = { .verb = 99 };

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		assert_int_equal(decode_text(cases[i].text, &req), -EINVAL);
		if (strstr(err, cases[i].sentence) != err)
			fail_msg("%s: \"%s\"", cases[i].text, err);
		assert_int_equal(req.verb, 99);
	}
}

static void test_defaults(void **state)
{
	struct request req;

	(void)state;
	assert_int_equal(
		decode_text(KILL(",\"options\":{},\"request\":\"6D1C0E9A-0000-4000-8000-00000000000A\""), &req), 0);
	assert_string_equal(req.id, ID);
	assert_int_equal(req.verb, VERB_KILL);
	assert_int_equal(req.wait, STAGE_VERIFIED);
	assert_int_equal(req.timeout_ms, REQUEST_TIMEOUT_MS);
	assert_int_equal(req.max + req.drain_ms + req.fence_ms, 0);
	assert_null(req.reason);
	assert_false(req.dry_run || req.yes || req.collateral || req.include_self || req.ignore_none);
	assert_int_equal(decode_text("{}", &req), 0);
	assert_int_equal(req.n_selectors, 0);
	assert_int_equal(req.what, LIST_SESSIONS);
}

static void test_id(void **state)
{
	char a[REQUEST_ID_LEN], b[REQUEST_ID_LEN];

	(void)state;
	assert_int_equal(request_id_make(a), 0);
	assert_int_equal(request_id_read(a, b), 0);
	assert_string_equal(a, b);
	assert_int_equal(a[14], '4');
	assert_int_equal(request_id_make(b), 0);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),	 cmocka_unit_test(test_list), cmocka_unit_test(test_fence),
		cmocka_unit_test(test_absolute), cmocka_unit_test(test_host), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_id),
	};

	return unit_run("decode", tests, NULL);
}
