// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_kill.c - `sever kill` and `sever disconnect`. */
#include "cli/cli.h"
#include "pipeline/pipeline.h"

#include <signal.h>
#include <strings.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* The first signal ends the work early, but with a report of what was done; the second one ends the program. What the
 * caller chose to ignore stays so, and who cuts his own session outlives the hang-up that follows. */
static void catch_signals(bool own_session)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction early = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART };
	struct sigaction before;

	for (size_t i = 0; i < array_size(signals); i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &early, NULL);
	if (own_session)
		signal(SIGHUP, SIG_IGN);
}

/* Asks only where a person can answer; a script has --yes. */
static bool everyone_confirmed(void)
{
	char answer[16];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fputs("Disconnect everyone? [y/N] ", stderr);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return !strcasecmp(answer, "y\n") || !strcasecmp(answer, "yes\n");
}

enum status cmd_kill(const struct command *v, struct options *o, char *err)
{
	struct report report;
	enum status status = request_prepare(v, o, &report, err);

	if (status != STATUS_OK)
		return status;
	if (o->all && !o->request.yes && !everyone_confirmed()) {
		fail(0, err, "--all cuts everyone off; confirm it with --yes. Nothing was touched");
		return STATUS_GUARD;
	}
	o->request.yes |= o->all;
	o->request.stop = &stop;
	catch_signals(o->request.include_self);
	return terminate(&o->request, &report, err);
}
