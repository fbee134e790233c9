// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_opts.c - a command line is understood or refused, never half of it; and what can be typed is documented. */
#include "cli/opts.h"
#include "unit.h"

#include <string.h>

#define WORDS_MAX 32

/* Splits a line at blanks ("''" is an empty word) and reads it. The words must outlive the options. */
struct line {
	char text[256];
	char *argv[WORDS_MAX + 1];
	int argc;
	struct options o;
	char err[ERR_LEN];
};

static int read_line(struct line *l, unsigned verb, const char *text)
{
	char *save = NULL, *word;

	*l = (struct line){ 0 };
	assert_true(strlen(text) < sizeof(l->text));
	strcpy(l->text, text);
	for (word = strtok_r(l->text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(l->argc < WORDS_MAX);
		l->argv[l->argc++] = strcmp(word, "''") ? word : word + 2;
	}
	return options_parse(&l->o,
			     verb == ON_LIST	   ? "list" :
			     verb == ON_WATCH	   ? "watch" :
			     verb == ON_DOCTOR	   ? "doctor" :
			     verb == ON_FENCE_ADD  ? "fence add" :
			     verb == ON_FENCE_LIST ? "fence list" :
			     verb == ON_FENCE_LIFT ? "fence lift" :
						     "kill",
			     verb, l->argc, l->argv, l->err);
}

static void accepts(struct line *l, unsigned verb, const char *text)
{
	int r = read_line(l, verb, text);

	if (r < 0)
		fail_msg("%s: %s", text, l->err);
	assert_string_equal(l->err, "");
}

/* Refused with one line that holds `word`. */
static void refuses(unsigned verb, const char *text, const char *word)
{
	struct line l;

	assert_int_equal(read_line(&l, verb, text), -EINVAL);
	if (!strstr(l.err, word))
		fail_msg("%s: \"%s\" does not name %s", text, l.err, word);
	assert_null(strchr(l.err, '\n'));
	options_clear(&l.o);
}

static void test_defaults(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_KILL, "--user alice");
	assert_int_equal(l.o.request.wait, STAGE_VERIFIED);
	assert_int_equal(l.o.request.timeout_ms, 5000);
	assert_int_equal(l.o.request.drain_ms, 0);
	assert_int_equal(l.o.request.max, 0);
	assert_null(l.o.request.reason);
	assert_null(l.o.resident);
	assert_false(l.o.request.dry_run || l.o.request.yes || l.o.request.collateral);
	assert_false(l.o.request.include_self || l.o.request.ignore_none || l.o.json || l.o.quiet || l.o.all);
	options_clear(&l.o);
	accepts(&l, ON_LIST, "");
	assert_int_equal(l.o.request.what, LIST_SESSIONS);
	assert_int_equal(l.o.request.n_selectors, 0);
	options_clear(&l.o);
}

static void test_every_option(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_KILL,
		"--dry-run --wait dead --timeout 7s --drain=2s --max 3 --collateral --include-self "
		"--reason why --yes --ignore-none --json --quiet --direct --all");
	assert_true(l.o.request.dry_run && l.o.request.collateral && l.o.request.include_self);
	assert_true(l.o.request.yes && l.o.request.ignore_none && l.o.json && l.o.quiet && l.o.direct);
	assert_int_equal(l.o.request.wait, STAGE_DEAD);
	assert_int_equal(l.o.request.timeout_ms, 7000);
	assert_int_equal(l.o.request.drain_ms, 2000);
	assert_int_equal(l.o.request.max, 3);
	assert_string_equal(l.o.request.reason, "why");
	assert_true(l.o.all);
	options_clear(&l.o);
}

