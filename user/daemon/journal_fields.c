// SPDX-License-Identifier: LGPL-2.1-or-later
/* journal_fields.c - values stand in the fields as they came, so that they can be searched for; the sentence in MESSAGE is
 * for terminals, and quotes only what cannot draw there. */
#include "daemon/journal_fields.h"

#include "model/word.h"
#include "sever/messages.h"

#include <stdarg.h>
#include <string.h>
#include <syslog.h>

static void put(struct fields *f, const char *fmt, ...) _printf_(2, 3);

static void put(struct fields *f, const char *fmt, ...)
{
	size_t room = 256; /* most fit */
	va_list ap;
	int len;

	for (int tries = 0; tries < 2; tries++) {
		if (f->n == FIELDS_MAX || grow(&f->text, &f->cap, f->len + room, 1) < 0)
			break;
		va_start(ap, fmt);
		len = vsnprintf(f->text + f->len, room, fmt, ap);
		va_end(ap);
		if (len >= 0 && (size_t)len < room) {
			f->v[f->n].at = f->len;
			f->v[f->n++].len = len;
			f->len += len;
			return;
		}
		room = len < 0 ? room : (size_t)len + 1;
	}
	f->failed = true;
}

static void put_number(struct fields *f, const char *name, uint64_t n)
{
	put(f, "SEVER_%s=%llu", name, (unsigned long long)n);
}

static void begin(struct fields *f, int priority, const char *message_id)
{
	f->len = f->n = 0;
	f->failed = false;
	put(f, "SYSLOG_IDENTIFIER=severd");
	put(f, "PRIORITY=%d", priority);
	if (message_id)
		put(f, "MESSAGE_ID=%s", message_id);
}

static const char *verb_of(const struct recorded *r)
{
	return (size_t)r->verb < RECORDED_VERBS && recorded_verb[r->verb] ? recorded_verb[r->verb] : "none";
}

static void put_request(struct fields *f, const struct recorded *r)
{
	size_t n = json_array_size(r->selectors);

	put(f, "SEVER_REQUEST=%s", r->id);
	put(f, "SEVER_VERB=%s", verb_of(r));
	put_number(f, "CALLER_UID", r->uid);
	if (r->login_uid != ID_UNSET)
		put_number(f, "CALLER_LOGIN_UID", r->login_uid);
	if (r->pid)
		put_number(f, "CALLER_PID", r->pid);
	for (size_t i = 0; i < n && i < FIELDS_SELECTORS; i++)
		put(f, "SEVER_SELECTORS=%s", json_string_value(json_array_get(r->selectors, i)));
	if (n > FIELDS_SELECTORS)
		put(f, "SEVER_SELECTORS=... and %zu more", n - FIELDS_SELECTORS);
	if (r->reason)
		put(f, "SEVER_REASON=%s", json_string_value(r->reason));
}

/* The first of them, for the sentence. */
static const char *show_selectors(const struct recorded *r, char shown[WORD_SHOWN])
{
	char text[WORD_SHOWN + 1] = "";
	size_t len = 0, i;

	for (i = 0; i < json_array_size(r->selectors) && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
				json_string_value(json_array_get(r->selectors, i)));
	return word_show(text, shown);
}

void fields_accepted(struct fields *f, const struct recorded *r, uint64_t matched)
{
	char shown[WORD_SHOWN];

	begin(f, LOG_NOTICE, SEVER_MESSAGE_ACCEPTED);
	put(f, "MESSAGE=Request %s of uid %u accepted: %s %s, %llu connections", r->id, r->uid, verb_of(r),
	    show_selectors(r, shown), (unsigned long long)matched);
	put_request(f, r);
	put_number(f, "MATCHED", matched);
}

static uint64_t total(const struct recorded *r, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(r->summary, key));

	return n < 0 ? 0 : n;
}

void fields_done(struct fields *f, const struct recorded *r)
{
	static const struct {
		const char *name, *key;
	} totals[] = {
		{ "MATCHED", "matched" },     { "DEAD", "dead" },
		{ "ALIVE", "alive" },	      { "STALE", "stale" },
		{ "DENIED", "denied" },	      { "UNSUPPORTED", "unsupported" },
		{ "SPARED", "spared" },	      { "RECONNECTED", "reconnected" },
		{ "DISCARDED", "discarded" },
	};

	begin(f, r->status == STATUS_OK ? LOG_NOTICE : LOG_WARNING, SEVER_MESSAGE_DONE);
	if (r->summary)
		put(f, "MESSAGE=Request %s of uid %u done: %llu of %llu connections were cut, status %d", r->id, r->uid,
		    (unsigned long long)total(r, "dead"), (unsigned long long)total(r, "matched"), r->status);
	else
		put(f, "MESSAGE=Request %s of uid %u done, status %d", r->id, r->uid, r->status);
	put_request(f, r);
	put(f, "SEVER_STATUS=%d", r->status);
	if (r->done_us >= r->accepted_us)
		put_number(f, "DURATION_US", r->done_us - r->accepted_us);
	for (size_t i = 0; r->summary && i < array_size(totals); i++)
		put_number(f, totals[i].name, total(r, totals[i].key));
}

