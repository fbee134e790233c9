// SPDX-License-Identifier: LGPL-2.1-or-later
/* options.c - the table of options: what there is, who takes it, what it sets. */
#include "cli/opts.h"
#include "model/word.h"

#include <string.h>

static int set_selector(struct options *o, const struct opt *opt, const char *value, char *err)
{
	struct selector s;
	int r;

	r = selector_parse(opt->where, value, &s, err);
	if (r < 0)
		return r;
	r = grow(&o->selectors, &o->cap_selectors, o->n_selectors + 1, sizeof(*o->selectors));
	if (r < 0)
		return fail(r, err, "out of memory");
	o->selectors[o->n_selectors++] = s;
	o->request.selectors = o->selectors;
	o->request.n_selectors = o->n_selectors;
	return 0;
}

static int set_all(struct options *o, const struct opt *opt, const char *value, char *err)
{
	if (o->all)
		return 0;
	o->all = true;
	return set_selector(o, opt, value, err);
}

static int set_flag(struct options *o, const struct opt *opt, const char *value, char *err)
{
	(void)value;
	(void)err;
	*(bool *)((char *)o + opt->where) = true;
	return 0;
}

static int set_text(struct options *o, const struct opt *opt, const char *value, char *err)
{
	if (strlen(value) > TEXT_MAX)
		return fail(-EINVAL, err, "--%s: longer than %d bytes", opt->name, TEXT_MAX);
	*(const char **)((char *)o + opt->where) = value;
	return 0;
}

static int bad_value(const struct opt *opt, const char *value, const char *wanted, char *err)
{
	char shown[WORD_SHOWN];

	return fail(-EINVAL, err, "--%s %s: not %s", opt->name, word_show(value, shown), wanted);
}

static int set_duration(struct options *o, const struct opt *opt, const char *value, char *err)
{
	uint64_t ms;

	if (duration_parse(value, &ms) < 0)
		return bad_value(opt, value, "a duration (500ms, 5s, 10m, 2h, 1d)", err);
	*(uint64_t *)((char *)o + opt->where) = ms;
	return 0;
}

/* Nor is it 0. */
static int set_span(struct options *o, const struct opt *opt, const char *value, char *err)
{
	uint64_t ms;

	if (duration_parse(value, &ms) == 0 && ms == 0)
		return fail(-EINVAL, err, "--%s must be longer than nothing", opt->name);
	return set_duration(o, opt, value, err);
}

static int set_fence(struct options *o, const struct opt *opt, const char *value, char *err)
{
	int r = set_span(o, opt, value, err);

	if (r < 0)
		return r;
	if (o->request.fence_ms > FENCE_MS_MAX)
		return bad_value(opt, value, "one of at most 366 days", err);
	if (opt->verbs & ON_CUT)
		o->resident = "--fence";
	return 0;
}

static int set_max(struct options *o, const struct opt *opt, const char *value, char *err)
{
	uint64_t n;

	if (word_number(value, strlen(value), 10, INT64_MAX, &n) < 0 || n == 0)
		return bad_value(opt, value, "a number from 1 on", err);
	o->request.max = n;
	return 0;
}

static int set_after(struct options *o, const struct opt *opt, const char *value, char *err)
{
	if (word_number(value, strlen(value), 10, INT64_MAX, &o->after) < 0)
		return bad_value(opt, value, "the number of an event", err);
	return 0;
}

static int set_wait(struct options *o, const struct opt *opt, const char *value, char *err)
{
	for (unsigned stage = 0; stage < STAGE_MAX; stage++) {
		if (strcmp(value, stage_name[stage]) != 0)
			continue;
		o->request.wait = stage;
		if (stage == STAGE_RELEASED)
			o->resident = "--wait released";
		if (stage == STAGE_ENDED)
			o->resident = "--wait ended";
		return 0;
	}
	return bad_value(opt, value, "one of dead, released, ended, verified", err);
}

/* clang-format off */
#define SELECTOR(n, a, kind, h) { n, a, ON_FLOWS, set_selector, kind, h }
#define FLAG(n, v, member, h) { n, NULL, v, set_flag, offsetof(struct options, member), h }
#define VALUE(n, a, v, setter, member, h) { n, a, v, setter, offsetof(struct options, member), h }
/* clang-format on */

