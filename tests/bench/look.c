// SPDX-License-Identifier: LGPL-2.1-or-later
/* look.c - what a look of severd costs, at whose connections are whose and at whom fences mean. Root; nothing else should run.
 *
 *	look [CONNECTIONS [LOOKS]]	both ends of each connection are here, held by processes of one user who is logged in
 *
 * For each set of fences: the CPU's time of the thread that looks, of the first look, which tells what was there before the fences,
 * and of the others the median and the spread. */
#include "../unit/fenced.h"
#include "bench.h"
#include "daemon/attend.h"
#include "daemon/fencing_parts.h"

enum { MOST = 10000, HOLDER = 4001 };

static char dir[] = "/tmp/sever-look-XXXXXX";
static struct live live;

/* ---- the crowd ---- */

static bool log_in(uint32_t uid)
{
	FILE *to = fopen("/proc/self/loginuid", "w");

	return to && fprintf(to, "%u", uid) > 0 && fclose(to) == 0;
}

/* Each as many as it may have descriptors for. */
enum { EACH = 4000 };

static void hold(unsigned int which, unsigned int n, int ready)
{
	int l = listener("127.0.0.1", 0, 1000);
	char from[32];

	if (!log_in(HOLDER))
		fprintf(stderr, "look: nobody can log in here\n");
	snprintf(from, sizeof(from), "127.0.1.%u", 1 + which);
	for (unsigned int i = 0; i < n; i++)
		connected(l, from, 0);
	must(write(ready, "", 1), "write");
	pause();
}

static void add_holder(unsigned int which, unsigned int n)
{
	struct pollfd ready;
	int ends[2];

	must(pipe(ends), "pipe");
	if (!must(fork(), "fork")) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(which, n, ends[1]);
	}
	ready = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	while (poll(&ready, 1, 5) == 0)
		must(live_drain(&live), "live_drain");
	close(ends[0]);
	close(ends[1]);
}

static void crowd(unsigned int n)
{
	for (unsigned int i = 0; i * EACH < n; i++)
		add_holder(i, n - i * EACH < EACH ? n - i * EACH : EACH);
	must(live_resync(&live), "live_resync");
}

/* ---- the fences, as they are found when severd starts ---- */

static void put_line(FILE *to, uint64_t number, const char *selector, const char *users, const char *cgroups)
{
	fprintf(to, "{\"fence\":%ju,\"selectors\":[\"%s\"],\"reason\":null,\"uid\":0,\"login_uid\":0,\"pid\":1,\"request\":\"\","
		    "\"since\":1,\"up\":%ju,\"until\":%ju,\"turn\":0,\"lapsed\":false,\"users\":[%s],\"cgroups\":[%s],\"units\":[],"
		    "\"netns\":[],\"sessions\":[],\"tops\":[%s]}\n", (uintmax_t)number, selector, (uintmax_t)now(),
		(uintmax_t)(now() + 3600 * SECOND), users, cgroups, cgroups);
}

struct fences_of {
	const char *what;
	unsigned int clients, users; /* who have nothing to do with the crowd */
	bool holder, cgroup;	     /* and those who have */
};

static void write_file(const struct fences_of *w)
{
	uint64_t n = 0;
	char path[64], boot[BOOT_ID_LEN], text[64], id[16];
	FILE *to;

	snprintf(path, sizeof(path), "%s/fences", dir);
	to = fopen(path, "we");
	if (!to || fencing_read_boot(boot) < 0)
		abort();
	fprintf(to, "{\"fences\":1,\"boot\":\"%s\",\"saved\":%ju,\"last\":%u}\n", boot, (uintmax_t)now(), 3 * MOST);
	for (unsigned int i = 0; i < w->clients; i++) {
		snprintf(text, sizeof(text), "--client 240.0.%u.%u", i / 256, i % 256);
		put_line(to, ++n, text, "", "");
	}
	for (unsigned int i = 0; i < w->users; i++) {
		snprintf(id, sizeof(id), "%u", 3900000 + i);
		snprintf(text, sizeof(text), "--user uid:%s", id);
		put_line(to, ++n, text, id, "");
	}
	if (w->holder)
		put_line(to, ++n, "--user uid:4001", "4001", "");
	if (w->cgroup)
		put_line(to, ++n, "--cgroup /nowhere", "", "1000000000");
	if (fclose(to) != 0)
		abort();
}

/* ---- the looks ---- */

static double cpu_of(pthread_t thread)
{
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) != 0)
		abort();
	return seconds_of(clock);
}

/* Until one that began now is over, however long it takes. */
static double look(struct attend *a)
{
	double begun = cpu_of(a->thread);
	uint64_t mine = a->asked + 1;

	while (__atomic_load_n(&a->answered, __ATOMIC_ACQUIRE) < mine)
		attend_look(a);
	return cpu_of(a->thread) - begun;
}

static void measure(const struct fences_of *w, unsigned int n)
{
	const struct fencing_options o = { .state_dir = dir, .live = &live };
	_free_ double *v = calloc(n, sizeof(*v));
	struct fencing *fencing;
	struct attend a;
	char err[ERR_LEN];
	double first, middle;

	write_file(w);
	if (fencing_open(&fencing, &o, err) < 0 || attend_start(&a, &live, fencing) < 0)
		fail_msg("%s", err);
	first = look(&a);
	for (unsigned int i = 0; i < n; i++)
		v[i] = look(&a);
	attend_stop(&a);
	fencing_close(fencing);
	middle = median(v, n);
	printf("%-55s first %7.1f ms, then %7.1f (%.1f..%.1f)\n", w->what, first * 1e3, middle * 1e3, v[0] * 1e3, v[n - 1] * 1e3);
}

int main(int argc, char **argv)
{
	static const struct fences_of all[] = {
		{ "no fence" },
		{ "10,000 clients", .clients = MOST - 1 },
		{ "10,000 clients and a user who is not here", .clients = MOST - 1, .users = 1 },
		{ "10,000 users who are not here", .users = MOST },
		{ "10,000 clients and the user who holds all connections", .clients = MOST - 1, .holder = true },
		{ "10,000 users, one of them holds all connections", .users = MOST - 1, .holder = true },
		{ "10,000 clients and a cgroup that is not here", .clients = MOST - 1, .cgroup = true },
	};
	unsigned int n = argc > 1 ? atoi(argv[1]) : 100000, looks = argc > 2 ? atoi(argv[2]) : 9;
	char err[ERR_LEN] = "", path[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() || own_net() < 0 || !mkdtemp(dir))
		return fprintf(stderr, "look: needs root\n"), 4;
	fd_limit_raise();
	if (live_open(&live, NULL, err) < 0)
		return fprintf(stderr, "look: %s\n", err), 4;
	crowd(n);
	printf("%zu sockets are known\n", live.index.n);
	for (size_t i = 0; i < array_size(all); i++)
		measure(&all[i], looks);
	live_close(&live);
	snprintf(path, sizeof(path), "%s/fences", dir);
	unlink(path);
	return rmdir(dir);
}
