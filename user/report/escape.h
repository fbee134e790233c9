/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* escape.h - text from outside (names, comm, reasons, paths) on its way to a terminal or into JSON. A user may
 * call his program anything; it must not draw on the screen of the person who looks at it. */
#ifndef SEVER_ESCAPE_H
#define SEVER_ESCAPE_H

#include "model/base.h"

/* Length in bytes of the valid UTF-8 sequence at s (at most n bytes are looked at) and its code point; 0: there is
 * none (bad byte, cut short, overlong, surrogate, beyond U+10FFFF). */
size_t utf8_decode(const char *s, size_t n, uint32_t *ret);

/* Writes up to n bytes of s, stopping at a NUL. Printable UTF-8 passes; bytes of anything that moves the cursor,
 * hides or reorders text, or is no UTF-8 become \xNN. Returns the number of characters written. */
size_t escape_putn(FILE *f, const char *s, size_t n);
size_t escape_put(FILE *f, const char *s);

/* A malloc'ed copy that is valid UTF-8: each byte that is not becomes U+FFFD. NULL: out of memory. */
char *utf8_clean(const char *s, size_t n);

#endif
