/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* paper.h - a report into memory, and things to report. */
#ifndef SEVER_TEST_PAPER_H
#define SEVER_TEST_PAPER_H

#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct selector by_alice = { .kind = SEL_USER, .text = "alice" };

/* A report into memory. */
struct paper {
	struct report r;
	struct request req;
	char *out, *err;
	size_t out_len, err_len;
};

static inline void paper_open(struct paper *p, const struct report_ops *ops, enum verb verb)
{
	*p = (struct paper){ 0 };
	p->r.ops = ops;
	p->r.out = open_memstream(&p->out, &p->out_len);
	p->r.err = open_memstream(&p->err, &p->err_len);
	p->req = (struct request){ .id = "6d1c0e9a-0000-4000-8000-000000000001", .verb = verb };
	p->req.selectors = &by_alice;
	p->req.n_selectors = 1;
	assert_true(p->r.out && p->r.err);
}

static inline void paper_end(struct paper *p, const struct summary *s)
{
	struct summary summary = *s;

	summary.request = &p->req;
	assert_int_equal(report_end(&p->r, &summary), 0);
	fflush(p->r.err);
}

static inline void paper_close(struct paper *p)
{
	fclose(p->r.out);
	fclose(p->r.err);
	free(p->out);
	free(p->err);
}

static struct proc sshd = { .pid = 812, .comm = "sshd" };
static struct session alices = { .id = "audit:7",
				 .uid = 1001,
				 .leader = 812,
				 .survivor = 900,
				 .survives = SURVIVES_MULTIPLEXER };
static const struct proctab procs = { .v = &sshd, .n = 1 };
static const struct sessions sessions = { .v = &alices, .n = 1 };

static inline struct flow make_flow(void)
{
	static const uint8_t remote[] = { 127, 0, 0, 2 }, local[] = { 127, 0, 0, 1 };
	static const struct flow onward = { .remote = { .family = AF_INET, .b = { 127, 0, 0, 3 } }, .remote_port = 7002 };

	return (struct flow){ .cookie = 0x1a2b,
			      .netns = 4026531840,
			      .inode = 5,
			      .family = AF_INET,
			      .proto = PROTO_TCP,
			      .state = STATE_ESTABLISHED,
			      .local = addr_from_bytes(AF_INET, local),
			      .local_port = 22,
			      .remote = addr_from_bytes(AF_INET, remote),
			      .remote_port = 51234,
			      .direction = DIR_IN,
			      .via = VIA_TRANSPORT,
			      .outcome = OUT_DEAD,
			      .transport = true,
			      .user_known = true,
			      .user = 1001,
			      .login_uid = 1001,
			      .shared_with = ID_UNSET,
			      .user_name = "alice",
			      .engine = "diag",
			      .cgroup_path = "/user.slice",
			      .wqueue = 12,
			      .since = 1763000000123456,
			      .sent = UINT32_MAX + 1ull,
			      .received = 7,
			      .counted = true,
			      .idle_ms = 3000,
			      .timed = true,
			      .backend = &onward };
}

/* Of a flow about which nothing is known. */
static inline struct flow make_unknown(void)
{
	return (struct flow){ .cookie = 1,
			      .netns = 2,
			      .uid = 9,
			      .proto = PROTO_OTHER,
			      .proc = -1,
			      .session = -1,
			      .user = 4,
			      .user_name = "guess",
			      .login_uid = ID_UNSET,
			      .shared_with = ID_UNSET,
			      .outcome = OUT_UNSUPPORTED,
			      .err = -EOPNOTSUPP };
}

static inline struct row make_row(enum list_what what)
{
	struct flow f = make_flow();

	return (struct row){ .what = what,
			     .session = &alices,
			     .user_name = "alice",
			     .user = 1001,
			     .client = f.remote,
			     .transports = 1,
			     .flows = 2,
			     .sessions = 3,
			     .users = 4,
			     .sent = 10,
			     .received = 20,
			     .counted = true,
			     .idle_ms = 7199999,
			     .timed = true,
			     .since = 1763000000000000,
			     .connected = 1763000001000000,
			     .disconnected = 1763000002000000,
			     .presence = PRESENCE_ACTIVE,
			     .carrier = "tcp6" };
}

static inline void list_one(struct paper *p, const struct report_ops *ops, enum list_what what)
{
	const struct summary s = { .matched = 1, .owners = "bpf" };
	struct row row = make_row(what);

	paper_open(p, ops, VERB_LIST);
	p->req.what = what;
	report_begin(&p->r, &p->req);
	report_row(&p->r, &row);
	paper_end(p, &s);
}

#endif
