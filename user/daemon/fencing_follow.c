// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_follow.c - fences whose subject is another one by now, or gone. */
#include "daemon/fencing_parts.h"

int fencing_rename(struct fencing *f, struct standing *s, const struct fence_target *to)
{
	const struct fence_target was = s->target;
	int r;

	pthread_rwlock_wrlock(&f->match_lock);
	s->target = *to;
	s->turn = (s->turn + 1) % FENCING_TURNS;
	r = standing_compile(s, NULL);
	if (r < 0)
		s->target = was;
	pthread_rwlock_unlock(&f->match_lock);
	free(s->line);
	s->line = NULL;
	return r;
}
