/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pins.h - a directory in a bpffs that keeps programs, maps and links when the process ends. One process at a time has
 * it: it is locked by flock() on itself, which a kill -9 undoes. */
#ifndef SEVER_PINS_H
#define SEVER_PINS_H

#include "model/base.h"

/* Makes the directory, whose parent is there, and locks it: its descriptor, or negative errno with a sentence in err.
 * -EBUSY: in use; -EPERM: open to others; -EMEDIUMTYPE: not in a bpffs. */
int pins_lock(const char *dir, char *err);
/* A new descriptor of what is pinned there, or negative errno. */
int pins_get(const char *dir, const char *name);
/* fd < 0: nothing to do. What is there by that name already stays. */
int pins_add(const char *dir, const char *name, int fd, char *err);
/* Takes the name away, if it is there. */
int pins_drop(int dirfd, const char *name);
/* Shows the name of each pin. A negative answer ends it. 0 or negative errno. */
int pins_walk(int dirfd, int (*cb)(const char *name, void *arg), void *arg);
/* Removes them all, but no directory; `mark`, which says that they are complete, first. */
int pins_clear(int dirfd, const char *mark);
/* The same, and the directory, which nobody may have. 0, also where there is none. */
int pins_remove(const char *dir, const char *mark, char *err);

#endif
