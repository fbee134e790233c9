// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer_ask.c - tells a peer what to do and waits for what it answers. One program, where a shell would start ten: on an
 * emulated CPU that is what a test costs. The peer NAME reads NAME.ctl and writes NAME.out, see peer_run.c. */
#include "peer.h"

#include <fcntl.h>

struct answers {
	FILE *out;
	long n;
	char *last, *line; /* last: from the last "= " on */
	size_t size;
};

static FILE *open_part(const char *name, const char *part, const char *mode)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.%s", name, part);
	return fopen(path, mode);
}

/* What has come since the last time; a line that is not complete is read again. */
static void read_on(struct answers *a)
{
	long at = ftell(a->out);

	clearerr(a->out);
	fseek(a->out, at, SEEK_SET);
	for (ssize_t len; (len = getline(&a->line, &a->size, a->out)) > 0 && a->line[len - 1] == '\n';
	     at = ftell(a->out)) {
		if (strncmp(a->line, "= ", 2) != 0)
			continue;
		free(a->last);
		a->last = strdup(a->line + 2);
		a->n++;
	}
	fseek(a->out, at, SEEK_SET);
}

/* Its parent is a shell that waits for us, and so not for it: it stays as a zombie, as does the first thread
 * of a process where that has ended and others go on. */
static bool is_over(const char *pid)
{
	char path[64], state = 'X';
	long threads = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	fscanf(f, "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", &state,
	       &threads);
	fclose(f);
	return state == 'X' || (state == 'Z' && threads < 2);
}

static int wait_for(struct answers *a, const char *pid, long ms, long more_than)
{
	long end = now_ms() + ms;

	for (long pause = 1;; pause = pause < 16 ? pause * 2 : pause) {
		bool over = is_over(pid);

		read_on(a);
		if (a->n > more_than)
			return fputs(a->last, stdout) < 0;
		if (over || now_ms() > end)
			return 1;
		wait_ms(pause);
	}
}

int await_answer(const char *name, const char *pid, long ms)
{
	struct answers a = { .out = open_part(name, "out", "re") };

	return a.out ? wait_for(&a, pid, ms, 0) : 1;
}

int ask_peer(const char *name, const char *pid, long ms, char **words)
{
	struct answers a = { .out = open_part(name, "out", "re") };
	FILE *control = open_part(name, "ctl", "r+e");
	long before;

	if (!a.out || !control || is_over(pid))
		return 1;
	read_on(&a);
	before = a.n;
	for (; *words; words++)
		fprintf(control, "%s%c", *words, words[1] ? ' ' : '\n');
	if (fclose(control) != 0)
		return 1;
	return wait_for(&a, pid, ms, before);
}
