// SPDX-License-Identifier: LGPL-2.1-or-later
/* record_line.c - keys are never renamed or dropped; an unknown one is of a later version and is passed over. */
#include "daemon/record_line.h"

#include <string.h>

#define SUM_LEN 17 /* 16 digits and a blank */

const char *const recorded_verb[] = { [VERB_KILL] = "kill", [VERB_DISCONNECT] = "disconnect" };
_Static_assert(array_size(recorded_verb) == RECORDED_VERBS, "record.h has their number");

/* FNV-1a: against crashes and bad disks, not against people, who cannot get at the file. */
static uint64_t sum_of(const char *text, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3;
	return sum;
}

void recorded_clear(struct recorded *r)
{
	json_decref(r->selectors);
	json_decref(r->reason);
	json_decref(r->summary);
	*r = (struct recorded){ 0 };
}

void record_line_clear(struct record_line *l)
{
	recorded_clear(&l->r);
}

static json_t *number_or_null(uint32_t n, uint32_t unknown)
{
	return n == unknown ? json_null() : json_integer(n);
}

static json_t *spell_accepted(const struct recorded *r)
{
	const char *verb = (size_t)r->verb < RECORDED_VERBS ? recorded_verb[r->verb] : NULL;

	return json_pack("{s:{s:s, s:s?, s:I, s:I, s:o, s:o, s:O?, s:O?}}", "accepted", "request", r->id, "verb", verb,
			 "time", (json_int_t)r->accepted_us, "uid", (json_int_t)r->uid, "login_uid",
			 number_or_null(r->login_uid, ID_UNSET), "pid", number_or_null(r->pid, 0), "selectors",
			 r->selectors, "reason", r->reason);
}

static json_t *spell_done(const struct recorded *r)
{
	return json_pack("{s:{s:s, s:I, s:i, s:O?}}", "done", "request", r->id, "time", (json_int_t)r->done_us,
			 "status", r->status, "summary", r->summary);
}

int record_line_write(const struct recorded *r, bool end, char **ret, size_t *ret_len)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(record_line_clear) struct record_line check = { 0 };
	_free_ char *text = NULL, *whole = NULL;
	int len;

	if (strnlen(r->id, sizeof(r->id)) == sizeof(r->id))
		return -EINVAL;
	root = end ? spell_done(r) : spell_accepted(r);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	len = asprintf(&whole, "%016llx %s\n", (unsigned long long)sum_of(text, strlen(text)), text);
	if (len < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	if (record_line_read(whole, len, &check) < 0)
		return -EINVAL;
	*ret = take_ptr(&whole);
	*ret_len = len;
	return 0;
}

/* An integer from 0 to max; null is `unknown` if that is not above max. */
static int read_number(const json_t *o, const char *key, uint64_t max, uint64_t unknown, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_null(v) && unknown <= UINT32_MAX) {
		*ret = unknown;
		return 0;
	}
	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
		return -EBADMSG;
	*ret = json_integer_value(v);
	return 0;
}

static int read_id(const json_t *o, struct recorded *r)
{
	const json_t *id = json_object_get(o, "request");
	size_t len = json_string_length(id);

	if (len == 0 || len >= sizeof(r->id))
		return -EBADMSG;
	memcpy(r->id, json_string_value(id), len + 1);
	return 0;
}

static int read_verb(const json_t *o, enum verb *ret)
{
	const char *word = json_string_value(json_object_get(o, "verb"));

	for (size_t i = 0; word && i < RECORDED_VERBS; i++)
		if (recorded_verb[i] && strcmp(recorded_verb[i], word) == 0) {
			*ret = i;
			return 0;
		}
	return -EBADMSG;
}

static int read_accepted(const json_t *o, struct recorded *r)
{
	json_t *selectors = json_object_get(o, "selectors"), *reason = json_object_get(o, "reason");
	uint64_t uid, login_uid, pid;

	if (read_id(o, r) < 0 || read_verb(o, &r->verb) < 0 ||
	    read_number(o, "time", INT64_MAX, UINT64_MAX, &r->accepted_us) < 0 ||
	    read_number(o, "uid", UINT32_MAX, UINT64_MAX, &uid) < 0 ||
	    read_number(o, "login_uid", UINT32_MAX, ID_UNSET, &login_uid) < 0 ||
	    read_number(o, "pid", UINT32_MAX, 0, &pid) < 0 || !json_is_array(selectors) ||
	    !(json_is_string(reason) || json_is_null(reason)))
		return -EBADMSG;
	for (size_t i = 0; i < json_array_size(selectors); i++)
		if (!json_is_string(json_array_get(selectors, i)))
			return -EBADMSG;
	r->uid = uid;
	r->login_uid = login_uid;
	r->pid = pid;
	r->selectors = json_incref(selectors);
	r->reason = json_is_null(reason) ? NULL : json_incref(reason);
	return 0;
}

static int read_done(const json_t *o, struct recorded *r)
{
	json_t *summary = json_object_get(o, "summary");
	uint64_t status;

	if (read_id(o, r) < 0 || read_number(o, "time", INT64_MAX, UINT64_MAX, &r->done_us) < 0 ||
	    read_number(o, "status", 255, UINT64_MAX, &status) < 0 ||
	    !(json_is_object(summary) || json_is_null(summary)))
		return -EBADMSG;
	r->done = true;
	r->status = status;
	r->summary = json_is_null(summary) ? NULL : json_incref(summary);
	return 0;
}

static int read_sum(const char *text, size_t len, uint64_t *ret)
{
	uint64_t sum = 0;

	if (len <= SUM_LEN || text[SUM_LEN - 1] != ' ')
		return -EBADMSG;
	for (size_t i = 0; i < SUM_LEN - 1; i++) {
		const char *digits = "0123456789abcdef", *at = memchr(digits, text[i], 16);

		if (!at)
			return -EBADMSG;
		sum = sum << 4 | (at - digits);
	}
	*ret = sum;
	return 0;
}

int record_line_read(const char *text, size_t len, struct record_line *ret)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(record_line_clear) struct record_line l = { 0 };
	const json_t *accepted, *done;
	json_error_t why;
	uint64_t sum;
	int r;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (read_sum(text, len, &sum) < 0 || sum != sum_of(text + SUM_LEN, len - SUM_LEN))
		return -EBADMSG;
	root = json_loadb(text + SUM_LEN, len - SUM_LEN, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return json_error_code(&why) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	accepted = json_object_get(root, "accepted");
	done = json_object_get(root, "done");
	if (!accepted == !done)
		return -EBADMSG;
	l.end = done;
	r = done ? read_done(done, &l.r) : read_accepted(accepted, &l.r);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct record_line){ 0 };
	return 0;
}
