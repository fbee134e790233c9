// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_encode.h"
#include "model/word.h"
#include "names/clients.h"
#include "pipeline/resolve.h"

#include <string.h>

/* Takes value, NULL for none. */
static int put(json_t *o, const char *key, json_t *value)
{
	return value && json_object_set_new(o, key, value) == 0 ? 0 : -ENOMEM;
}

static int put_text(json_t *o, const char *key, const char *option, const char *text, char *err)
{
	char shown[WORD_SHOWN];
	json_t *value;

	errno = 0;
	value = json_string(text);
	if (!value && errno != ENOMEM)
		return fail(-EILSEQ, err, "%s %s: severd takes UTF-8 only", option, word_show(text, shown));
	return put(o, key, value);
}

/* "--local-port" is local_port. text NULL: --all. */
static int add(json_t *array, enum sel kind, const char *text, char *err)
{
	_cleanup_(json_decrefp) json_t *o = json_object();
	char name[32];
	int r;

	snprintf(name, sizeof(name), "%s", selector_option[kind] + strlen("--"));
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c;
	r = o ? put(o, "kind", json_string(name)) : -ENOMEM;
	if (r == 0 && text)
		r = put_text(o, "value", selector_option[kind], text, err);
	return r < 0 ? r : json_array_append(array, o) < 0 ? -ENOMEM : 0;
}

static int add_host(json_t *array, const struct selector *s, char *err)
{
	_free_ struct prefix *v = NULL;
	char address[ADDR_STRLEN], text[ADDR_STRLEN + IF_NAMESIZE];
	size_t n = 0;
	int r = client_resolve(s->client.host, &v, &n, err);

	for (size_t i = 0; i < n && r == 0; i++) {
		snprintf(text, sizeof(text), "%s%s%s", addr_format(&v[i].addr, address), *v[i].zone ? "%" : "",
			 v[i].zone);
		r = add(array, s->kind, text, err);
	}
	return r;
}

static int add_session(json_t *array, const struct selector *s, char *err)
{
	char text[SESSION_ID_LEN];
	struct session_id id;
	int r = resolve_session(s, &id, err);

	if (r < 0)
		return r;
	if (id.form == SESSION_AUDIT)
		snprintf(text, sizeof(text), "audit:%u", id.audit);
	return add(array, s->kind, id.form == SESSION_AUDIT ? text : id.id, err);
}

static int add_netns(json_t *array, const struct selector *s, char *err)
{
	char text[16];
	uint32_t inode;
	int r = resolve_netns(s, &inode, err);

	snprintf(text, sizeof(text), "%u", r < 0 ? 0 : inode);
	return r < 0 ? r : add(array, s->kind, text, err);
}

static int add_selector(json_t *array, const struct selector *s, char *err)
{
	if ((s->kind == SEL_CLIENT || s->kind == SEL_PEER) && s->client.host)
		return add_host(array, s, err);
	if (s->kind == SEL_SESSION)
		return add_session(array, s, err);
	if (s->kind == SEL_NETNS)
		return add_netns(array, s, err);
	return add(array, s->kind, s->text, err);
}

/* An object with the selectors. */
static int begin(const struct request *req, json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *o = json_object(), *array = json_array();
	int r = o && array ? 0 : -ENOMEM;

	for (size_t i = 0; i < req->n_selectors && r == 0; i++)
		r = add_selector(array, &req->selectors[i], err);
	if (r == 0)
		r = json_object_set(o, "selectors", array) < 0 ? -ENOMEM : 0;
	if (r == 0)
		*ret = take_ptr(&o);
	return r;
}

static int put_numbers(json_t *o, const struct request *req)
{
	const struct {
		const char *key;
		uint64_t n;
	} number[] = {
		{ "timeout_ms", req->timeout_ms },
		{ "drain_ms", req->drain_ms },
		{ "fence_ms", req->fence_ms },
		{ "max", req->max },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(number) && r == 0; i++)
		if (number[i].n)
			r = put(o, number[i].key, json_integer(number[i].n));
	return r;
}

static int put_flags(json_t *o, const struct request *req)
{
	const struct {
		const char *key;
		bool on;
	} flag[] = {
		{ "dry_run", req->dry_run },	       { "collateral", req->collateral },
		{ "include_self", req->include_self }, { "yes", req->yes },
		{ "ignore_none", req->ignore_none },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(flag) && r == 0; i++)
		if (flag[i].on)
			r = put(o, flag[i].key, json_true());
	return r;
}

int encode_kill(const struct request *req, json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *o = NULL, *options = json_object();
	int r = begin(req, &o, err);

	if (r == 0)
		r = put(o, "verb", json_string(req->verb == VERB_KILL ? "kill" : "disconnect"));
	if (r == 0)
		r = put(o, "request", json_string(req->id));
	if (r == 0 && !options)
		r = -ENOMEM;
	if (r == 0)
		r = put(options, "wait", json_string(stage_name[req->wait]));
	if (r == 0)
		r = put_numbers(options, req);
	if (r == 0)
		r = put_flags(options, req);
	if (r == 0 && req->reason)
		r = put_text(options, "reason", "--reason", req->reason, err);
	if (r == 0)
		r = put(o, "options", json_incref(options));
	if (r == 0)
		*ret = take_ptr(&o);
	return r;
}

int encode_list(const struct request *req, json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *o = NULL;
	int r = begin(req, &o, err);

	if (r == 0)
		r = put(o, "what", json_string(list_what_name[req->what]));
	if (r == 0)
		*ret = take_ptr(&o);
	return r;
}

int encode_watch(const struct request *req, uint64_t after, json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *o = NULL;
	int r = begin(req, &o, err);

	if (r == 0 && after != UINT64_MAX)
		r = put(o, "after", json_integer(after));
	if (r == 0)
		*ret = take_ptr(&o);
	return r;
}

int encode_fence_add(const struct request *req, json_t **ret, char *err)
{
	_cleanup_(json_decrefp) json_t *o = NULL;
	int r = begin(req, &o, err);

	if (r == 0)
		r = put(o, "for_ms", json_integer(req->fence_ms));
	if (r == 0 && req->reason)
		r = put_text(o, "reason", "--reason", req->reason, err);
	if (r == 0 && req->include_self)
		r = put(o, "include_self", json_true());
	if (r == 0 && req->yes)
		r = put(o, "yes", json_true());
	if (r == 0)
		*ret = take_ptr(&o);
	return r;
}

int encode_fence_list(const struct request *req, json_t **ret, char *err)
{
	if (req->n_selectors)
		return begin(req, ret, err);
	*ret = json_object();
	return *ret ? 0 : -ENOMEM;
}

int encode_fence_lift(const struct request *req, const char *id, json_t **ret, char *err)
{
	if (!id)
		return begin(req, ret, err);
	*ret = json_pack("{ss}", "fence", id);
	return *ret ? 0 : -ENOMEM;
}
