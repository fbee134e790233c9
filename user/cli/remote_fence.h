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

/* Whether the fence of that id may stand: severd lists it, and *ret is when it ends, see moment.h; or severd does not say. */
bool remote_fence_until(struct client *c, const char *id, uint64_t *ret);

#endif
