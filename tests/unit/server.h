/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server.h - a server with toy methods in a child, and callers of it: well-behaved ones by cli/client.h, others by
 * bytes. Every wait has a deadline. For test_server.c. */
#ifndef SEVER_TEST_SERVER_H
#define SEVER_TEST_SERVER_H

static struct {
	pid_t pid;
	char dir[32], path[64];
} server;

/* How many times slower than a real one this machine is. */
static int slower(void)
{
	const char *times = getenv("SEVER_TEST_SLOW");

	return times && atoi(times) > 1 ? atoi(times) : 1;
}

/* Limits that a test waits for are stretched less: they begin when the caller is there. */
static inline int pace(void)
{
	return slower() < 3 ? slower() : 3;
}

#define PATIENCE (20000 * slower()) /* ms that anything may take */

static char message[2 << 20]; /* the last one that next_message() read */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* Polls until what is true or PATIENCE is over. */
#define until_true(what)                                                               \
	do {                                                                           \
		for (uint64_t _end = now_ms() + PATIENCE; !(what) && now_ms() < _end;) \
			pause_ms(5);                                                   \
		assert_true(what);                                                     \
	} while (0)

static int on_term(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)si;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

/* All that was allocated is released at the end, so that valgrind has nothing to say. */
static int serve(const struct wire_limits *l, int ready)
{
	struct toy toy = { 0 };
	struct service s = { .io = &toy_methods, .arg = &toy };
	struct door d = DOOR_CLOSED;
	sd_event *e = NULL;
	char err[ERR_LEN];
	sigset_t mask;
	int r;

	toy.service = &s;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	r = sd_event_new(&e);
	if (r >= 0)
		r = sd_event_add_signal(e, NULL, SIGTERM, on_term, NULL);
	if (r >= 0)
		r = door_open(server.path, &d, err);
	if (r >= 0)
		r = wire_new(e, &s, l, &toy.wire);
	if (r >= 0)
		r = wire_listen(toy.wire, take_fd(&d.fd));
	if (r >= 0 && write(ready, "", 1) == 1)
		r = sd_event_loop(e);
	if (toy.wire)
		wire_free(toy.wire);
	door_close(&d);
	sd_event_unref(e);
	return r < 0 || toy.held;
}

