// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_kill.c - `sever kill` and `sever disconnect`. */
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/signals.h"
#include "pipeline/pipeline.h"

#include <strings.h>

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

static enum status refuse_everyone(const struct options *o, struct report *report, char *err)
{
	const struct summary none = { .request = &o->request };

	fail(0, err, "--all cuts everyone off; confirm it with --yes. Nothing was touched");
	report_begin(report, &o->request);
	report_end(report, &none); /* lost or not, it is refused */
	return STATUS_GUARD;
}

enum status cmd_kill(const struct command *v, struct options *o, char *err)
{
	_cleanup_(client_closep) struct client *severd = NULL;
	struct report report;
	enum status status = request_prepare(v, o, &report, err);

	if (status != STATUS_OK)
		return status;
	if (o->all && !o->request.yes && !everyone_confirmed())
		return refuse_everyone(o, &report, err);
	o->request.yes |= o->all;
	status = remote_open(o, &severd, err);
	if (status != STATUS_OK)
		return status;
	o->request.stop = signals_catch(o->request.include_self);
	return severd ? remote_kill(severd, o, &report, err) : terminate(&o->request, &access_direct, &report, err);
}
