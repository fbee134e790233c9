// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_line.c - one fence as a line of JSON. What can be read out of its selectors is read again; what had to be looked up
 * stands beside them, as names may have changed and their servers may not be up yet. */
#include "daemon/fencing_parts.h"
#include "pipeline/resolve.h"

#include <string.h>

#define ITEMS_MAX 65536
#define UNTIL_MAX (FENCING_DAYS_MAX * UINT64_C(86400) * 1000000000)
#define LOOKED_UP (1u << SEL_USER | 1u << SEL_CGROUP | 1u << SEL_UNIT | 1u << SEL_NETNS)

static json_t *spell_ids(const struct ids *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n && all; i++)
		json_array_append_new(all, json_integer(s->v[i]));
	return all;
}

int standing_write(struct standing *s)
{
	const struct filter *f = &s->target.filter;
	_cleanup_(json_decrefp) json_t *o = json_pack(
		"{sI sO sO? sI sI sI ss sI sI sI sI si sb sb so so so so so so}", "fence", (json_int_t)s->number, "selectors",
		s->selectors, "reason", s->reason, "uid", (json_int_t)s->by.uid, "login_uid", (json_int_t)s->by.login_uid, "pid",
		(json_int_t)s->by.pid, "request", s->request, "since", (json_int_t)s->since_us, "up", (json_int_t)s->since_ns,
		"until", (json_int_t)s->until_ns, "audit", (json_int_t)s->audit, "turn", (int)s->turn, "lapsed",
		!!(s->notes & FENCE_NOTE_LAPSED), "pending", s->pending, "users", spell_ids(&f->users),
		"cgroups", spell_ids(&f->cgroups), "units", spell_ids(&f->units), "netns", spell_ids(&f->netns), "sessions",
		spell_ids(&s->target.subjects.sessions), "tops", spell_ids(&s->target.subjects.cgroups));
	_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int len = text ? asprintf(&s->line, "%s\n", text) : -1;

	if (len < 0) {
		s->line = NULL;
		return -ENOMEM;
	}
	s->line_len = len;
	return 0;
}

/* An integer from 0 to max. */
static int get(const json_t *o, const char *key, uint64_t max, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
		return -EBADMSG;
	*ret = json_integer_value(v);
	return 0;
}

static int get_ids(const json_t *o, const char *key, uint64_t min, uint64_t max, struct ids *ret)
{
	const json_t *v = json_object_get(o, key);
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(v, i);
		json_int_t id = json_integer_value(one);

		if (!json_is_integer(one) || id < 0 || (uint64_t)id < min || (uint64_t)id > max)
			return -EBADMSG;
		if (ids_add(ret, id) < 0)
			return -ENOMEM;
	}
	ids_sort(ret);
	return 0;
}

/* Texts are NUL-terminated and hold no NUL: jansson sees to both. */
static int get_words(const json_t *o, struct standing *s)
{
	json_t *selectors = json_object_get(o, "selectors"), *reason = json_object_get(o, "reason");
	const json_t *request = json_object_get(o, "request");

	if (!json_is_array(selectors) || !json_array_size(selectors) || json_array_size(selectors) > ITEMS_MAX)
		return -EBADMSG;
	if (!json_is_null(reason) && (!json_is_string(reason) || json_string_length(reason) > TEXT_MAX))
		return -EBADMSG;
	if (!json_is_string(request) || (json_string_length(request) && json_string_length(request) != REQUEST_ID_LEN - 1))
		return -EBADMSG;
	memcpy(s->request, json_string_value(request), json_string_length(request) + 1);
	s->selectors = json_incref(selectors);
	s->reason = json_is_null(reason) ? NULL : json_incref(reason);
	return 0;
}

static int get_numbers(const json_t *o, struct standing *s)
{
	uint64_t uid, login_uid, pid, turn = 0, audit = ID_UNSET;

	if (get(o, "fence", FENCING_NUMBER_MAX - 1, &s->number) < 0 || !s->number || get(o, "uid", UINT32_MAX, &uid) < 0 ||
	    get(o, "login_uid", UINT32_MAX, &login_uid) < 0 || get(o, "pid", UINT32_MAX, &pid) < 0 ||
	    get(o, "since", INT64_MAX, &s->since_us) < 0 || get(o, "up", INT64_MAX, &s->since_ns) < 0 ||
	    get(o, "until", INT64_MAX, &s->until_ns) < 0 ||
	    (json_object_get(o, "audit") && get(o, "audit", UINT32_MAX, &audit) < 0) ||
	    (json_object_get(o, "turn") && get(o, "turn", FENCING_TURNS - 1, &turn) < 0))
		return -EBADMSG;
	s->by = (struct fence_author){ .uid = uid, .login_uid = login_uid, .pid = pid };
	s->audit = audit;
	s->turn = turn;
	s->notes = json_is_true(json_object_get(o, "lapsed")) ? FENCE_NOTE_LAPSED : 0;
	s->pending = json_is_true(json_object_get(o, "pending"));
	return 0;
}

