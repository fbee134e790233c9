// SPDX-License-Identifier: LGPL-2.1-or-later
/* main.c - `sever`: the verbs, and the one place where an exit status leaves. */
#include "cli/cli.h"
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
	{ "fence add", ON_FENCE_ADD, VERB_KILL, "SELECTOR... --for DUR [OPTION...]",
	  "keeps new connections out for a time; those there are stay (needs severd)", cmd_fence },
	{ "fence list", ON_FENCE_LIST, VERB_LIST, "[SELECTOR...] [OPTION...]",
	  "shows the fences that stand, and what they refused (needs severd)", cmd_fence },
	{ "fence lift", ON_FENCE_LIFT, VERB_KILL, "ID|SELECTOR... [OPTION...]",
	  "takes a fence down before its time (needs severd)", cmd_fence },
	{ "doctor", ON_DOCTOR, VERB_LIST, "[OPTION...]",
	  "shows what this kernel and these privileges allow; ends nothing", cmd_doctor },
};

/* Of the first of its words. */
static size_t verb_length(const struct command *v)
{
	return strcspn(v->name, " ");
}

static bool verb_begins(const struct command *v, const char *word)
{
	return strlen(word) == verb_length(v) && strncmp(word, v->name, verb_length(v)) == 0;
}

/* The verb of the words behind argv[0], which are one or two. */
static const struct command *find_verb(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < array_size(verbs); i++) {
		const char *second = strchr(verbs[i].name, ' ');

		if (!verb_begins(&verbs[i], argv[1]) || (second && (argc < 3 || strcmp(second + 1, argv[2]) != 0)))
			continue;
		*ret_words = second ? 2 : 1;
		return &verbs[i];
	}
	return NULL;
}

static int unknown_verb(const char *word, char *err)
{
	size_t best = 3, len = strlen(word), used;
	const struct command *meant = NULL;
	char shown[WORD_SHOWN];

	for (size_t i = 0; i < array_size(verbs); i++) {
		size_t errors = typing_errors(verbs[i].name, verb_length(&verbs[i]), word);

		if (errors >= best || errors >= len)
			continue;
		best = errors;
		meant = &verbs[i];
	}
	fail(-EINVAL, err, "unknown verb %s", word_typed(word, shown));
	used = strlen(err);
	if (meant)
		snprintf(err + used, ERR_LEN - used, ", did you mean %.*s?", (int)verb_length(meant), meant->name);
	return STATUS_USAGE;
}

/* A word that begins verbs of two words, and no second one that does. */
static int half_verb(int argc, char **argv, char *err)
{
	bool help = argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"));
	const char *before = argc > 2 ? ": not one of " : " needs one of ";
	char shown[WORD_SHOWN];
	size_t used;

	fail(-EINVAL, err, "%s%s%s", argv[1], argc > 2 ? " " : "", argc > 2 ? word_typed(argv[2], shown) : "");
	for (const struct command *v = verbs; v < verbs + array_size(verbs); v++) {
		if (!verb_begins(v, argv[1]))
			continue;
		if (help)
			printf("usage: sever %s %s\n", v->name, v->words);
		used = strlen(err);
		snprintf(err + used, ERR_LEN - used, "%s%s", before, v->name + verb_length(v) + 1);
		before = ", ";
	}
	if (!help)
		return STATUS_USAGE;
	*err = '\0';
	return STATUS_OK;
}

/* The options that stand where a verb could. */
static int without_verb(int argc, char **argv, char *err)
{
	bool help = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");
	char shown[WORD_SHOWN];

	if (!help && strcmp(argv[1], "--version") != 0) {
		fail(-EINVAL, err, "unknown option %s: the verb comes first, see sever --help",
		     word_typed(argv[1], shown));
		return STATUS_USAGE;
	}
	if (argc > 2) {
		fail(-EINVAL, err, "%s: unexpected word %s", argv[1], word_typed(argv[2], shown));
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
	int words;

	if (argc < 2) {
		fail(-EINVAL, err, "no verb; sever --help shows them");
		return STATUS_USAGE;
	}
	if (argv[1][0] == '-')
		return without_verb(argc, argv, err);
	v = find_verb(argc, argv, &words);
	if (v)
		return with_verb(v, argc - 1 - words, argv + 1 + words, err);
	for (size_t i = 0; i < array_size(verbs); i++)
		if (verb_begins(&verbs[i], argv[1]))
			return half_verb(argc, argv, err);
	return unknown_verb(argv[1], err);
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