const struct opt option_table[] = {
	SELECTOR("user", "NAME|uid:N", SEL_USER, "log-in user; also DOMAIN\\NAME and NAME@REALM"),
	SELECTOR("client", "ADDR|PREFIX|HOST", SEL_CLIENT, "accepted flows from there"),
	SELECTOR("peer", "ADDR|PREFIX|HOST", SEL_PEER, "any flow to or from there"),
	SELECTOR("session", "ID|audit:N|self", SEL_SESSION, "flows of a log-in session"),
	SELECTOR("cgroup", "PATH", SEL_CGROUP,
		 "flows born in this cgroup (as in /proc/PID/cgroup) or below it, or held there"),
	SELECTOR("unit", "NAME", SEL_UNIT, "flows of a systemd unit"),
	SELECTOR("pid", "PID", SEL_PID, "flows this process holds"),
	SELECTOR("local-port", "N[-M]", SEL_LOCAL_PORT, "local port, range or service name"),
	SELECTOR("remote-port", "N[-M]", SEL_REMOTE_PORT, "remote port, range or service name"),
	SELECTOR("proto", "tcp|udp|mptcp", SEL_PROTO, "protocol; MPTCP is tcp, too"),
	SELECTOR("netns", "NAME|PATH|INODE|self", SEL_NETNS, "network namespace (default: all of them)"),
	SELECTOR("flow", "COOKIE@NETNS", SEL_FLOW, "one flow, as the JSON output names it"),
	SELECTOR("state", "NAME", SEL_STATE, "state, as ss(8) spells it"),
	SELECTOR("older-than", "DUR", SEL_OLDER_THAN, "flows known to be older"),
	{ "all", NULL, ON_FLOWS, set_all, SEL_ALL, "every flow; to cut or keep out all takes --yes too" },

	FLAG("dry-run", ON_CUT, request.dry_run, "show what would be cut, touch nothing"),
	VALUE("wait", "STAGE", ON_CUT, set_wait, request.wait,
	      "dead or verified (default); by severd also released, ended"),
	FLAG("no-wait", ON_CUT, no_wait, "do not wait for the outcome (needs severd)"),
	VALUE("timeout", "DUR", ON_CUT, set_span, request.timeout_ms, "how long to wait for it (default 5s)"),
	VALUE("fence", "DUR", ON_CUT, set_fence, request.fence_ms, "keep them out for that long (needs severd)"),
	VALUE("for", "DUR", ON_FENCE_ADD, set_fence, request.fence_ms, "how long the fence stands"),
	VALUE("drain", "DUR", ON_CUT, set_duration, request.drain_ms, "first let what is queued be sent, that long"),
	VALUE("max", "N", ON_CUT, set_max, request.max, "refuse to cut more than N flows"),
	FLAG("collateral", ON_CUT, request.collateral, "cut flows that another user shares as well"),
	FLAG("include-self", ON_CUT | ON_FENCE_ADD, request.include_self,
	     "the caller's own session as well, or address"),
	VALUE("reason", "TEXT", ON_CUT | ON_FENCE_ADD, set_text, request.reason,
	      "why; for the journal, --json and fence list"),
	FLAG("yes", ON_CUT | ON_FENCE_ADD, request.yes, "confirms --all"),
	FLAG("ignore-none", ON_HOST, request.ignore_none, "nothing matched is no failure"),
	VALUE("after", "SEQ", ON_WATCH, set_after, after, "first the events behind this number that are still kept"),
	FLAG("json", ON_FLOWS | ON_DOCTOR, json, "one JSON object a line"),
	FLAG("quiet", ON_CUT, quiet, "no table, no notes; errors only"),
	FLAG("direct", ON_HOST, direct, "never ask severd, do the work here"),
	VALUE("socket", "PATH", ON_FLOWS, set_text, socket, "ask the severd that listens there"),
	FLAG("help", ON_FLOWS | ON_DOCTOR, help, "this page"),
};
const size_t option_count = array_size(option_table);
_Static_assert(array_size(option_table) <= 64, "a bit for each in options.seen");

bool opt_is_selector(const struct opt *opt)
{
	return opt->set == set_selector || opt->set == set_all;
}
