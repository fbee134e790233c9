// SPDX-License-Identifier: LGPL-2.1-or-later
/* opts.c - reading a command line. Names are exact: an abbreviation that means one thing today and another one after
 * the next release has no place in a tool that ends connections. */
#include "cli/opts.h"

#include <string.h>

#define NAME_MAX_LEN 32 /* no option or verb is longer */

const struct opt *opt_find(const char *name, size_t len)
{
	for (size_t i = 0; i < option_count; i++)
		if (strlen(option_table[i].name) == len && strncmp(option_table[i].name, name, len) == 0)
			return &option_table[i];
	return NULL;
}

const char *word_typed(const char *word, char buf[WORD_SHOWN])
{
	return *word ? word_show(word, buf) : "''";
}

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
size_t typing_errors(const char *a, size_t n, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], m = strlen(b);

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t above = row[j];

			row[j] = least_of(row[j - 1] + 1, above + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

void opt_hint(const char *word, size_t len, unsigned verb, char *err)
{
	size_t best = 3, used = strlen(err);
	const char *name = NULL;

	for (size_t i = 0; i < option_count; i++) {
		size_t errors = typing_errors(word, len, option_table[i].name);

		/* A word all of whose letters would have to change resembles nothing. */
		if (!(option_table[i].verbs & verb) || errors >= best || errors >= len)
			continue;
		best = errors;
		name = option_table[i].name;
	}
	if (name)
		snprintf(err + used, ERR_LEN - used, ", did you mean --%s?", name);
}

static int unknown(const char *word, size_t len, const char *verb_name, unsigned verb, char *err)
{
	char shown[WORD_SHOWN];
	_free_ char *name = strndup(word, len);

	if (!name)
		return fail(-ENOMEM, err, "out of memory");
	word_show(name, shown);
	if (strncmp(name, "--", 2) != 0)
		return fail(-EINVAL, err, "unknown option %s: options are words, like --user", shown);
	if (!strcmp(name, "--version"))
		return fail(-EINVAL, err, "%s does not take --version: sever --version stands alone", verb_name);
	if (opt_find(name + 2, len - 2))
		return fail(-EINVAL, err, "%s does not take %s", verb_name, shown);
	fail(-EINVAL, err, "unknown option %s", shown);
	opt_hint(name + 2, len - 2, verb, err);
	return -EINVAL;
}

/* One option with its value, which may be the next word. Returns how many words it took. */
static int take_option(struct options *o, const char *verb_name, unsigned verb, char **argv, char *err)
{
	const char *word = argv[0], *equals = strchr(word, '='), *value = NULL;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct opt *opt = strncmp(word, "--", 2) == 0 ? opt_find(word + 2, len - 2) : NULL;
	uint64_t bit;
	int r;

	if (strcmp(word, "-h") == 0)
		opt = opt_find("help", 4);
	if (!opt || !(opt->verbs & verb))
		return unknown(word, len, verb_name, verb, err);
	if (!opt->arg && equals)
		return fail(-EINVAL, err, "--%s takes no value", opt->name);
	if (opt->arg)
		value = equals ? equals + 1 : argv[1];
	/* `--reason --dry-run` is a forgotten reason, not a kill with a strange one. */
	if (opt->arg && (!value || !*value || (!equals && strncmp(value, "--", 2) == 0)))
		return fail(-EINVAL, err, "--%s needs a value: --%s %s", opt->name, opt->name, opt->arg);
	bit = 1ull << (opt - option_table);
	if (opt->arg && !opt_is_selector(opt) && o->seen & bit)
		return fail(-EINVAL, err, "--%s stands there twice", opt->name);
	o->seen |= bit;
	r = opt->set(o, opt, value, err);
	return r < 0 ? r : opt->arg && !equals ? 2 : 1;
}

static bool is_fence_id(const char *word)
{
	uint64_t n;

	return *word == 'f' && word[1] != '0' && word_number(word + 1, strlen(word + 1), 10, INT64_MAX, &n) == 0;
}

static int take_fence(struct options *o, const char *verb_name, const char *word, char *err)
{
	char shown[WORD_SHOWN];

	if (o->fence)
		return fail(-EINVAL, err, "%s: unexpected word %s", verb_name, word_typed(word, shown));
	if (!is_fence_id(word))
		return fail(-EINVAL, err, "%s %s: not the id of a fence, such as f12", verb_name, word_typed(word, shown));
	o->fence = word;
	return 1;
}

/* WHAT of `list` and ID of `fence lift`, the only words that are no options. */
static int take_word(struct options *o, const char *verb_name, unsigned verb, const char *word, bool *seen, char *err)
{
	char shown[WORD_SHOWN];

	if (verb == ON_FENCE_LIFT)
		return take_fence(o, verb_name, word, err);
	if (verb != ON_LIST || *seen)
		return fail(-EINVAL, err, "%s: unexpected word %s", verb_name, word_typed(word, shown));
	for (size_t i = 0; i < LIST_MAX; i++) {
		if (strcmp(word, list_what_name[i]) == 0) {
			o->request.what = i;
			*seen = true;
			return 1;
		}
	}
	return fail(-EINVAL, err, "list %s: not one of flows, sessions, users, clients", word_typed(word, shown));
}

/* What no single word shows. */
static int check_whole(struct options *o, const char *verb_name, unsigned verb, char *err)
{
	const struct opt *wait = opt_find("wait", 4);

	if (verb & (ON_CUT | ON_FENCE_ADD) && !o->n_selectors)
		return fail(-EINVAL, err, "%s needs a selector (or --all --yes)", verb_name);
	if (verb == ON_FENCE_ADD && !o->request.fence_ms)
		return fail(-EINVAL, err, "%s needs --for DUR: how long the fence stands", verb_name);
	if (verb == ON_FENCE_LIFT && !o->fence == !o->n_selectors)
		return fail(-EINVAL, err, "%s needs the id of a fence or the selectors it was put up with%s", verb_name,
			    o->fence ? ", not both" : "");
	if (o->no_wait && o->seen & 1ull << (wait - option_table))
		return fail(-EINVAL, err, "--wait and --no-wait exclude each other");
	if (o->direct && o->socket)
		return fail(-EINVAL, err, "--direct and --socket exclude each other");
	if (o->no_wait)
		o->resident = "--no-wait";
	return 0;
}

int options_parse(struct options *o, const char *verb_name, unsigned verb, int argc, char **argv, char *err)
{
	bool only_words = false, what = false;
	int r;

	*o = (struct options){ .request = { .wait = STAGE_VERIFIED, .timeout_ms = REQUEST_TIMEOUT_MS },
			       .after = AFTER_NOW };
	for (int i = 0; i < argc; i += r) {
		r = 1;
		if (!only_words && strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (!only_words && argv[i][0] == '-')
			r = take_option(o, verb_name, verb, argv + i, err);
		else
			r = take_word(o, verb_name, verb, argv[i], &what, err);
		if (r < 0)
			return r;
		if (o->help)
			return 0;
	}
	return check_whole(o, verb_name, verb, err);
}

void options_clear(struct options *o)
{
	free(o->selectors);
	*o = (struct options){ 0 };
}
