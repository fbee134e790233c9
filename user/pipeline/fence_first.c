// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_first.c - kill --fence: who is to die is kept out before he does, or he would be back before we are done. */
#include "pipeline/job.h"

#include <string.h>

void fence_take_back(struct job *j)
{
	if (*j->fence)
		j->access->lift(j->access->arg, j->fence);
	*j->fence = '\0';
}

/* Who came in between is a victim as well, and who is half in, which default selections leave alone. */
static enum status look_again(struct job *j)
{
	int r;

	j->filter.named |= 1u << SEL_STATE;
	j->refusal = (struct refusal){ 0 };
	selection_clear(&j->frozen);
	r = job_freeze(j);
	return r < 0 ? job_broken(j, r, "cannot list the connections of this host") : guard_check(j);
}

enum status fence_first(struct job *j)
{
	struct refusal why = { 0 };
	enum status s;
	size_t used;

	if (!j->access->fence)
		return job_broken(j, fail(-EOPNOTSUPP, j->err, "nobody here puts up fences; nothing was touched"), "");
	s = j->access->fence(j->access->arg, j->fence, &why, j->err);
	if (s != STATUS_OK)
		j->refusal = why;
	if (s == STATUS_NO_DAEMON) {
		used = strlen(j->err);
		snprintf(j->err + used, ERR_LEN - used, "; nothing was touched");
	}
	if (s != STATUS_OK || j->req->dry_run)
		return s == STATUS_GUARD ? guard_refuse(j, why.guard, "its fence was refused") : s;
	s = look_again(j);
	if (s != STATUS_OK)
		fence_take_back(j);
	return s;
}
