// SPDX-License-Identifier: LGPL-2.1-or-later
/* help.c - the help, printed from the tables, so that it cannot say anything else than the program does. */
#include "cli/cli.h"

#include <string.h>

void help_verbs(FILE *f, const struct command *verbs, size_t n)
{
	fputs("usage: sever VERB [WHAT] [SELECTOR...] [OPTION...]\n"
	      "Ends the connections of a user, a client or a session and proves that they are gone.\n\nverbs:\n",
	      f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "  %-12s%s\n", verbs[i].name, verbs[i].summary);
	fputs("\nexit status:\n"
	      "  0  done                1  nothing matched      2  bad usage     3  done in part\n"
	      "  4  permission denied   5  this kernel cannot   6  a guard refused or spared something\n"
	      "  7  this needs severd, which is not there or not ready; nothing was touched\n",
	      f);
	fputs("\n`sever VERB --help` shows the selectors and options of a verb, `sever --version` the version,\n"
	      "sever(8) all the rest.\n",
	      f);
}

static int name_width(const struct opt *opt)
{
	return strlen(opt->name) + (opt->arg ? strlen(opt->arg) + 1 : 0);
}

static void option_lines(FILE *f, const struct command *v, bool selectors)
{
	int width = 0, w;

	for (size_t i = 0; i < option_count; i++) {
		w = name_width(&option_table[i]);
		if (w > width && option_table[i].verbs & v->on)
			width = w;
	}
	for (size_t i = 0; i < option_count; i++) {
		const struct opt *opt = &option_table[i];

		if (!(opt->verbs & v->on) || opt_is_selector(opt) != selectors)
			continue;
		fprintf(f, "  --%s%s%s%*s%s\n", opt->name, opt->arg ? " " : "", opt->arg ? opt->arg : "",
			width - name_width(opt) + 2, "", opt->help);
	}
}

void help_verb(FILE *f, const struct command *v)
{
	fprintf(f, "usage: sever %s %s\nsever %s: %s.\n", v->name, v->words, v->name, v->summary);
	if (v->on & ON_FLOWS) {
		fputs("\nselectors (different ones must all match, of one given twice either):\n", f);
		option_lines(f, v, true);
	}
	fputs("\noptions:\n", f);
	option_lines(f, v, false);
}