static void test_selectors(void **state)
{
	static const char line[] = "--user alice --user=uid:7 --client 127.0.0.2 --peer ::1 --session self "
				   "--pid 4 --local-port 22 --proto tcp --all --all";
	struct line l;

	(void)state;
	accepts(&l, ON_LIST, line);
	assert_int_equal(l.o.request.n_selectors, 9); /* --all counts once */
	assert_int_equal(l.o.request.selectors[0].kind, SEL_USER);
	assert_string_equal(l.o.request.selectors[0].text, "alice");
	assert_int_equal(l.o.request.selectors[1].user.form, USER_UID);
	assert_int_equal(l.o.request.selectors[1].user.uid, 7);
	assert_int_equal(l.o.request.selectors[8].kind, SEL_ALL);
	options_clear(&l.o);
	for (size_t i = 0; i < option_count; i++) {
		const struct opt *opt = &option_table[i];
		char name[64];

		if (!opt_is_selector(opt))
			continue;
		snprintf(name, sizeof(name), "--%s", opt->name);
		assert_string_equal(name, selector_option[opt->where]);
		assert_int_equal(opt->verbs, ON_LIST | ON_KILL | ON_DISCONNECT | ON_WATCH | ON_FENCE_ADD |
						     ON_FENCE_LIST | ON_FENCE_LIFT);
	}
}

static void test_what(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_LIST, "flows --user alice");
	assert_int_equal(l.o.request.what, LIST_FLOWS);
	options_clear(&l.o);
	accepts(&l, ON_LIST, "--json -- users");
	assert_int_equal(l.o.request.what, LIST_USERS);
	options_clear(&l.o);
	accepts(&l, ON_LIST, "clients");
	assert_int_equal(l.o.request.what, LIST_CLIENTS);
	options_clear(&l.o);
}

static void test_nonsense(void **state)
{
	(void)state;
	refuses(ON_KILL, "", "needs a selector (or --all --yes)");
	refuses(ON_KILL, "--json --yes", "needs a selector");
	refuses(ON_KILL, "--cleint 127.0.0.2", "--cleint");
	refuses(ON_KILL, "--cli 127.0.0.2", "--cli");
	refuses(ON_KILL, "-client 127.0.0.2", "-client");
	refuses(ON_KILL, "-u alice", "-u");
	refuses(ON_KILL, "- --user alice", "-");
	refuses(ON_KILL, "alice", "alice");
	refuses(ON_KILL, "--user alice bob", "bob");
	refuses(ON_KILL, "--user alice -- --dry-run", "--dry-run");
	refuses(ON_KILL, "--user", "--user");
	refuses(ON_KILL, "--user=", "--user");
	refuses(ON_KILL, "--user ''", "--user");
	refuses(ON_KILL, "--user --dry-run", "--user");
	refuses(ON_KILL, "--all --yes --reason --dry-run", "--reason");
	refuses(ON_KILL, "--user a --dry-run=no", "--dry-run");
	refuses(ON_KILL, "--user a --max 1 --max 1", "--max");
	refuses(ON_KILL, "--user a --max 0", "0");
	refuses(ON_KILL, "--user a --max 1x", "1x");
	refuses(ON_KILL, "--user a --max -1", "-1");
	refuses(ON_KILL, "--user a --max 99999999999999999999", "99999999999999999999");
	refuses(ON_KILL, "--user a --timeout 0s", "--timeout");
	refuses(ON_KILL, "--user a --timeout 5", "5");
	refuses(ON_KILL, "--user a --drain soon", "soon");
	refuses(ON_KILL, "--user a --fence 5", "5");
	refuses(ON_KILL, "--user a --fence 0s", "--fence must be longer than nothing");
	refuses(ON_KILL, "--version", "kill does not take --version: sever --version");
	refuses(ON_KILL, "--user a ''", "unexpected word ''");
	refuses(ON_LIST, "''", "list '': not one of");
	refuses(ON_KILL, "--user a --wait gone", "gone");
	refuses(ON_KILL, "--user a --wait dead --no-wait", "--no-wait");
	refuses(ON_KILL, "--user a --direct --socket /run/x", "--socket");
	refuses(ON_KILL, "--user a\033[2J", "\\x1b[2J");
	refuses(ON_KILL, "--a\033[2J", "\\x1b[2J");
	refuses(ON_LIST, "sockets", "sockets");
	refuses(ON_LIST, "flows users", "users");
	refuses(ON_LIST, "--dry-run", "list does not take --dry-run");
	refuses(ON_LIST, "--quiet", "list does not take --quiet");
	refuses(ON_LIST, "--after 1", "list does not take --after");
	refuses(ON_WATCH, "--after -1", "-1");
	refuses(ON_WATCH, "--after 9223372036854775808", "9223372036854775808");
	refuses(ON_WATCH, "--direct", "watch does not take --direct");
	refuses(ON_WATCH, "--dry-run", "watch does not take --dry-run");
	refuses(ON_WATCH, "flows", "flows");
	refuses(ON_DOCTOR, "--user a", "doctor does not take --user");
	refuses(ON_DOCTOR, "x", "x");
}

