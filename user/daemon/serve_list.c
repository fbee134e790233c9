// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_list.c - List: one look at the host, sorted by what its lines are known by, in pages. A page begins behind the last line of the
 * one before, so what is there all the time is shown once, whatever comes and goes meanwhile. */
#include "daemon/severd.h"

#include <string.h>

#define PAGE_LINES 1000
#define STREAM_LINES 50 /* to who wants all: he reads them a third faster than a thousand at once, which no cache of his holds */
#define PAGE_BYTES (512 << 10)
#define KEY_LEN 96

struct shown {
	char key[KEY_LEN];
	char *text;
	size_t len;
};

struct listing {
	struct severd *d;
	struct call *call; /* NULL: hung up */
	struct work *work;
	struct shown *v;
	size_t n, cap, at, limit;
	char after[KEY_LEN];
	enum list_what what;
	uint64_t hidden;
	json_t *end; /* the summary */
	bool broken; /* no memory */
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	json_decref(l->end);
	if (l->call) {
		call_watch(l->call, NULL, NULL);
		call_unref(l->call);
	}
	free(l);
}

static void on_hangup(struct call *c, void *arg)
{
	struct listing *l = arg;

	l->call = NULL;
	if (l->work)
		l->work->stop = 1;
	call_unref(c);
	if (!l->work)
		listing_free(l);
}

/* A flow is known by its handle, with zeros in front so that handles sort as numbers do. */
static void key_of_flow(const char *text, size_t len, char key[KEY_LEN])
{
	static const char head[] = "{\"flow\":\"";
	const char *id = text + sizeof(head) - 1, *end = len > sizeof(head) ? memchr(id, '"', len - sizeof(head)) : NULL;
	const char *at = end ? memchr(id, '@', end - id) : NULL;
	int digits = at ? at - id : 0;

	*key = '\0';
	if (at && !memcmp(text, head, sizeof(head) - 1) && end - id < KEY_LEN - 20)
		snprintf(key, KEY_LEN, "%.*s%.*s", digits < 16 ? 16 - digits : 0, "0000000000000000", (int)(end - id), id);
}

/* What has no name comes last, with one that no cursor is empty for. Of sessions there may be several such: they are known by their
 * connections. */
static void key_of_row(enum list_what what, const json_t *line, char key[KEY_LEN])
{
	static const char *const names[] = {
		[LIST_SESSIONS] = "session", [LIST_USERS] = "uid", [LIST_CLIENTS] = "client",
	};
	const json_t *v = json_object_get(line, names[what]);
	const char *flow = what == LIST_SESSIONS ? json_string_value(json_object_get(line, "flow")) : NULL;

	if (flow)
		snprintf(key, KEY_LEN, "~%s", flow);
	else if (json_is_integer(v))
		snprintf(key, KEY_LEN, "%020lld", (long long)json_integer_value(v));
	else
		snprintf(key, KEY_LEN, "%s", json_is_string(v) ? json_string_value(v) : "~");
}

static int keep(struct listing *l, const char *key, const char *text, size_t len)
{
	struct shown one = { .len = len && text[len - 1] == '\n' ? len - 1 : len };

	if (*l->after && strcmp(key, l->after) <= 0)
		return 0;
	if (grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v)) < 0 || !(one.text = malloc(one.len + 1)))
		return -ENOMEM;
	memcpy(one.text, text, one.len);
	snprintf(one.key, sizeof(one.key), "%s", key);
	l->v[l->n++] = one;
	return 0;
}

static int on_line(struct work *w, const char *text, size_t len, void *arg)
{
	_cleanup_(json_decrefp) json_t *line = NULL;
	struct listing *l = arg;
	char key[KEY_LEN];

	(void)w;
	if (!l->call)
		return 0;
	key_of_flow(text, len, key);
	if (!*key) {
		line = json_loadb(text, len, 0, NULL);
		if (json_object_get(line, "summary")) {
			l->end = json_incref(json_object_get(line, "summary"));
			return 0;
		}
		key_of_row(l->what, line, key);
	}
	l->broken |= keep(l, key, text, len) < 0;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct shown *)a)->key, ((const struct shown *)b)->key);
}

/* The last line of the page that begins at `at`, plus one. */
static size_t end_of_page(const struct listing *l, size_t *ret_bytes)
{
	size_t end = l->at;

	for (*ret_bytes = 0; end < l->n && end - l->at < l->limit && *ret_bytes < PAGE_BYTES; end++)
		*ret_bytes += l->v[end].len + 1;
	return end;
}

