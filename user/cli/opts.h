/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* opts.h - the option table, and the reading of a command line by it. Help is printed from the same table. */
#ifndef SEVER_OPTS_H
#define SEVER_OPTS_H

#include "model/request.h"
#include "model/word.h"

/* Who takes an option. */
enum {
	ON_LIST = 1 << VERB_LIST,
	ON_KILL = 1 << VERB_KILL,
	ON_DISCONNECT = 1 << VERB_DISCONNECT,
	ON_DOCTOR = 1 << 3,
	ON_WATCH = 1 << 4,
	ON_FENCE_ADD = 1 << 5,
	ON_FENCE_LIST = 1 << 6,
	ON_FENCE_LIFT = 1 << 7,
	ON_FENCE = ON_FENCE_ADD | ON_FENCE_LIST | ON_FENCE_LIFT,
	ON_CUT = ON_KILL | ON_DISCONNECT,
	ON_HOST = ON_LIST | ON_CUT, /* what can be done without severd */
	ON_FLOWS = ON_HOST | ON_WATCH | ON_FENCE, /* what takes selectors */
};

#define AFTER_NOW UINT64_MAX

/* A command line, read. */
struct options {
	struct request request; /* its selectors are borrowed from below */
	struct selector *selectors;
	size_t n_selectors, cap_selectors;
	uint64_t seen;	      /* bit i: row i of the table was there */
	const char *resident; /* what only a running severd could do, as typed; NULL nothing */
	const char *socket;
	const char *fence; /* fence lift: its id; NULL: by the selectors */
	uint64_t after; /* watch: events behind this number; AFTER_NOW: from now on */
	bool all, json, quiet, direct, no_wait, help;
};

struct opt {
	const char *name; /* without the dashes */
	const char *arg;  /* what stands for the value in the help; NULL: a flag */
	unsigned verbs;
	int (*set)(struct options *o, const struct opt *opt, const char *value, char *err);
	size_t where; /* of the member in struct options, or the enum sel */
	const char *help;
};

extern const struct opt option_table[];
extern const size_t option_count;

bool opt_is_selector(const struct opt *opt);

/* The row called name, NULL there is none. */
const struct opt *opt_find(const char *name, size_t len);

/* Appends to err ", did you mean PREFIXname?" where a name that `verb` takes is at most two typing errors away. */
void opt_hint(const char *word, size_t len, unsigned verb, char *err);
size_t typing_errors(const char *a, size_t n, const char *b);
/* A word as word_show() shows it, and one that is empty as it must have been typed. */
const char *word_typed(const char *word, char buf[WORD_SHOWN]);

/* Reads the words after the verb; `verb` is its ON_ bit. Stops at --help. 0; -EINVAL with a sentence in err that names
 * the bad word; -ENOMEM. Whatever it returns, options_clear() is due. */
int options_parse(struct options *o, const char *verb_name, unsigned verb, int argc, char **argv, char *err);
void options_clear(struct options *o);

#endif