static void test_reason_length(void **state)
{
	char text[TEXT_MAX + 2], err[ERR_LEN] = "";
	char *argv[] = { "--user", "a", "--reason", text, NULL };
	struct options o;

	(void)state;
	memset(text, 'r', sizeof(text));
	text[TEXT_MAX + 1] = '\0';
	assert_int_equal(options_parse(&o, "kill", ON_KILL, 4, argv, err), -EINVAL);
	assert_non_null(strstr(err, "--reason"));
	options_clear(&o);
	text[TEXT_MAX] = '\0';
	assert_int_equal(options_parse(&o, "kill", ON_KILL, 4, argv, err), 0);
	options_clear(&o);
}

static void test_hints(void **state)
{
	struct line l;

	(void)state;
	refuses(ON_KILL, "--usr a", "did you mean --user?");
	refuses(ON_KILL, "--dryrun", "did you mean --dry-run?");
	assert_int_equal(read_line(&l, ON_KILL, "--everybody"), -EINVAL);
	assert_null(strstr(l.err, "did you mean"));
	assert_int_equal(read_line(&l, ON_LIST, "--dryrun"), -EINVAL);
	assert_null(strstr(l.err, "--dry-run")); /* list has no such option */
	assert_int_equal(typing_errors("kitten", 6, "sitting"), 3);
	assert_int_equal(typing_errors("", 0, "abc"), 3);
	assert_int_equal(typing_errors("same", 4, "same"), 0);
}

static void test_resident(void **state)
{
	static const struct {
		const char *line, *what;
	} cases[] = {
		{ "--user a --wait released", "--wait released" },
		{ "--user a --wait ended", "--wait ended" },
		{ "--user a --no-wait", "--no-wait" },
		{ "--user a --fence 5m", "--fence" },
	};
	struct line l;

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		accepts(&l, ON_KILL, cases[i].line);
		assert_string_equal(l.o.resident, cases[i].what);
		options_clear(&l.o);
	}
	accepts(&l, ON_KILL, "--user a --socket /run/x --wait verified");
	assert_string_equal(l.o.socket, "/run/x");
	assert_null(l.o.resident);
	options_clear(&l.o);
	accepts(&l, ON_KILL, "--user a --fence 5m");
	assert_int_equal(l.o.request.fence_ms, 300000);
	options_clear(&l.o);
}

static void test_watch(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_WATCH, "");
	assert_true(l.o.after == AFTER_NOW);
	options_clear(&l.o);
	accepts(&l, ON_WATCH, "--user a --after 0 --json --socket /run/x");
	assert_int_equal(l.o.after, 0);
	assert_int_equal(l.o.request.n_selectors, 1);
	options_clear(&l.o);
}

static void test_fence(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_FENCE_ADD, "--user a --for 10m --reason why --include-self --yes --json --socket /run/x");
	assert_int_equal(l.o.request.fence_ms, 600000);
	assert_string_equal(l.o.request.reason, "why");
	assert_true(l.o.request.include_self && l.o.request.yes && l.o.json);
	assert_string_equal(l.o.socket, "/run/x");
	options_clear(&l.o);
	accepts(&l, ON_FENCE_LIST, "");
	assert_int_equal(l.o.request.n_selectors, 0);
	options_clear(&l.o);
	accepts(&l, ON_FENCE_LIST, "--user a --json");
	assert_int_equal(l.o.request.n_selectors, 1);
	options_clear(&l.o);
	accepts(&l, ON_FENCE_LIFT, "f12 --json");
	assert_string_equal(l.o.fence, "f12");
	options_clear(&l.o);
	accepts(&l, ON_FENCE_LIFT, "--user a --client ::1");
	assert_null(l.o.fence);
	assert_int_equal(l.o.request.n_selectors, 2);
	options_clear(&l.o);
}

