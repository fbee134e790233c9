// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/rights.h"

#include <grp.h>

#define GROUP_BYTES_MAX (1u << 20)

/* The record of a group has all its members in it. */
bool rights_group(gid_t *ret)
{
	struct group buf, *g = NULL;

	for (size_t size = 4096; size <= GROUP_BYTES_MAX; size *= 4) {
		_free_ char *text = malloc(size);
		int r = text ? getgrnam_r("sever", &buf, text, size, &g) : ENOMEM;

		if (r == 0 && g)
			*ret = g->gr_gid;
		if (r != ERANGE)
			return r == 0 && g;
	}
	return false;
}

bool rights_all(const struct peer *p)
{
	gid_t gid;

	return !p->uid || (rights_group(&gid) && peer_in_group(p, gid));
}

bool rights_flow(const struct peer *p, const struct flow *f)
{
	return f->login_uid == p->uid && f->shared_with == ID_UNSET;
}
