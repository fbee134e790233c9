// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/remote_fence.h"
#include "cli/reader.h"
#include "cli/remote.h"
#include "cli/remote_encode.h"
#include "cli/told_fence.h"
#include "pipeline/pipeline.h"
#include "report/escape.h"
#include "report/jsonl.h"
#include "report/when.h"
#include "varlink/interface.h"

#include <string.h>

#define NOTED_IDS 5   /* that are named with a note */
#define UNTIL_MS 5000 /* for what is only said on the side */

struct fence_call {
	struct client *client;
	const struct options *o;
	FILE *out, *notes;
	char *err;
	const char *method; /* without the interface */
	enum status (*hear)(struct fence_call *f, const struct told_fence *t);
	uint64_t told;
	json_t *noted; /* of a list: the ids by what is to be noted of them */
	uint8_t width[REPORT_COLUMNS];
	const char *id; /* of the one whose end is looked for */
	uint64_t until;
};

static enum status nonsense(struct fence_call *f, const char *key)
{
	fail(0, f->err, "the answer of severd is not understood: %s.%s", f->method, key);
	return STATUS_PARTIAL;
}

/* Whether what was asked was done, only severd knows. */
static enum status broken(struct fence_call *f, int r)
{
	enum status status = remote_broken(r, f->err);
	size_t used = strlen(f->err);

	if (r != -EMSGSIZE && strcmp(f->method, "FenceList") != 0)
		snprintf(f->err + used, ERR_LEN - used, "; `sever fence list` shows which fences stand");
	return status;
}

static enum status hear_one(struct fence_call *f, const json_t *o)
{
	struct told_fence t;
	const char *bad;
	enum status status;

	if (!json_is_object(o))
		return nonsense(f, "fence");
	if (decode_fence(o, &t, &bad) < 0)
		return nonsense(f, bad);
	status = f->hear(f, &t);
	f->told++;
	return status;
}

/* {fence} or {fences}. */
static enum status hear_reply(struct fence_call *f, const struct reply *reply, bool many)
{
	struct reader r = { .o = reply->parameters };
	const json_t *array = many ? read_array(&r, "fences") : NULL;
	enum status status = STATUS_OK;

	if (many && !array)
		return nonsense(f, "fences");
	if (!many)
		return hear_one(f, json_object_get(reply->parameters, "fence"));
	for (size_t i = 0; i < json_array_size(array) && status == STATUS_OK; i++)
		status = hear_one(f, json_array_get(array, i));
	return status;
}

/* The call and all of its replies: a long list may come in parts. p is borrowed. */
static enum status ask(struct fence_call *f, const json_t *p, unsigned int timeout_ms)
{
	bool many = strcmp(f->method, "FenceAdd") != 0, more = true;
	enum status status = STATUS_OK;
	char method[64];
	int r;

	snprintf(method, sizeof(method), IO_SEVER ".%s", f->method);
	r = client_call(f->client, method, p, many ? CALL_MORE : 0, timeout_ms, f->err);
	while (r == 0 && more && status == STATUS_OK) {
		_cleanup_(reply_clear) struct reply reply = { 0 };

		r = client_next(f->client, timeout_ms, &reply, f->err);
		if (r < 0)
			break;
		status = *reply.error ? remote_error(&reply, f->err) : hear_reply(f, &reply, many);
		more = reply.continues;
	}
	return r < 0 ? broken(f, r) : status;
}

/* r: what encode_fence_*() returned with p. */
static enum status begin(struct fence_call *f, json_t *taken, int r)
{
	_cleanup_(json_decrefp) json_t *p = taken;

	if (r == 0)
		return ask(f, p, REMOTE_PATIENCE_MS);
	if (!*f->err)
		fail(0, f->err, "cannot ask severd: %s", strerrordesc_np(-r));
	return status_of_errno(r);
}

static enum status put_json(struct fence_call *f, const struct told_fence *t)
{
	return fence_json(f->out, t) ? STATUS_OK : remote_broken(-ENOMEM, f->err);
}

/* "fence f12", and what of it. */
static struct line line_of(struct fence_call *f, const struct told_fence *t)
{
	struct line l = { .f = f->out, .width = f->width };

	line_text(&l, "fence ");
	line_escape(&l, t->id, SIZE_MAX);
	return l;
}

static enum status added(struct fence_call *f, const struct told_fence *t)
{
	char until[WHEN_LEN], span[SPAN_LEN];
	struct line l;

	if (f->o->json)
		return put_json(f, t);
	l = line_of(f, t);
	line_text(&l, " up until ");
	line_text(&l, when_text(t->until, until));
	line_text(&l, " (");
	line_text(&l, span_text(f->o->request.fence_ms, span));
	line_text(&l, "): ");
	fence_whom(&l, t);
	line_end(&l);
	fflush(f->out);
	fence_notes(f->notes, t);
	return STATUS_OK;
}

