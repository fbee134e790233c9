// SPDX-License-Identifier: LGPL-2.1-or-later
/* record.c - memory is the truth: a file that could not be written as it should is replaced by what is in memory, as soon as
 * that can be. */
#include "daemon/record.h"

#include "daemon/record_file.h"
#include "daemon/record_line.h"
#include "daemon/record_list.h"

#include <string.h>
#include <time.h>

struct record {
	struct record_file file;
	struct record_list list;
	bool stale; /* the file is not what is in memory */
	char complaint[ERR_LEN];
};

static int replace(struct record *rec)
{
	_free_ struct iovec *v = calloc(LINES * rec->list.n + 1, sizeof(*v));
	size_t n = 0;
	int r;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < rec->list.n; i++)
		for (int k = 0; k < LINES; k++)
			if (rec->list.v[i].line[k].iov_base)
				v[n++] = rec->list.v[i].line[k];
	r = record_file_replace(&rec->file, v, n);
	rec->stale = r < 0;
	return r;
}

/* Makes the file such that len bytes can be appended. */
static int ready(struct record *rec, size_t len)
{
	return rec->stale || rec->file.size + len > RECORD_FILE_MAX ? replace(rec) : 0;
}

/* Takes what one line says into memory. 0; -EBADMSG: it says nothing that can be; -ENOMEM. */
static int load_line(struct record *rec, const char *text, size_t len)
{
	_cleanup_(record_line_clear) struct record_line l = { 0 };
	int r = record_line_read(text, len, &l);
	_free_ char *copy = NULL;
	struct record_entry *e;

	if (r < 0)
		return r;
	e = record_list_find(&rec->list, l.r.id);
	if (l.end ? !e || record_entry_is_done(e) : !!e)
		return -EBADMSG;
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	if (l.end) {
		record_list_finish(&rec->list, e, &copy, len);
		return 0;
	}
	if (record_list_reserve(&rec->list) < 0)
		return -ENOMEM;
	record_list_add(&rec->list, l.r.id, l.r.uid, &copy, len);
	return 0;
}

/* Takes what can be read. A last line without its end is one that a crash cut short, and was never answered for. */
static int load(struct record *rec, const char *text, size_t len, size_t *ret_bad)
{
	const char *end = text + len, *newline;
	int r;

	while (text < end && (newline = memchr(text, '\n', end - text))) {
		r = load_line(rec, text, newline + 1 - text);
		if (r == -ENOMEM)
			return r;
		*ret_bad += r < 0;
		text = newline + 1;
	}
	rec->stale = *ret_bad > 0 || text < end;
	return 0;
}

/* The file is made whole again. What cannot be is a reason to complain, and to try again, but not to stay away. */
static void mend(struct record *rec, const char *dir, size_t bad)
{
	int kept = bad ? record_file_set_aside(&rec->file) : 0, r = replace(rec);

	if (r < 0)
		fail(r, rec->complaint, "%s: the record cannot be written: %s; %zu lines of it could not be read", dir,
		     strerrordesc_np(-r), bad);
	else if (bad)
		fail(0, rec->complaint, "%s: %zu lines of the record could not be read and were left out%s", dir, bad,
		     kept == 0 ? "; they are kept in " RECORD_BAD_NAME : "");
}

int record_open(const char *state_dir, struct record **ret, char *err)
{
	_cleanup_(record_closep) struct record *rec = calloc(1, sizeof(*rec));
	_free_ char *text = NULL;
	size_t len = 0, bad = 0;
	int r;

	if (!rec)
		return fail(-ENOMEM, err, "out of memory");
	rec->file = RECORD_FILE_CLOSED;
	r = record_file_open(state_dir, &rec->file, &text, &len, err);
	if (r < 0)
		return r;
	if (load(rec, text, len, &bad) < 0)
		return fail(-ENOMEM, err, "%s: out of memory", state_dir);
	if (rec->stale || rec->file.size > len)
		mend(rec, state_dir, bad);
	*ret = take_ptr(&rec);
	return 0;
}

