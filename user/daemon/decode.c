// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/decode.h"
#include "pipeline/request_id.h"
#include "varlink/interface.h"

#include <string.h>

/* Index of word among n names, -1: not there. */
static int index_of(const char *word, const char *const *names, int n)
{
	for (int i = 0; word && i < n; i++)
		if (!strcmp(word, names[i]))
			return i;
	return -1;
}

/* "local_port" is "--local-port". */
static bool is_kind(const char *word, enum sel kind)
{
	const char *option = selector_option[kind] + strlen("--");

	for (; *word && *option; word++, option++)
		if (*word != (*option == '-' ? '_' : *option))
			return false;
	return !*word && !*option;
}

/* What means something else, or nothing, to us than to who said it. We look up no host either: others would wait. */
static const char *private_word(const struct selector *s)
{
	if (s->kind == SEL_SESSION && s->session.form == SESSION_SELF)
		return "self: send the session's id";
	if (s->kind == SEL_NETNS && (s->netns.form == NETNS_SELF || s->netns.form == NETNS_PATH))
		return "send the inode number of the namespace";
	if ((s->kind == SEL_CLIENT || s->kind == SEL_PEER) && s->client.host)
		return "a host name: send its addresses";
	return NULL;
}

static int decode_selector(const json_t *o, struct selector *ret, char *why)
{
	const char *word = json_string_value(json_object_get(o, "kind"));
	const char *value = json_string_value(json_object_get(o, "value")), *private;
	unsigned int kind = 0;
	struct selector s;
	int r;

	while (word && kind < SEL_MAX && !is_kind(word, kind))
		kind++;
	if (!word || kind == SEL_MAX)
		return fail(-EINVAL, why, "no such kind");
	if (kind == SEL_ALL && value)
		return fail(-EINVAL, why, "all takes no value");
	r = selector_parse(kind, value, &s, why);
	if (r < 0)
		return r;
	private = private_word(&s);
	if (private)
		return fail(-EINVAL, why, "%s", private);
	*ret = s;
	return 0;
}

static int decode_selectors(const json_t *array, struct selector **ret, char *err)
{
	size_t n = json_array_size(array);
	_free_ struct selector *v = calloc(n + 1, sizeof(*v));
	char why[ERR_LEN];

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (decode_selector(json_array_get(array, i), &v[i], why) < 0)
			return fail(-EINVAL, err, "selectors[%zu]: %s", i, why);
	*ret = take_ptr(&v);
	return 0;
}

static uint64_t number(const json_t *o, const char *key, uint64_t none)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : none;
}

static bool flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static int decode_options(const json_t *o, struct request *req, char *err)
{
	const char *wait = json_string_value(json_object_get(o, "wait"));
	int stage = index_of(wait, stage_name, STAGE_MAX);

	if (wait && stage < 0)
		return fail(-EINVAL, err, "options.wait: no such stage");
	req->wait = wait ? stage : STAGE_VERIFIED;
	req->timeout_ms = number(o, "timeout_ms", REQUEST_TIMEOUT_MS);
	req->drain_ms = number(o, "drain_ms", 0);
	req->fence_ms = number(o, "fence_ms", 0);
	req->max = number(o, "max", 0);
	req->reason = json_string_value(json_object_get(o, "reason"));
	req->dry_run = flag(o, "dry_run");
	req->collateral = flag(o, "collateral");
	req->include_self = flag(o, "include_self");
	req->yes = flag(o, "yes");
	req->ignore_none = flag(o, "ignore_none");
	return 0;
}

/* A kill has a verb; what has none is a listing, or watches. */
static int decode_rest(const json_t *o, struct request *req, char *err)
{
	const char *id = json_string_value(json_object_get(o, "request"));
	const char *what = json_string_value(json_object_get(o, "what"));
	const char *verb = json_string_value(json_object_get(o, "verb"));
	int listing = index_of(what, list_what_name, LIST_MAX);

	if (what && listing < 0)
		return fail(-EINVAL, err, "what: no such listing");
	req->what = what ? listing : LIST_SESSIONS;
	req->verb = !verb ? VERB_LIST : !strcmp(verb, "kill") ? VERB_KILL : VERB_DISCONNECT;
	if (verb && req->verb == VERB_DISCONNECT && strcmp(verb, "disconnect") != 0)
		return fail(-EINVAL, err, "verb: no such verb");
	if (id && request_id_read(id, req->id) < 0)
		return fail(-EINVAL, err, "request: not a UUID");
	if (verb && !req->n_selectors)
		return fail(-EINVAL, err, "selectors: none; that would be everyone");
	return decode_options(json_object_get(o, "options"), req, err);
}

int request_decode(const json_t *parameters, struct request *ret, struct selector **ret_selectors, char *err)
{
	const json_t *array = json_object_get(parameters, "selectors");
	struct request req = { .n_selectors = json_array_size(array) };
	_free_ struct selector *selectors = NULL;
	int r = decode_selectors(array, &selectors, err);

	if (r == 0)
		r = decode_rest(parameters, &req, err);
	if (r < 0)
		return r;
	req.selectors = *ret_selectors = take_ptr(&selectors);
	*ret = req;
	return 0;
}

int decode_refuse(struct call *c, int r, const char *err)
{
	size_t n = strcspn(err, ":");
	_cleanup_(json_decrefp) json_t *p = NULL;

	if (r != -EINVAL)
		return call_fail(c, r, NULL);
	p = json_pack("{ss# ss}", "parameter", err, (int)n, "message", err);
	return p ? call_error(c, IO_SEVER ".InvalidParameter", p) : call_fail(c, -ENOMEM, NULL);
}