/* A hundred fences with one and the same note have one line. */
static int remember_notes(struct fence_call *f, const struct told_fence *t)
{
	for (size_t i = 0; i < json_array_size(t->notes); i++) {
		const char *text = json_string_value(json_array_get(t->notes, i));
		json_t *ids = json_object_get(f->noted, text);

		if (!ids && json_object_set_new(f->noted, text, ids = json_array()) < 0)
			return -ENOMEM;
		if (json_array_append_new(ids, json_string(t->id)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static enum status listed(struct fence_call *f, const struct told_fence *t)
{
	if (f->o->json)
		return put_json(f, t);
	fence_row(f->out, f->width, f->told == 0, t);
	return remember_notes(f, t) < 0 ? remote_broken(-ENOMEM, f->err) : STATUS_OK;
}

/* "note: f3, f12: ..." */
static void put_noted(const struct fence_call *f)
{
	const json_t *ids;
	const char *text;

	json_object_foreach((json_t *)f->noted, text, ids)
	{
		size_t n = json_array_size(ids);

		for (size_t i = 0; i < n && i < NOTED_IDS; i++) {
			fputs(i ? ", " : "note: ", f->notes);
			escape_put(f->notes, json_string_value(json_array_get(ids, i)));
		}
		if (n > NOTED_IDS)
			fprintf(f->notes, " and %zu more", n - NOTED_IDS);
		fputs(": ", f->notes);
		escape_put(f->notes, text);
		fputc('\n', f->notes);
	}
}

static enum status lifted(struct fence_call *f, const struct told_fence *t)
{
	struct line l;

	if (f->o->json)
		return put_json(f, t);
	l = line_of(f, t);
	line_text(&l, " lifted: ");
	fence_whom(&l, t);
	line_text(&l, ", ");
	line_number(&l, t->refused);
	line_text(&l, " refused");
	line_end(&l);
	return STATUS_OK;
}

enum status remote_fence_add(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err)
{
	struct fence_call f = { c, o, out, notes, err, "FenceAdd", added };
	json_t *p = NULL;
	int r;

	*err = '\0';
	r = encode_fence_add(&o->request, &p, err);
	return begin(&f, p, r);
}

static enum status none_listed(struct fence_call *f)
{
	if (f->o->request.n_selectors) {
		fail(0, f->err, "no fence was put up with just these selectors");
		return STATUS_NO_MATCH;
	}
	if (!f->o->json)
		fputs("no fence stands\n", f->notes);
	return STATUS_OK;
}

static void put_total(const struct fence_call *f)
{
	struct jsonl j = { .f = f->out };

	jsonl_open(&j, NULL);
	jsonl_open(&j, "summary");
	jsonl_number(&j, "listed", f->told, true);
	jsonl_close(&j);
	jsonl_end_line(&j);
}

enum status remote_fence_list(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err)
{
	_cleanup_(json_decrefp) json_t *noted = json_object();
	struct fence_call f = { c, o, out, notes, err, "FenceList", listed, .noted = noted };
	json_t *p = NULL;
	enum status status;
	int r;

	*err = '\0';
	r = noted ? encode_fence_list(&o->request, &p, err) : -ENOMEM;
	status = begin(&f, p, r);
	if (status == STATUS_OK && o->json)
		put_total(&f);
	if (status == STATUS_OK && !f.told)
		status = none_listed(&f);
	fflush(out); /* notes come after the table where both go to one terminal */
	put_noted(&f);
	return status;
}

enum status remote_fence_lift(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err)
{
	struct fence_call f = { c, o, out, notes, err, "FenceLift", lifted };
	json_t *p = NULL;
	enum status status;
	int r;

	*err = '\0';
	r = encode_fence_lift(&o->request, o->fence, &p, err);
	status = begin(&f, p, r);
	if (status != STATUS_OK || f.told)
		return status;
	fail(0, err, "no such fence stands");
	return STATUS_NO_MATCH;
}

static enum status found(struct fence_call *f, const struct told_fence *t)
{
	if (!strcmp(t->id, f->id))
		f->until = t->until;
	return STATUS_OK;
}

bool remote_fence_until(struct client *c, const char *id, uint64_t *ret)
{
	_cleanup_(json_decrefp) json_t *p = json_object();
	char err[ERR_LEN];
	struct fence_call f = { .client = c, .err = err, .method = "FenceList", .hear = found, .id = id };

	if (!p || ask(&f, p, UNTIL_MS) != STATUS_OK)
		return true;
	*ret = f.until;
	return f.until;
}
