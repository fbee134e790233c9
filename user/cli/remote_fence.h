/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* remote_fence.h - the fences of severd: put up, listed and lifted. What it answers goes to out, as o->json says; notes
 * of the text format to notes. */
#ifndef SEVER_REMOTE_FENCE_H
#define SEVER_REMOTE_FENCE_H

#include "cli/client.h"
#include "cli/opts.h"

enum status remote_fence_add(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err);
enum status remote_fence_list(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err);
enum status remote_fence_lift(struct client *c, const struct options *o, FILE *out, FILE *notes, char *err);

/* When the fence of that id ends, see moment.h; 0: severd does not say. */
uint64_t remote_fence_until(struct client *c, const char *id);

#endif