/* What follows the lines of a page that ends before `end`: members, after their opening brace. */
static char *tail(const struct listing *l, size_t end)
{
	static const char *const copied[] = { "owners", "notes", "unattributed", "age_unknown" };
	bool last = end == l->n;
	_cleanup_(json_decrefp) json_t *p = json_pack("{ss?}", "next", last ? NULL : l->v[end - 1].key);

	for (size_t i = 0; i < array_size(copied) && p && last; i++)
		json_object_set(p, copied[i], json_object_get(l->end, copied[i]));
	if (p && last && l->hidden)
		json_object_set_new(p, "hidden", json_integer(l->hidden));
	return p ? json_dumps(p, JSON_COMPACT) : NULL;
}

/* A message with the lines from `at` on. They are spelled already: to read them and spell them again costs more than all the rest. */
static char *page(struct listing *l, bool more, bool *ret_last, size_t *ret_len)
{
	size_t bytes, end = end_of_page(l, &bytes), len;
	_free_ char *rest = tail(l, end), *text = rest ? malloc(bytes + strlen(rest) + 64) : NULL;

	if (!text)
		return NULL;
	*ret_last = end == l->n;
	len = sprintf(text, "{\"parameters\":{\"%s\":[", list_what_name[l->what]);
	for (size_t i = l->at; i < end; i++) {
		memcpy(text + len, l->v[i].text, l->v[i].len);
		len += l->v[i].len;
		text[len++] = ',';
	}
	len -= end > l->at;
	*ret_len = len + sprintf(text + len, "],%s%s", rest + 1, more && !*ret_last ? ",\"continues\":true}" : "}");
	l->at = end;
	return take_ptr(&text);
}

/* All pages that the caller has room for; frees l after the last one. */
static void send_pages(struct listing *l)
{
	bool more = call_wants_more(l->call), last = false;
	int r = 0;

	while (!last && r == 0 && (!more || call_has_room(l->call))) {
		size_t len;
		_free_ char *text = page(l, more, &last, &len);

		last |= !more;
		r = text ? call_reply_spelled(l->call, text, len, !last) : -ENOMEM;
	}
	if (r < 0)
		call_fail(l->call, r, NULL);
	if (last || r < 0)
		listing_free(l);
	else
		call_reply(l->call, NULL, true); /* -EAGAIN, and room() comes */
}

static void on_room(struct call *c, void *arg)
{
	struct listing *l = arg;

	(void)c;
	if (!l->work)
		send_pages(l);
}

static const struct call_watcher watcher = { .gone = on_hangup, .room = on_room };

static void on_done(struct work *w, void *arg)
{
	struct listing *l = arg;

	l->work = NULL;
	l->hidden = w->hidden;
	if (!l->call) {
		listing_free(l);
		return;
	}
	/* An empty list is an answer; not so one of somebody there is not. */
	if (w->status != STATUS_OK && (w->status != STATUS_NO_MATCH || w->refusal.missing)) {
		severd_answer(l->call, w->status, &w->refusal, w->err, NULL);
		listing_free(l);
	} else if (l->broken) {
		call_fail(l->call, -ENOMEM, NULL);
		listing_free(l);
	} else {
		if (l->n)
			qsort(l->v, l->n, sizeof(*l->v), by_key);
		send_pages(l);
	}
}

static void on_drop(void *arg)
{
	listing_free(arg);
}

static const struct work_hooks hooks = { .line = on_line, .done = on_done, .drop = on_drop };

static int begin(struct severd *d, struct call *c, struct work *w)
{
	const json_t *limit = json_object_get(w->parameters, "limit"), *after = json_object_get(w->parameters, "cursor");
	struct listing *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct listing){ .d = d, .work = w, .what = w->request.what };
	l->limit = limit ? (size_t)json_integer_value(limit) : call_wants_more(c) ? STREAM_LINES : PAGE_LINES;
	snprintf(l->after, sizeof(l->after), "%s", after ? json_string_value(after) : "");
	w->hooks = &hooks;
	w->arg = l;
	r = severd_begin(d, w, c);
	if (r < 0) {
		listing_free(l);
		return r;
	}
	l->call = call_ref(c);
	call_watch(c, &watcher, l);
	if (call_wants_more(c))
		call_may_lag(c); /* he may read it with a pager */
	return 0;
}

int serve_list(struct call *c, void *arg)
{
	struct work *w;
	int r = severd_read(c, &w);

	if (!w)
		return r;
	w->request.verb = VERB_LIST;
	r = begin(arg, c, w);
	if (r < 0)
		work_free(w);
	return r;
}
