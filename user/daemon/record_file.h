/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_file.h - the file of the record, in a directory of its own: appended to, and now and then replaced as a whole. */
#ifndef SEVER_RECORD_FILE_H
#define SEVER_RECORD_FILE_H

#include "model/base.h"

#include <sys/uio.h>

#define RECORD_NAME "requests"
#define RECORD_BAD_NAME RECORD_NAME ".bad"
#define RECORD_READ_MAX (16u << 20) /* of a file that grew beyond what we write: only its end is read */

struct record_file {
	int dir; /* locked */
	int fd;
	uint64_t size; /* what we know to be ours; the next line goes there */
};

#define RECORD_FILE_CLOSED          \
	(struct record_file)        \
	{                           \
		.dir = -1, .fd = -1 \
	}

/* Makes the directory and the file where there is none, takes both and reads what is there; *ret_text is the caller's. 0 or
 * negative errno with a sentence in err, see record_open(). */
int record_file_open(const char *dir, struct record_file *ret, char **ret_text, size_t *ret_len, char *err);
void record_file_close(struct record_file *f);

/* 0 or negative errno. Then part of it may be in the file, and after a failed sync the kernel forgets what it could not
 * write: the file is to be replaced before anything else is appended. */
int record_file_append(struct record_file *f, const char *text, size_t len, bool sync);
int record_file_replace(struct record_file *f, const struct iovec *v, size_t n);
/* Keeps the file as it is, under another name, beside what will replace it. 0 or negative errno. */
int record_file_set_aside(struct record_file *f);

#endif
