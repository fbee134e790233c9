// SPDX-License-Identifier: LGPL-2.1-or-later
/* main.c - `sever`: the verbs, and the one place where an exit status leaves. */
#include "cli/cli.h"
#include "model/word.h"
#include "report/escape.h"
#include "kernel/netns.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

static const struct command verbs[] = {
	{ "list", ON_LIST, VERB_LIST, "[sessions|flows|users|clients] [SELECTOR...] [OPTION...]",
	  "shows who is connected: sessions (default), flows, users or clients", cmd_list },
	{ "kill", ON_KILL, VERB_KILL, "SELECTOR... [OPTION...]",
	  "ends every matching flow and waits until each is proven gone", cmd_kill },
	{ "disconnect", ON_DISCONNECT, VERB_DISCONNECT, "SELECTOR... [OPTION...]",
	  "ends only the flows that carry sessions; what runs in them lives on", cmd_kill },
	{ "watch", ON_WATCH, VERB_LIST, "[SELECTOR...] [OPTION...]",
	  "shows what happens to connections and sessions, as it happens (needs severd)", cmd_watch },
	{ "doctor", ON_DOCTOR, VERB_LIST, "[OPTION...]",
	  "shows what this kernel and these privileges allow; ends nothing", cmd_doctor },
};

static const struct command *find_verb(const char *word)
{
	for (size_t i = 0; i < array_size(verbs); i++)
		if (strcmp(word, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *word, char *err)
{
	size_t best = 3, len = strlen(word), used;
	const char *name = NULL;
	char shown[WORD_SHOWN];

	for (size_t i = 0; i < array_size(verbs); i++) {
		size_t errors = typing_errors(word, len, verbs[i].name);

		if (errors >= best || errors >= len)
			continue;
		best = errors;
		name = verbs[i].name;
	}
	fail(-EINVAL, err, "unknown verb %s", word_show(word, shown));
	used = strlen(err);
	if (name)
		snprintf(err + used, ERR_LEN - used, ", did you mean %s?", name);
	return STATUS_USAGE;
}

/* The options that stand where a verb could. */
static int without_verb(int argc, char **argv, char *err)
{
	bool help = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");
	char shown[WORD_SHOWN];

	if (!help && strcmp(argv[1], "--version") != 0) {
		fail(-EINVAL, err, "unknown option %s: the verb comes first, see sever --help",
		     word_show(argv[1], shown));
		return STATUS_USAGE;
	}
	if (argc > 2) {
		fail(-EINVAL, err, "%s: unexpected word %s", argv[1], word_show(argv[2], shown));
		return STATUS_USAGE;
	}
	if (help)
		help_verbs(stdout, verbs, array_size(verbs));
	else
		puts("sever " SEVER_VERSION);
	return STATUS_OK;
}

static int with_verb(const struct command *v, int argc, char **argv, char *err)
{
	_cleanup_(options_clear) struct options o;
	int r;

	r = options_parse(&o, v->name, v->on, argc, argv, err);
	if (r < 0)
		return r == -EINVAL ? STATUS_USAGE : STATUS_KERNEL;
	if (!o.help)
		return v->run(v, &o, err);
	help_verb(stdout, v);
	return STATUS_OK;
}

static int dispatch(int argc, char **argv, char *err)
{
	const struct command *v;

	if (argc < 2) {
		fail(-EINVAL, err, "no verb; sever --help shows them");
		return STATUS_USAGE;
	}
	if (argv[1][0] == '-')
		return without_verb(argc, argv, err);
	v = find_verb(argv[1]);
	return v ? with_verb(v, argc - 2, argv + 2, err) : unknown_verb(argv[1], err);
}

/* A closed stdout must not come back as the first socket we open; its stand-in refuses every write. */
static void hold_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			_exit(STATUS_KERNEL);
}

int main(int argc, char **argv)
{
	char err[ERR_LEN] = "";
	int status;

	hold_standard_fds();
	fd_limit_raise();
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	status = dispatch(argc, argv, err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (!err[0])
			fail(-EIO, err, "the answer could not be written in full");
		if (status == STATUS_OK || status == STATUS_NO_MATCH)
			status = STATUS_PARTIAL;
	}
	if (err[0]) {
		fputs("sever: ", stderr);
		escape_put(stderr, err);
		fputc('\n', stderr);
	}
	return status;
}