int record_accept(struct record *rec, const struct recorded *r)
{
	_free_ char *text = NULL;
	size_t len;
	int ret = record_line_write(r, false, &text, &len);

	if (ret < 0)
		return ret;
	if (len > RECORD_LINE_MAX)
		return -E2BIG;
	if (record_list_find(&rec->list, r->id))
		return -EEXIST;
	if (!record_list_has_room(&rec->list, r->uid, len))
		return -EBUSY;
	/* What is on the disk will be in memory: nothing may fail after that. */
	if (record_list_reserve(&rec->list) < 0)
		return -ENOMEM;
	ret = ready(rec, len);
	if (ret < 0)
		return ret;
	ret = record_file_append(&rec->file, text, len, true);
	if (ret < 0) {
		rec->stale = true;
		return ret;
	}
	record_list_add(&rec->list, r->id, r->uid, &text, len);
	return 0;
}

/* The line of how it ended, without the summary if that is too long: -E2BIG then, and a line. */
static int write_end(struct recorded *r, char **ret, size_t *ret_len)
{
	_free_ char *text = NULL;
	size_t len;
	int err = record_line_write(r, true, &text, &len);

	if (err == 0 && len > 2 * RECORD_LINE_MAX) {
		free(take_ptr(&text));
		r->summary = NULL;
		err = record_line_write(r, true, &text, &len);
		err = err < 0 ? err : -E2BIG;
	}
	if (text) {
		*ret = take_ptr(&text);
		*ret_len = len;
	}
	return err;
}

int record_done(struct record *rec, const char *id, int status, json_t *summary)
{
	struct recorded r = { .done = true, .status = status, .summary = summary, .done_us = clock_ns(CLOCK_REALTIME) / 1000 };
	struct record_entry *e = record_list_find(&rec->list, id);
	_free_ char *text = NULL;
	size_t len = 0;
	int cut, ret;

	if (!e)
		return -ENOENT;
	if (record_entry_is_done(e))
		return -EALREADY;
	memcpy(r.id, e->id, sizeof(r.id));
	cut = write_end(&r, &text, &len);
	if (!text)
		return cut;
	ret = ready(rec, len);
	if (ret == 0)
		ret = record_file_append(&rec->file, text, len, false);
	if (ret < 0)
		rec->stale = true;
	record_list_finish(&rec->list, e, &text, len);
	return ret < 0 ? ret : cut;
}

static int read_entry(const struct record_entry *e, struct recorded *ret)
{
	_cleanup_(record_line_clear) struct record_line asked = { 0 }, ended = { 0 };
	int r = record_line_read(e->line[ASKED].iov_base, e->line[ASKED].iov_len, &asked);

	if (r == 0 && record_entry_is_done(e))
		r = record_line_read(e->line[ENDED].iov_base, e->line[ENDED].iov_len, &ended);
	if (r < 0)
		return r;
	*ret = asked.r;
	ret->done = ended.r.done;
	ret->status = ended.r.status;
	ret->done_us = ended.r.done_us;
	ret->summary = json_incref(ended.r.summary);
	asked.r = (struct recorded){ 0 };
	return 0;
}

int record_find(const struct record *rec, const char *id, struct recorded *ret)
{
	const struct record_entry *e = record_list_find(&rec->list, id);

	return e ? read_entry(e, ret) : -ENOENT;
}

int record_unfinished(struct record *rec, record_cb cb, void *arg)
{
	_free_ char(*ids)[REQUEST_ID_LEN] = calloc(rec->list.n + 1, sizeof(*ids));
	size_t n = 0;
	int r = 0;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < rec->list.n; i++)
		if (!record_entry_is_done(&rec->list.v[i]))
			memcpy(ids[n++], rec->list.v[i].id, sizeof(*ids));
	for (size_t i = 0; i < n && r >= 0; i++) {
		_cleanup_(recorded_clear) struct recorded one = { 0 };

		r = record_find(rec, ids[i], &one);
		if (r == 0 && !one.done)
			r = cb(&one, arg);
		else if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? r : 0;
}

const char *record_complaint(const struct record *rec)
{
	return *rec->complaint ? rec->complaint : NULL;
}

void record_close(struct record *rec)
{
	if (!rec)
		return;
	record_list_clear(&rec->list);
	record_file_close(&rec->file);
	free(rec);
}
