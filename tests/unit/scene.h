/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.h - a host in small: a namespace of the test's own, a process that holds both ends of many connections in it and can
 * be asked which are alive, and the whole pipeline run over that, its answer compared with the truth. */
#ifndef SEVER_TEST_SCENE_H
#define SEVER_TEST_SCENE_H

#include "own_net.h"
#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SCENE_PORT 7000
#define SCENE_MAX 1200

static struct scene {
	pid_t holder;
	int line; /* to the holder */
	size_t n;
	uint64_t cookie[SCENE_MAX]; /* of the accepted ends */
	uint8_t alive[SCENE_MAX];
	bool apart;	 /* in: the holder has a namespace of its own */
	uint32_t netns;	 /* the holder's */
} scene = { .line = -1 };

/* What the pipeline said. Nothing here is allocated: memory may be what is failing. */
static struct answer {
	enum status status;
	char err[ERR_LEN], notes[4096], owners[16];
	struct summary s;
	size_t n;
	struct flow v[SCENE_MAX];
	unsigned int begun, ended, reconnected, sessions, rows;
} answer;

/* Not by /proc, which may be hidden. */
static inline ino_t netns_here(void)
{
	_close_ int sock = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	_close_ int ns = must(ioctl(sock, SIOCGSKNS), "SIOCGSKNS");
	struct stat st;

	must(fstat(ns, &st), "fstat");
	return st.st_ino;
}

/* ---- the holder ---- */

static inline void hold(int line, size_t n)
{
	static struct pair v[SCENE_MAX];
	static uint8_t alive[SCENE_MAX];
	uint32_t netns = (scene.apart ? must(own_net(), "own_net") : 0, netns_here());
	int listening = listener("127.0.0.1", SCENE_PORT, 64);
	const struct linger now = { .l_onoff = 1 };
	char c;

	must(write(line, &netns, sizeof(netns)), "write");
	for (size_t i = 0; i < n; i++) {
		uint64_t cookie;

		v[i] = connected(listening, "127.0.0.2", 0);
		cookie = cookie_of(v[i].in);
		must(write(line, &cookie, sizeof(cookie)), "write");
	}
	while (read(line, &c, 1) == 1) {
		for (size_t i = 0; i < n; i++)
			alive[i] = established(v[i].in);
		must(write(line, alive, n), "write");
	}
	/* By reset: thousands of scenes would leave as many TIME_WAITs. */
	for (size_t i = 0; i < n; i++) {
		must(setsockopt(v[i].out, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
		close(v[i].out);
	}
	_exit(0);
}

static inline void scene_read(void *buf, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t r = read(scene.line, (char *)buf + have, len - have);

		if (r <= 0)
			abort();
		have += r;
	}
}

static inline void scene_open(size_t n)
{
	int line[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line), "socketpair");
	scene.holder = must(fork(), "fork");
	if (!scene.holder) {
		close(line[0]);
		hold(line[1], n);
	}
	close(line[1]);
	scene.line = line[0];
	scene.n = n;
	scene_read(&scene.netns, sizeof(scene.netns));
	scene_read(scene.cookie, n * sizeof(*scene.cookie));
}

/* Lets the holder end, by its pid. */
static inline int scene_close(void **state)
{
	(void)state;
	if (scene.line >= 0) {
		close(scene.line);
		waitpid(scene.holder, NULL, 0);
	}
	scene.line = -1;
	return 0;
}

/* How many are alive, by their own kernel state. */
static inline size_t scene_look(void)
{
	size_t n = 0;

	must(write(scene.line, "?", 1), "write");
	scene_read(scene.alive, scene.n);
	for (size_t i = 0; i < scene.n; i++)
		n += scene.alive[i];
	return n;
}

/* ---- the record ---- */

static inline void on_begin(struct report *r, const struct request *req)
{
	(void)r;
	(void)req;
	answer.begun++;
}

static inline void on_session(struct report *r, const struct session *s, const char *user_name)
{
	(void)r;
	(void)s;
	(void)user_name;
	answer.sessions++;
}

static inline void on_flow(struct report *r, const struct flow *f, const struct proctab *procs,
			   const struct sessions *sessions)
{
	(void)r;
	(void)sessions;
	if (f->proc >= (int32_t)procs->n)
		abort();
	if (answer.n < SCENE_MAX)
		answer.v[answer.n++] = *f;
}

static inline void on_reconnected(struct report *r, const struct flow *f, const struct proctab *procs,
				  const struct sessions *sessions)
{
	(void)r;
	(void)f;
	(void)procs;
	(void)sessions;
	answer.reconnected++;
}

