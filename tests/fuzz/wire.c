// SPDX-License-Identifier: LGPL-2.1-or-later
/* wire.c - any bytes at all from a caller. The first byte says into how long pieces the rest is cut, the second how
 * often there is no room for a reply, and whether the rest is bytes or, so that calls come up, numbers of words. What
 * is answered is a varlink reply; no call gets two answers; what is no call ends it. */
#include "../unit/toy.h"
#include "daemon/decode.h"
#include "varlink/frame.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {
	"{\"method\":\"io.sever.List\"",
	"{\"method\":\"io.sever.Kill\"",
	"{\"method\":\"io.sever.Watch\"",
	"{\"method\":\"io.sever.Doctor\"",
	"{\"method\":\"io.sever.GetRequest\"",
	"{\"method\":\"org.varlink.service.GetInfo\"",
	"{\"method\":\"org.varlink.service.GetInterfaceDescription\"",
	"{\"method\":\"",
	"io.sever",
	".",
	",\"parameters\":{",
	",\"more\":true",
	",\"oneway\":true",
	",\"upgrade\":true",
	"\"interface\":",
	"\"what\":",
	"\"flows\"",
	"\"cursor\":",
	"\"mute\"",
	"\"later\"",
	"\"emit\"",
	"\"limit\":",
	"9",
	"\"selectors\":[",
	"{\"kind\":\"user\"",
	"{\"kind\":\"all\"}",
	"{\"kind\":\"netns\",\"value\":\"4026531840\"}",
	"{\"kind\":\"client\",\"value\":",
	"\"10.0.0.0/8\"",
	"\"wait\":\"ended\"",
	",\"value\":",
	"]",
	"\"verb\":\"kill\"",
	"\"verb\":\"disconnect\"",
	"\"options\":{",
	"\"max\":",
	"\"reason\":",
	"\"after\":",
	"}",
	"}}",
	",",
	"\"\"",
	"null",
	"true",
	"[",
	"\\u0000",
	"\xff",
	"\"",
	"\"6f1a2b3c-0000-4000-8000-000000000001\"",
	"\"request\":",
};

struct caller {
	struct transport t;
	uint64_t n_sent, n_answers, n_idle;
	uint8_t refuse;
};

/* The toy asks for it only where there is a wire. */
struct wire_stats wire_stats(const struct wire *w)
{
	(void)w;
	return (struct wire_stats){ 0 };
}

static int heard(struct transport *t, const json_t *message, bool must)
{
	_cleanup_(frame_clear) struct frame f = { 0 };
	struct caller *c = (struct caller *)t;
	json_t *error = json_object_get(message, "error"), *again;
	char err[ERR_LEN], *text;
	size_t len;

	assert(message);
	if (!must && c->refuse && ++c->n_sent % c->refuse == 0)
		return -EAGAIN;
	assert(!error || (json_is_string(error) && strchr(json_string_value(error), '.')));
	assert(must == !json_is_true(json_object_get(message, "continues")));
	c->n_answers += must;
	if (message_put(&f, message) < 0 || frame_next(&f, MESSAGE_MAX, &text, &len) != 1)
		abort();
	if (message_parse(text, len, &again, err) < 0)
		abort();
	assert(json_equal(again, message));
	json_decref(again);
	return 0;
}

static bool has_room(const struct transport *t)
{
	const struct caller *c = (const struct caller *)t;

	return !c->refuse || (c->n_sent + 1) % c->refuse;
}

static void idle(struct transport *t)
{
	struct caller *c = (struct caller *)t;

	assert(!t->call);
	c->n_idle++;
}

/* What passed the check of parameters is read without a second look, and stands as it was said. */
static void decode(struct call *c)
{
	_free_ struct selector *v = NULL;
	char err[ERR_LEN] = "";
	struct request req;
	int r = request_decode(call_parameters(c), &req, &v, err);

	assert(r == 0 || (r == -EINVAL && strchr(err, ':')));
	for (size_t i = 0; r == 0 && i < req.n_selectors; i++)
		assert(v[i].kind == SEL_ALL || *v[i].text);
}

static int list_decoded(struct call *c, void *arg)
{
	decode(c);
	return toy_list(c, arg);
}

static int kill_decoded(struct call *c, void *arg)
{
	decode(c);
	return toy_kill(c, arg);
}

/* 0, or why the connection ends. */
static int take(struct service *s, struct caller *c, struct frame *f)
{
	char *text;
	size_t len;
	int r = 0;

	while (r == 0 && !c->t.call && (r = frame_next(f, MESSAGE_MAX, &text, &len)) == 1) {
		uint64_t before = c->n_answers;

		assert(!text[len] && strlen(text) == len);
		r = service_handle(s, &c->t, text, len);
		assert(c->n_answers <= before + 1);
		assert(r == 0 || r == -EBADMSG);
		assert(r == 0 || c->n_answers == before + 1);
	}
	return r;
}

/* A word for each byte; a NUL for one that numbers none. */
static void spell(struct frame *f, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = data[i] < array_size(words) ? words[data[i]] : "";

		if (frame_put(f, word, strlen(word) + !*word) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = { .refs = 1, .uid = 1, .pidfd = -1 };
	struct caller c = { .t = { .peer = &peer, .has_room = has_room, .send = heard, .idle = idle } };
	struct io_sever methods = toy_methods;
	struct toy toy = { 0 };
	struct service s = { .io = &methods, .arg = &toy };
	_cleanup_(frame_clear) struct frame f = { 0 };
	size_t piece;
	int r = 0;

	if (size < 2)
		return 0;
	toy.service = &s;
	methods.list = list_decoded;
	methods.kill = kill_decoded;
	piece = data[0] ? data[0] : size;
	c.refuse = data[1] % 4;
	for (size_t at = 2; at < size && r == 0; at += piece) {
		size_t n = piece < size - at ? piece : size - at;

		if (data[1] & 128)
			spell(&f, data + at, n);
		else if (frame_put(&f, data + at, n) < 0)
			abort();
		r = take(&s, &c, &f);
		toy_emit(&toy, 2);
		transport_room(&c.t);
	}
	transport_gone(&c.t);
	while (toy.held) /* oneway */
		toy_release(toy.held);
	assert(peer.refs == 1 && !s.n_oneway);
	return 0;
}
