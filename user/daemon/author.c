// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/author.h"
#include "model/proc.h"

json_t *author_typed(const struct request *req)
{
	json_t *all = json_array();

	for (size_t i = 0; i < req->n_selectors && all; i++) {
		const struct selector *s = &req->selectors[i];
		json_t *one = json_sprintf("%s%s%s", selector_option[s->kind], s->text ? " " : "", s->text ? s->text : "");

		if (json_array_append_new(all, one) < 0) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}

/* Asked whether it is still there when it has been read: a pid may be given to another. */
uint32_t author_login(const struct peer *p)
{
	_fclose_ FILE *f = NULL;
	char path[64];
	unsigned int uid;

	snprintf(path, sizeof(path), "/proc/%u/loginuid", (unsigned int)p->pid);
	f = p->pid ? fopen(path, "re") : NULL;
	return f && fscanf(f, "%u", &uid) == 1 && !peer_has_ended(p) ? uid : ID_UNSET;
}