static inline void on_row(struct report *r, const struct row *row)
{
	(void)r;
	answer.rows += row->flows > 0;
}

static inline void on_end(struct report *r, const struct summary *s)
{
	size_t at = 0;

	(void)r;
	answer.ended++;
	answer.s = *s;
	snprintf(answer.owners, sizeof(answer.owners), "%s", s->owners ? s->owners : "");
	for (size_t i = 0; i < s->n_notes && at < sizeof(answer.notes); i++)
		at += snprintf(answer.notes + at, sizeof(answer.notes) - at, "%s\n", s->notes[i]);
}

#define RECORD { .begin = on_begin, .session = on_session, .flow = on_flow, .reconnected = on_reconnected, \
		 .row = on_row, .end = on_end }
static struct report_ops scene_ops = RECORD; /* a test may put itself between */

/* ---- one request ---- */

/* But for the line to the holder, which may end meanwhile. */
static inline unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 512; fd++)
		n += fd != scene.line && fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The accepted ends of the scene, in this namespace. */
static struct selector scene_selectors[] = {
	{ .kind = SEL_NETNS, .text = "self", .netns = { .form = NETNS_SELF } },
	{ .kind = SEL_LOCAL_PORT, .text = "7000", .ports = { SCENE_PORT, SCENE_PORT } },
};

static inline struct request scene_request(enum verb verb)
{
	return (struct request){ .id = "6d1c0e9a-0000-4000-8000-000000000001",
				 .verb = verb,
				 .what = LIST_FLOWS,
				 .selectors = scene_selectors,
				 .n_selectors = array_size(scene_selectors),
				 .wait = STAGE_VERIFIED,
				 .timeout_ms = 20000 };
}

/* Runs a request. Whatever comes of it, each descriptor is closed, the namespace is ours again, and the report was begun and
 * ended once, with totals that add up. */
static inline void ask(const struct request *req)
{
	struct report report = { .ops = &scene_ops, .out = stderr, .err = stderr };
	unsigned int fds = open_fds();
	ino_t here = netns_here();
	const struct summary *s = &answer.s;

	memset(&answer, 0, sizeof(answer));
	answer.status = req->verb == VERB_LIST ? list(req, &access_direct, &report, answer.err) :
						terminate(req, &access_direct, &report, answer.err);
	assert_int_equal(open_fds(), fds);
	assert_int_equal(netns_here(), here);
	assert_int_equal(answer.begun, 1);
	assert_int_equal(answer.ended, 1);
	assert_int_equal(s->reconnected, answer.reconnected);
	if (req->verb != VERB_LIST)
		assert_int_equal(s->matched,
				 s->dead + s->alive + s->stale + s->denied + s->unsupported + s->spared + s->planned);
}

static inline size_t count_of(enum outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < answer.n; i++)
		n += answer.v[i].outcome == outcome;
	return n;
}

/* The flow of the answer that is connection i of the scene, NULL it is not there. */
static inline const struct flow *flow_of(size_t i)
{
	const struct flow *found = NULL;

	for (size_t k = 0; k < answer.n; k++)
		if (answer.v[k].cookie == scene.cookie[i]) {
			assert_null(found);
			found = &answer.v[k];
		}
	return found;
}

/* Compares what was said of each connection with what it is, and returns how many are dead. broken: the work broke off, and
 * what was not looked at any more may be called alive. */
static inline size_t check_truth(bool broken)
{
	size_t alive = scene_look();

	assert_int_equal(answer.n, scene.n);
	for (size_t i = 0; i < scene.n; i++) {
		const struct flow *f = flow_of(i);

		assert_non_null(f);
		if (f->outcome == OUT_DEAD || f->outcome == OUT_STALE)
			assert_false(scene.alive[i]);
		else if (!broken)
			assert_true(scene.alive[i]);
	}
	assert_int_equal(answer.s.matched, scene.n);
	assert_int_equal(answer.s.dead, count_of(OUT_DEAD));
	if (answer.status == STATUS_OK)
		assert_int_equal(alive, 0);
	return scene.n - alive;
}

/* Kills everybody; the status and the number of dead are as given, and nothing was misreported. */
static inline void kill_all(enum status status, size_t dead)
{
	const struct request req = scene_request(VERB_KILL);

	ask(&req);
	if (answer.status != status)
		fail_msg("status %d, not %d: %s; %s", answer.status, status, answer.err, answer.notes);
	assert_int_equal(check_truth(false), dead);
}

static inline int scene_begin(void **state)
{
	struct rlimit files = { 4096, 4096 };

	(void)state;
	setrlimit(RLIMIT_NOFILE, &files);
	return own_net();
}

#endif