static void server_start(const struct wire_limits *l)
{
	int ready[2];
	char c;

	strcpy(server.dir, "/tmp/sever.XXXXXX");
	assert_non_null(mkdtemp(server.dir));
	assert_int_equal(chmod(server.dir, 0755), 0);
	snprintf(server.path, sizeof(server.path), "%s/io.sever", server.dir);
	assert_int_equal(pipe(ready), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		_exit(serve(l, ready[1]));
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static void server_kill(void)
{
	char lock[80];

	if (server.pid <= 0)
		return;
	kill(server.pid, SIGKILL);
	waitpid(server.pid, NULL, 0);
	server.pid = 0;
	snprintf(lock, sizeof(lock), "%s.lock", server.path);
	unlink(lock);
	unlink(server.path);
	rmdir(server.dir);
}

/* It ends well and leaves nothing. */
static void server_stop(void)
{
	int status = -1;

	kill(server.pid, SIGTERM);
	assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
	server.pid = 0;
	assert_int_equal(status, 0);
	assert_int_equal(rmdir(server.dir), 0);
}

static long server_kb(void)
{
	char path[40], line[256];
	_fclose_ FILE *f = NULL;
	long kb = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)server.pid);
	f = fopen(path, "r");
	while (f && kb < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %ld", &kb);
	assert_true(kb > 0);
	return kb;
}

static uint64_t server_cpu_ms(void)
{
	struct timespec t;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(server.pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* --- callers that behave ----------------------------------------------------------------------- */

static struct client *caller(void)
{
	struct client *c;
	char err[ERR_LEN];

	assert_int_equal(client_open(server.path, PATIENCE, &c, err), 0);
	return c;
}

static void call_only(struct client *c, const char *method, const char *parameters, unsigned int flags)
{
	_cleanup_(json_decrefp) json_t *p = parameters ? json_loads(parameters, 0, NULL) : NULL;
	char err[ERR_LEN];

	assert_int_equal(client_call(c, method, p, flags, PATIENCE, err), 0);
}

static void ask_for(struct client *c, const char *method, const char *parameters, unsigned int flags, struct reply *ret)
{
	char err[ERR_LEN];

	call_only(c, method, parameters, flags);
	assert_int_equal(client_next(c, PATIENCE, ret, err), 0);
}

static const char *text_in(const struct reply *r, const char *key)
{
	return json_string_value(json_object_get(r->parameters, key));
}

/* A number that the toy's Doctor tells, by a connection of its own; `other` where it does not. */
static long seen_or(const char *key, long other)
{
	struct client *c = caller();
	char err[ERR_LEN];
	struct reply r = { 0 };
	long n = other;

	call_only(c, "io.sever.Doctor", NULL, 0);
	if (client_next(c, PATIENCE, &r, err) == 0 && !r.error[0])
		n = json_integer_value(json_object_get(r.parameters, key));
	reply_clear(&r);
	client_close(c);
	return n;
}

static long seen(const char *key)
{
	long n = seen_or(key, -1);

	assert_true(n >= 0);
	return n;
}

/* Or -1 for now: the server may be full. */
static void until_seen(const char *key, long n)
{
	until_true(seen_or(key, -1) == n);
}

static void emit(int n)
{
	struct client *c = caller();
	char parameters[64];
	struct reply r;

	snprintf(parameters, sizeof(parameters), "{\"cursor\":\"emit\",\"limit\":%d}", n);
	ask_for(c, "io.sever.List", parameters, 0, &r);
	reply_clear(&r);
	client_close(c);
}

/* The number of the next event; *lost grows by what it says was lost. */
static uint64_t event(struct client *c, uint64_t *lost)
{
	char err[ERR_LEN];
	struct reply r;
	json_t *e;
	uint64_t seq;

	assert_int_equal(client_next(c, PATIENCE, &r, err), 0);
	assert_true(r.continues);
	e = json_object_get(r.parameters, "event");
	seq = json_integer_value(json_object_get(e, "seq"));
	*lost += json_integer_value(json_object_get(e, "count"));
	reply_clear(&r);
	return seq;
}

/* --- callers that may not ---------------------------------------------------------------------- */

static int raw(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, server.path);
	assert_int_equal(connect(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

static void put(int fd, const char *bytes, size_t n)
{
	for (ssize_t k; n; bytes += k, n -= k) {
		k = send(fd, bytes, n, MSG_NOSIGNAL);
		assert_true(k > 0);
	}
}

static void say(int fd, const char *text)
{
	put(fd, text, strlen(text) + 1);
}

/* Text without an end, until it is hung up on. */
static void put_until_refused(int fd)
{
	static char chunk[65536];

	memset(chunk, ' ', sizeof(chunk));
	for (size_t n = 0; send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0; n += sizeof(chunk))
		assert_true(n < 16 << 20);
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

/* False at the end of the stream. Byte by byte is slow, but leaves the rest where it is: so look first. */
static bool next_message(int fd)
{
	size_t at = 0;

	for (;;) {
		char *nul;
		ssize_t n;

		assert_true(readable(fd, PATIENCE));
		n = recv(fd, message + at, sizeof(message) - at, MSG_PEEK);
		if (n <= 0)
			return false;
		nul = memchr(message + at, 0, n);
		n = nul ? nul + 1 - (message + at) : n;
		assert_int_equal(recv(fd, message + at, n, 0), n);
		at += n;
		if (nul)
			return true;
		assert_true(at < sizeof(message));
	}
}

static void expect_message(int fd, const char *wanted)
{
	assert_true(next_message(fd));
	assert_string_equal(message, wanted);
}

static void expect_error(int fd, const char *name)
{
	char start[128];

	assert_true(next_message(fd));
	snprintf(start, sizeof(start), "{\"error\":\"%s\"", name);
	assert_ptr_equal(strstr(message, start), message);
}

static void expect_end(int fd)
{
	assert_false(next_message(fd));
}

#endif
