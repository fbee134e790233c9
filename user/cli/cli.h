/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cli.h - the verbs. Each turns its words into a request, hands it on and returns the exit status; where one sentence
 * explains it, that stands in err (ERR_LEN bytes). */
#ifndef SEVER_CLI_H
#define SEVER_CLI_H

#include "cli/opts.h"
#include "report/report.h"

struct command {
	const char *name;  /* "kill", "fence add" */
	unsigned on;	   /* its ON_ bit */
	enum verb request; /* what it asks of the pipeline */
	const char *words; /* what follows it, for the help */
	const char *summary;
	enum status (*run)(const struct command *v, struct options *o, char *err);
};

enum status cmd_list(const struct command *v, struct options *o, char *err);
enum status cmd_kill(const struct command *v, struct options *o, char *err); /* and disconnect */
enum status cmd_watch(const struct command *v, struct options *o, char *err);
enum status cmd_fence(const struct command *v, struct options *o, char *err); /* fence add, list and lift */
enum status cmd_doctor(const struct command *v, struct options *o, char *err);

/* Completes the request and sets up a report on stdout and stderr. STATUS_OK, or the status to leave with. */
enum status request_prepare(const struct command *v, struct options *o, struct report *ret, char *err);

void help_verbs(FILE *f, const struct command *verbs, size_t n);
void help_verb(FILE *f, const struct command *v);

#endif
