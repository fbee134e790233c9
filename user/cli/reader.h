/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reader.h - the members of a JSON object that came from elsewhere. What is absent is null; what is of another type
 * than the interface has is noted, and the whole object is refused in the end; a word that is not known is no fault:
 * a newer severd may know more of them. */
#ifndef SEVER_READER_H
#define SEVER_READER_H

#include "model/addr.h"

#include <jansson.h>

struct reader {
	const json_t *o;
	const char *bad; /* the first key with a value that cannot be; NULL: none */
};

/* NULL: absent or null, which is noted as bad where it is needed. */
const json_t *read_member(struct reader *r, const char *key, bool needed);
/* Borrowed; NULL: none. */
const char *read_text(struct reader *r, const char *key);
/* At most max; `none` where there is none. */
uint64_t read_number(struct reader *r, const char *key, uint64_t max, uint64_t none);
bool read_bool(struct reader *r, const char *key);
/* Index of the word among n names, some of which may be NULL; `none` where there is none or it is not among them. */
unsigned int read_word(struct reader *r, const char *key, const char *const *names, size_t n, unsigned int none);
/* An object or array of the reader's own; NULL: none. */
const json_t *read_object(struct reader *r, const char *key);
const json_t *read_array(struct reader *r, const char *key);
/* Copies a text. One that is too long is shortened, no character cut in two, but for a name, which would become
 * another. */
void read_into(struct reader *r, const char *key, char *ret, size_t size, bool name);
/* As addr_format() writes it: no prefix, and a zone is a number. Family 0: none. */
struct addr read_addr(struct reader *r, const char *key);
/* A moment; 0: none. */
uint64_t read_time(struct reader *r, const char *key);
/* Notes that the value of key cannot be. */
void read_refuse(struct reader *r, const char *key);
/* 0, or -EBADMSG with the first key that is bad. */
int read_done(const struct reader *r, const char **ret_bad);

#endif
