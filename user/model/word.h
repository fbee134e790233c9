/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* word.h - reading numbers out of words, and showing a word that may hold anything. */
#ifndef SEVER_WORD_H
#define SEVER_WORD_H

#include "model/base.h"

/* Reads exactly len digits of base 10 or 16, no sign, no blanks. 0, or -EINVAL where a byte is no
 * digit, where there is none, or where the number is above max. */
int word_number(const char *text, size_t len, unsigned int base, uint64_t max, uint64_t *ret);

#define WORD_SHOWN 256

/* Copies text for an error sentence: all but printable ASCII becomes \xNN, and what does not fit is
 * cut with "...". Returns buf. */
const char *word_show(const char *text, char buf[WORD_SHOWN]);

#endif