/* "--user alice". No host name: what that was is not what it is. */
int standing_parse(const char *text, struct selector *ret)
{
	for (int kind = 0; kind < SEL_MAX; kind++) {
		size_t n = strlen(selector_option[kind]);

		if (strncmp(text, selector_option[kind], n) || text[n] != (kind == SEL_ALL ? '\0' : ' '))
			continue;
		if (selector_parse(kind, kind == SEL_ALL ? NULL : text + n + 1, ret, NULL) < 0)
			return -EBADMSG;
		return (kind == SEL_CLIENT || kind == SEL_PEER) && ret->client.host ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

/* By name, for another boot; a number of the old one is nobody's. What is not there is left out. */
static int look_up(const struct selector *s, struct filter *to)
{
	const struct request one = { .selectors = s, .n_selectors = 1, .verb = VERB_LIST };
	int r = s->kind == SEL_USER || (s->kind == SEL_NETNS && s->netns.form != NETNS_NAME) ? 0 : resolve(&one, to, NULL, NULL);

	return r == -ENOMEM ? r : 0;
}

static int read_target(const json_t *o, const struct selector *v, size_t n, bool same_boot, struct standing *s)
{
	_free_ struct selector *plain = calloc(n + 1, sizeof(*plain));
	struct request req = { .selectors = plain, .verb = VERB_LIST };
	struct fence_target *t = &s->target;
	struct ids skipped = { 0 };
	unsigned int named = 0;
	int r;

	if (!plain)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		named |= v[i].kind != SEL_ALL ? 1u << v[i].kind : 0;
		if (!(LOOKED_UP & 1u << v[i].kind))
			plain[req.n_selectors++] = v[i];
	}
	r = resolve(&req, &t->filter, NULL, NULL);
	if (r == 0)
		r = get_ids(o, "users", 0, UINT32_MAX - 1, &t->filter.users);
	for (size_t i = 0; i < n && r == 0 && !same_boot; i++)
		r = LOOKED_UP & 1u << v[i].kind ? look_up(&v[i], &t->filter) : 0;
	if (r == 0)
		r = get_ids(o, "cgroups", 1, INT64_MAX, same_boot ? &t->filter.cgroups : &skipped);
	if (r == 0)
		r = get_ids(o, "units", 1, INT64_MAX, same_boot ? &t->filter.units : &skipped);
	if (r == 0)
		r = get_ids(o, "netns", 1, UINT32_MAX, same_boot ? &t->filter.netns : &skipped);
	if (r == 0)
		r = get_ids(o, "sessions", 0, UINT32_MAX - 1, same_boot ? &t->subjects.sessions : &skipped);
	if (r == 0)
		r = get_ids(o, "tops", 1, INT64_MAX, same_boot ? &t->subjects.cgroups : &skipped);
	free(skipped.v);
	t->filter.named = named;
	return r;
}

static bool has_lapsed(const struct fence_target *t)
{
	const struct filter *f = &t->filter;

	return (filter_names(f, SEL_SESSION) && !t->subjects.sessions.n && !t->subjects.cgroups.n) ||
	       (filter_names(f, SEL_CGROUP) && !f->cgroups.n) || (filter_names(f, SEL_UNIT) && !f->units.n) ||
	       (filter_names(f, SEL_NETNS) && !f->netns.n);
}

int standing_compile(struct standing *s, char *err)
{
	struct fence_list parts = { 0 };
	unsigned int notes = FENCE_NOTE_LAPSED;
	int r = 0;

	if (!has_lapsed(&s->target))
		r = fence_compile(&s->target.filter, &s->target.subjects, s->number, s->until_ns, &parts, &notes, err);
	if (r < 0) {
		free(parts.v);
		return r;
	}
	for (size_t i = 0; i < parts.n; i++)
		parts.v[i].id += (uint64_t)s->turn * FENCE_LIST_MAX;
	free(s->parts.v);
	s->parts = parts;
	s->notes = notes;
	return 0;
}

/* What it names by numbers of another boot is found again, or not. */
static int find_again(struct standing *s)
{
	_cleanup_(cgroup_tree_clear) struct cgroup_tree t = { 0 };
	const struct filter *f = &s->target.filter;

	if (!f->cgroups.n && !f->units.n)
		return 0;
	cgroup_tree_read(&t); /* what it lacks the first look finds */
	return standing_find_tops(s->selectors, &t, &s->target.subjects.cgroups);
}

static int settle_time(struct standing *s, bool same_boot, uint64_t saved)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);

	if (!same_boot) {
		s->until_ns = now + (s->until_ns > saved ? s->until_ns - saved : 0);
		s->since_ns = 0;
	}
	return s->until_ns > now && s->until_ns - now > UNTIL_MAX ? -EBADMSG : 0;
}

static int settle(struct standing *s, bool same_boot, uint64_t saved)
{
	int r = settle_time(s, same_boot, saved);

	if (r == 0 && !same_boot)
		r = find_again(s);
	if (r < 0 || s->notes & FENCE_NOTE_LAPSED)
		return r;
	r = standing_compile(s, NULL);
	return r == -EINVAL || r == -E2BIG ? -EBADMSG : r;
}

static int read_fence(const json_t *o, bool same_boot, uint64_t saved, struct standing *s)
{
	_free_ struct selector *v = NULL;
	int r = get_numbers(o, s);
	size_t n;

	if (r == 0)
		r = get_words(o, s);
	if (r < 0)
		return r;
	n = json_array_size(s->selectors);
	v = calloc(n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *text = json_string_value(json_array_get(s->selectors, i));

		r = text ? standing_parse(text, &v[i]) : -EBADMSG;
	}
	if (r == 0)
		r = read_target(o, v, n, same_boot, s);
	if (r == 0)
		r = settle(s, same_boot, saved);
	return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

int standing_read(const char *text, size_t len, bool same_boot, uint64_t saved, struct standing **ret)
{
	_cleanup_(json_decrefp) json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_(standing_freep) struct standing *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = json_is_object(o) ? read_fence(o, same_boot, saved, s) : -EBADMSG;
	if (r == 0)
		*ret = take_ptr(&s);
	return r;
}
