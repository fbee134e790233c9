// SPDX-License-Identifier: LGPL-2.1-or-later
/* reply.c - any object at all from a severd, read as each of the things that it might be. What is taken is printed,
 * and what is printed as JSON is JSON without a control byte. The first byte says whether the rest is bytes or
 * numbers of words. */
#include "cli/event.h"
#include "varlink/frame.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {
	"{", "}", "[", "]", ",", ":", "null", "true", "1", "-1", "4294967295", "9223372036854775807", "0.5", "\"\"",
	"\"flow\"", "\"1a@7\"", "\"8000000000000005@7\"", "\"proto\"", "\"tcp\"", "\"mptcp\"", "\"family\"", "\"inet6\"",
	"\"state\"", "\"established\"", "\"local_addr\"", "\"remote_addr\"", "\"127.0.0.1\"", "\"fe80::1%3\"",
	"\"local_port\"", "\"direction\"", "\"in\"", "\"uid\"", "\"user\"", "\"login_uid\"", "\"session\"", "\"pid\"",
	"\"comm\"", "\"via\"", "\"uid\"", "\"outcome\"", "\"dead\"", "\"error\"", "\"EPERM\"", "\"engine\"",
	"\"transport\"", "\"shared_with\"", "\"discarded\"", "\"note\"", "\"notes\"", "\"reconnected\"", "\"leader\"",
	"\"client\"", "\"transports\"", "\"flows\"", "\"survives\"", "\"nothing\"", "\"matched\"", "\"alive\"",
	"\"stale\"", "\"denied\"", "\"unsupported\"", "\"spared\"", "\"planned\"", "\"unattributed\"", "\"age_unknown\"",
	"\"elapsed_ms\"", "\"stage\"", "\"verified\"", "\"owners\"", "\"interrupted\"", "\"seq\"", "\"time\"",
	"\"event\"", "\"reason\"", "\"request\"", "\"summary\"", "\"count\"", "\"\x1b\x7f\xc3\xa4\"", "\"\\u001b\x7f\"",
	"{\"flow\":\"1a@7\",\"transport\":true",
	"{\"seq\":1,\"time\":\"t\",\"event\":\"e\"",
	("{\"matched\":1,\"dead\":1,\"alive\":0,\"stale\":0,\"denied\":0,\"unsupported\":0,\"spared\":0,\"reconnected\":0,"
	 "\"planned\":0,\"unattributed\":0,\"age_unknown\":0,\"discarded\":0,\"elapsed_ms\":1"),
	"{\"flows\":1,\"transports\":1",
	"{\"session\":\"3\"",
	("{\"fence\":\"f1\",\"selectors\":[\"--all\"],\"uid\":0,\"since\":\"2026-11-21T03:12:07.500000Z\","
	 "\"until\":\"2026-11-21T03:12:07.500000Z\",\"remaining_ms\":1,\"refused\":0,\"notes\":[]"),
};

/* Both formats, into memory. */
struct out {
	struct report r;
	char *text;
	size_t n;
};

static void out_open(struct out *o, bool json, const struct request *req)
{
	*o = (struct out){ .r.ops = json ? &report_json : &report_text };
	o->r.out = o->r.err = open_memstream(&o->text, &o->n);
	if (!o->r.out)
		abort();
	report_begin(&o->r, req);
}

static void out_close(struct out *o, bool json)
{
	fclose(o->r.out);
	for (size_t i = 0; i < o->n; i++)
		assert(o->text[i] == '\n' || ((uint8_t)o->text[i] >= 0x20 && o->text[i] != 0x7f));
	if (json && o->n) {
		json_t *line = json_loads(o->text, 0, NULL);

		assert(line);
		json_decref(line);
	}
	free(o->text);
}

static void print_flow(struct report *r, const struct told_flow *t)
{
	(t->reconnected ? report_reconnected : report_flow)(r, &t->flow, &t->procs, &t->sessions);
}

/* Reads o as what the interface calls `as`, and prints that.*/
static void try(const json_t *o, int as, struct out *out, bool json)
{
	_free_ const char **notes = NULL;
	_cleanup_(event_clear) struct event e = { 0 };
	uint8_t width[REPORT_COLUMNS] = { 0 };
	struct summary s = { .request = &(struct request){ .verb = VERB_KILL } };
	const char *user, *bad = NULL;
	struct told_flow flow;
	struct told_row row;
	struct told_fence fence;
	struct session cut;
	int r = 0;

	if (as == 0 && (r = decode_flow(o, &flow, &bad)) == 0)
		print_flow(&out->r, &flow);
	else if (as == 1 && (r = decode_cut(o, &cut, &user, &bad)) == 0)
		report_session(&out->r, &cut, user);
	else if (as == 2 && (r = decode_summary(o, &s, &notes, &bad)) == 0)
		report_end(&out->r, &s);
	else if (as == 4 && (r = decode_fence(o, &fence, &bad)) == 0)
		json ? (void)fence_json(out->r.out, &fence) : fence_row(out->r.out, width, false, &fence);
	else if (as == 3 && (r = event_decode(o, &e, &bad)) == 0)
		json ? (void)event_json(out->r.out, &e) : event_text(out->r.out, width, &e);
	else if (as > 4 && (r = decode_row(o, as - 5, &row, &bad)) == 0)
		report_row(&out->r, &row.row);
	assert(r == 0 || (r == -EBADMSG && bad));
}

static void read_as_all(const json_t *o)
{
	for (int i = 0; i < 2 * (5 + LIST_MAX); i++) {
		struct request req = { .verb = i / 2 < 5 ? VERB_KILL : VERB_LIST, .what = i / 2 < 5 ? 0 : i / 2 - 5 };
		struct out out;

		if (req.verb == VERB_LIST && req.what == LIST_FLOWS)
			continue;
		out_open(&out, i % 2, &req);
		try(o, i / 2, &out, i % 2);
		out_close(&out, i % 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	char err[ERR_LEN], *text;
	json_t *o;
	size_t len;

	for (size_t i = 1; i < size; i++) {
		const char *word = data[0] & 1 && data[i] < array_size(words) ? words[data[i]] : NULL;

		if (frame_put(&f, word ? word : (const char *)data + i, word ? strlen(word) : 1) < 0)
			abort();
	}
	if (frame_put(&f, "", 1) < 0 || frame_next(&f, MESSAGE_MAX, &text, &len) != 1)
		return 0;
	if (message_parse(text, len, &o, err) < 0)
		return 0;
	read_as_all(o);
	json_decref(o);
	return 0;
}
