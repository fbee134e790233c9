/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* frame.h - varlink's messages in a stream of bytes: a JSON object, then a NUL. Pure: the owner of a frame reads and
 * writes the socket. Used by both ends. */
#ifndef SEVER_FRAME_H
#define SEVER_FRAME_H

#include "model/base.h"

#include <jansson.h>

#define MESSAGE_MAX (1u << 20) /* bytes, its NUL not counted */
#define MESSAGE_DEPTH 32       /* objects and arrays inside each other */
#define MESSAGE_VALUES 65536   /* jansson spends up to 220 bytes on a value of two */
#define FRAME_IDLE 4096	       /* bytes that a buffer keeps when nothing is in it */

/* Bytes on their way, those that wait are b[start] to b[end]. Zero-initialised is empty. */
struct frame {
	char *b;
	size_t start, end, cap;
	size_t scanned; /* no NUL before this */
};

/* Room for at least n more bytes behind those that wait, which may move. 0 or -ENOMEM. Then fill *ret and say how
 * much with frame_added(). */
int frame_space(struct frame *f, size_t n, char **ret, size_t *ret_n);
void frame_added(struct frame *f, size_t n);
/* The two in one. */
int frame_put(struct frame *f, const void *bytes, size_t n);

/* 1: a message of *ret_len bytes and its NUL is at *ret until the next call with f. 0: none is complete. -EMSGSIZE: the
 * next one is longer than max; the stream cannot be read on. */
int frame_next(struct frame *f, size_t max, char **ret, size_t *ret_len);
/* Whether frame_next() would return other than 0. */
bool frame_ready(struct frame *f, size_t max);

/* The first n of the waiting bytes are done with. */
void frame_drop(struct frame *f, size_t n);
static inline size_t frame_length(const struct frame *f)
{
	return f->end - f->start;
}
/* Gives back what an empty buffer does not need. */
void frame_trim(struct frame *f);
void frame_clear(struct frame *f);

/* Reads one message: an object within the limits above, no key twice. 0; -ENOMEM; -EBADMSG with a sentence in err. */
int message_parse(const char *text, size_t len, json_t **ret, char *err);
/* Appends a message and its NUL. 0, -ENOMEM, -EMSGSIZE: beyond the limits above; then f is as it was. */
int message_put(struct frame *f, const json_t *message);

#endif