void fields_cut(struct fields *f, const struct journal_cut *c)
{
	const struct flow *flow = c->flow;
	const char *user = flow->user_known ? flow->user_name : NULL;
	char address[ADDR_STRLEN] = "", shown[WORD_SHOWN], handle[FLOW_HANDLE_LEN];
	bool out = flow->direction == DIR_OUT;

	if (flow->remote.family)
		addr_format(&flow->remote, address);
	begin(f, LOG_INFO, SEVER_MESSAGE_CUT);
	put(f, "MESSAGE=Connection%s%s%s%s was cut%s%s", user ? " of " : "", user ? word_show(user, shown) : "",
	    !*address ? "" :
	    out	      ? " to " :
			" from ",
	    address, c->cause ? ": " : "", c->cause ? c->cause : "");
	if (c->request)
		put(f, "SEVER_REQUEST=%s", c->request);
	put(f, "SEVER_FLOW=%s", flow_handle(flow, handle));
	if (*address)
		put(f, "%s=%s", out ? "SEVER_PEER" : "SEVER_CLIENT", address);
	if (user)
		put(f, "SEVER_USER=%s", user);
	if (c->session)
		put(f, "SEVER_SESSION=%s", c->session);
	if (c->bytes_sent != CUT_UNKNOWN)
		put_number(f, "BYTES_SENT", c->bytes_sent);
	if (c->bytes_received != CUT_UNKNOWN)
		put_number(f, "BYTES_RECEIVED", c->bytes_received);
	if (c->duration_us != CUT_UNKNOWN)
		put_number(f, "DURATION_US", c->duration_us);
	if (c->cause)
		put(f, "SEVER_CAUSE=%s", c->cause);
}

static void put_json(struct fields *f, const char *name, const json_t *fence, const char *key)
{
	const json_t *v = json_object_get(fence, key);

	if (json_is_string(v))
		put(f, "SEVER_%s=%s", name, json_string_value(v));
	else if (json_is_integer(v))
		put_number(f, name, json_integer_value(v));
}

static void put_fence(struct fields *f, const json_t *fence)
{
	static const struct {
		const char *name, *key;
	} all[] = {
		{ "FENCE", "fence" },	  { "REQUEST", "request" },	  { "REASON", "reason" },	{ "UNTIL", "until" },
		{ "REFUSED", "refused" }, { "LAST_ADDRESS", "last_addr" }, { "LAST_PORT", "last_port" },
	};
	const json_t *lifted_by = json_object_get(fence, "lifted_by"), *caller = json_is_object(lifted_by) ? lifted_by : fence;
	const json_t *selectors = json_object_get(fence, "selectors");
	size_t n = json_array_size(selectors);

	for (size_t i = 0; i < array_size(all); i++)
		put_json(f, all[i].name, fence, all[i].key);
	put_json(f, "CALLER_UID", caller, "uid");
	put_json(f, "CALLER_LOGIN_UID", caller, "login_uid");
	put_json(f, "CALLER_PID", caller, "pid");
	for (size_t i = 0; i < n && i < FIELDS_SELECTORS; i++)
		put(f, "SEVER_SELECTORS=%s", json_string_value(json_array_get(selectors, i)));
	if (n > FIELDS_SELECTORS)
		put(f, "SEVER_SELECTORS=... and %zu more", n - FIELDS_SELECTORS);
}

void fields_fence(struct fields *f, enum journal_fence what, const json_t *fence)
{
	static const struct {
		const char *id, *verb;
		int priority;
	} of[] = {
		[JOURNAL_FENCE_ADD] = { SEVER_MESSAGE_FENCE_ADD, "went up", LOG_NOTICE },
		[JOURNAL_FENCE_HIT] = { SEVER_MESSAGE_FENCE_HIT, "refused", LOG_INFO },
		[JOURNAL_FENCE_EXPIRE] = { SEVER_MESSAGE_FENCE_EXPIRE, "has ended", LOG_NOTICE },
		[JOURNAL_FENCE_LIFT] = { SEVER_MESSAGE_FENCE_LIFT, "was lifted", LOG_NOTICE },
	};
	const char *id = json_string_value(json_object_get(fence, "fence"));
	const char *from = json_string_value(json_object_get(fence, "last_addr"));
	const struct recorded typed = { .selectors = json_object_get(fence, "selectors") };
	bool hit = what == JOURNAL_FENCE_HIT;
	char shown[WORD_SHOWN];

	begin(f, of[what].priority, of[what].id);
	put(f, "MESSAGE=Fence %s (%s) %s%s%s", id ? id : "?", show_selectors(&typed, shown), of[what].verb, hit ? " " : "",
	    !hit ? "" : from ? from : "somebody");
	put_fence(f, fence);
}

void fields_lost(struct fields *f, uint64_t n)
{
	begin(f, LOG_WARNING, SEVER_MESSAGE_LOST);
	put(f, "MESSAGE=%llu records are missing here: they came faster than they were taken", (unsigned long long)n);
	put_number(f, "LOST", n);
}

void fields_say(struct fields *f, int priority, const char *sentence)
{
	begin(f, priority, NULL);
	put(f, "MESSAGE=%s", sentence);
}

void fields_clear(struct fields *f)
{
	free(f->text);
	*f = (struct fields){ 0 };
}

size_t fields_iovec(const struct fields *f, struct iovec v[FIELDS_MAX])
{
	for (size_t i = 0; i < f->n; i++)
		v[i] = (struct iovec){ .iov_base = f->text + f->v[i].at, .iov_len = f->v[i].len };
	return f->n;
}
