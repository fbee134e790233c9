/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bytecode.h - a filter's addresses and ports as inet_diag bytecode, so that the kernel leaves out most sockets of a
 * dump. It only ever leaves out what filter_match_socket() would refuse; that one decides. Pure. */
#ifndef SEVER_BYTECODE_H
#define SEVER_BYTECODE_H

#include "model/filter.h"

/* Writes into buf (max bytes). Returns the length, 0 when nothing can be left out or the code
 * would not fit: then the dump is unfiltered. */
size_t bytecode_make(const struct filter *f, void *buf, size_t max);

#endif
