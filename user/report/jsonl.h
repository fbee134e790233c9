/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonl.h - JSON, one object a line, safe to cat to a terminal. Keys and punctuation are written as they come, for a
 * tree per line costs six times as much; jansson spells every string that is not plain. */
#ifndef SEVER_JSONL_H
#define SEVER_JSONL_H

#include "model/base.h"

#include <jansson.h>

struct jsonl {
	FILE *f;
	bool more;   /* a comma is due */
	bool failed; /* out of memory: a text became null */
};

/* "{", of an object that is the value of key, or of a line where key is NULL. */
void jsonl_open(struct jsonl *j, const char *key);
void jsonl_close(struct jsonl *j);
void jsonl_end_line(struct jsonl *j);

void jsonl_array(struct jsonl *j, const char *key);
void jsonl_end_array(struct jsonl *j);

/* Members of an object; items of an array where key is NULL. */
void jsonl_text(struct jsonl *j, const char *key, const char *s, size_t n);  /* at most n bytes; NULL: null */
void jsonl_word(struct jsonl *j, const char *key, const char *s);	     /* our own, plain; NULL: null */
void jsonl_number(struct jsonl *j, const char *key, uint64_t n, bool known); /* null unless known */
void jsonl_bool(struct jsonl *j, const char *key, bool value);
void jsonl_time(struct jsonl *j, const char *key, uint64_t us);		     /* see moment.h; null of 0 */
void jsonl_ms(struct jsonl *j, const char *key, double ms);  /* three digits after the point */
void jsonl_value(struct jsonl *j, const char *key, const json_t *value);
/* What is JSON on one line already, its newline left out. */
void jsonl_spelled(struct jsonl *j, const char *key, const char *json, size_t len);
void jsonl_errno(struct jsonl *j, const char *key, int err); /* "EPERM" of -EPERM, null of 0 */

#endif
