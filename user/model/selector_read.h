/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* selector_read.h - what selector.c and selector_flow.c share, and nobody else includes. */
#ifndef SEVER_SELECTOR_READ_H
#define SEVER_SELECTOR_READ_H

#include "model/selector.h"

#include <string.h>

#define DIGITS "0123456789"

/* Fills the selector from a text that is not empty and holds no control byte. 0, or -EINVAL with
 * the reason, without the word, in why (ERR_LEN bytes). */
typedef int read_fn(const char *text, struct selector *s, char *why);

read_fn read_ports, read_proto, read_netns, read_flow, read_state, read_age;

/* A whole text that is a decimal number from min to max. */
int read_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret);

static inline bool only(const char *text, const char *set)
{
	return !text[strspn(text, set)];
}

#endif
