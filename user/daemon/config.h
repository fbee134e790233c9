/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.h - severd.conf: one option a line, as it would stand on a command line; blank lines, and lines that begin with `#`.
 *
 *	--protect PREFIX	addresses that no fence keeps out; any number of times */
#ifndef SEVER_CONFIG_H
#define SEVER_CONFIG_H

#include "model/filter.h"

#define CONFIG_USUAL "/etc/sever/severd.conf"

struct config {
	struct prefixes protect;
};

/* path NULL: the usual one, which need not be there. 0, and *ret is replaced; negative errno with a sentence in err that names
 * file and line. */
int config_read(const char *path, struct config *ret, char *err);
void config_clear(struct config *c);

#endif