static void test_no_fence(void **state)
{
	static const char *const not_taken[] = { "--wait dead",	  "--no-wait",	"--timeout 5s", "--dry-run",
						 "--fence 5m",	  "--drain 5s", "--max 3",	"--collateral",
						 "--ignore-none", "--direct" };
	static const unsigned verbs[] = { ON_FENCE_ADD, ON_FENCE_LIST, ON_FENCE_LIFT };
	static const char *const not_ids[] = { "f",    "f0", "f01", "12", "F12", "f12x", "f-1", "f99999999999999999999",
					       "alice" };

	(void)state;
	refuses(ON_FENCE_ADD, "--for 10m", "needs a selector");
	refuses(ON_FENCE_ADD, "--user a", "needs --for");
	refuses(ON_FENCE_ADD, "--user a --for 0s", "--for must be longer than nothing");
	refuses(ON_FENCE_LIFT, "''", "fence lift '': not the id");
	refuses(ON_FENCE_ADD, "--user a --for 0", "--for 0");
	refuses(ON_FENCE_ADD, "--user a --for 10", "--for 10");
	refuses(ON_FENCE_ADD, "--user a --for -5m", "-5m");
	refuses(ON_FENCE_ADD, "--user a --for 5m --for 6m", "twice");
	refuses(ON_FENCE_ADD, "--for", "--for");
	refuses(ON_FENCE_ADD, "--user a --for 367d", "366 days");
	refuses(ON_KILL, "--user a --fence 367d", "366 days");
	refuses(ON_FENCE_ADD, "f12 --user a --for 5m", "f12");
	refuses(ON_FENCE_LIST, "f12", "f12");
	refuses(ON_FENCE_LIST, "--for 5m", "--for");
	refuses(ON_FENCE_LIFT, "", "the id of a fence or the selectors");
	refuses(ON_FENCE_LIFT, "f12 --user a", "not both");
	refuses(ON_FENCE_LIFT, "f12 f13", "f13");
	refuses(ON_KILL, "--user a --for 5m", "kill does not take --for");
	for (size_t i = 0; i < array_size(not_ids); i++)
		refuses(ON_FENCE_LIFT, not_ids[i], not_ids[i]);
	for (size_t i = 0; i < array_size(verbs) * array_size(not_taken); i++) {
		char line[64];

		snprintf(line, sizeof(line), "--user a %s", not_taken[i / array_size(verbs)]);
		refuses(verbs[i % array_size(verbs)], line, "does not take");
	}
}

/* --help wins over what stands behind it, not over what stands before. */
static void test_help(void **state)
{
	struct line l;

	(void)state;
	accepts(&l, ON_KILL, "--user a --help --nonsense");
	assert_true(l.o.help);
	options_clear(&l.o);
	accepts(&l, ON_DOCTOR, "-h");
	assert_true(l.o.help);
	options_clear(&l.o);
	refuses(ON_KILL, "--nonsense --help", "--nonsense");
}

static void contains_every_option(const char *path, const char *before, const char *after)
{
	static char text[1 << 17];
	_fclose_ FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		skip_because("only at the top of the tree, where the manual is");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	for (size_t i = 0; i < option_count; i++) {
		size_t len = strlen(before) + strlen(option_table[i].name);
		char want[64];
		bool found = false;

		snprintf(want, sizeof(want), "%s%s", before, option_table[i].name);
		for (const char *p = text; !found && (p = strstr(p, want)) != NULL; p += len)
			found = strchr(after, p[len]) != NULL;
		if (!found)
			fail_msg("%s does not have --%s", path, option_table[i].name);
	}
}

static void test_documented(void **state)
{
	(void)state;
	assert_string_equal(opt_find("proto", 5)->arg, "tcp|udp|mptcp");
	contains_every_option("man/sever.8", "\n.It Fl Fl ", " \n");
	contains_every_option("scripts/completion.bash", "--", " \n)|'\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_selectors),  cmocka_unit_test(test_what),
		cmocka_unit_test(test_nonsense),   cmocka_unit_test(test_reason_length),
		cmocka_unit_test(test_hints),	   cmocka_unit_test(test_resident),
		cmocka_unit_test(test_watch),	   cmocka_unit_test(test_help),
		cmocka_unit_test(test_documented), cmocka_unit_test(test_fence),
		cmocka_unit_test(test_no_fence),
	};

	return unit_run("opts", tests, NULL);
}
