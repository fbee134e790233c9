// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/cgroup.h"
#include "names/users.h"
#include "pipeline/job.h"

#include <string.h>

const char *decorate_user(struct names *names, uint32_t uid)
{
	return uid == ID_UNSET ? NULL : user_name(&names->users, uid);
}

void decorate(struct names *names, const struct source *source, struct flow *f)
{
	const struct netns *ns = netns_find(&source->netns, f->netns);

	f->user_name = f->user_known ? decorate_user(names, f->user) : NULL;
	f->shared_name = decorate_user(names, f->shared_with);
	f->cgroup_path = cgroup_path(&names->cgroups, f->cgroup);
	f->netns_name = ns ? ns->name : NULL;
}

void names_clear(struct names *names)
{
	user_cache_free(names->users);
	cgroup_cache_free(names->cgroups);
	memset(names, 0, sizeof(*names));
}
