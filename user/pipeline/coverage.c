// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/coverage.h"

#include <string.h>

static bool refused(int err)
{
	return err && err != -ENOENT && err != -ESTALE && err != -ESRCH;
}

void coverage_account(struct source *s, const struct filter *f, struct selection *sel)
{
	const struct owners *o = &sel->owners;
	unsigned int closed = 0;
	int err = 0;

	for (size_t i = 0; i < s->netns.n; i++)
		if (refused(s->netns.v[i].err)) {
			closed++;
			err = s->netns.v[i].err;
		}
	if (closed)
		note(&s->notes, "%u network namespaces could not be entered (%s): --netns self keeps to this one",
		     closed, strerror(-err));
	if (o->hidden_netns && !filter_names(f, SEL_NETNS))
		note(&s->notes, "%llu processes hide their network namespace: there may be more than were searched",
		     (unsigned long long)o->hidden_netns);
	sel->incomplete |= closed || (o->hidden_netns && !filter_names(f, SEL_NETNS));
	if (o->confined || o->filtered)
		note(&s->notes, o->confined ? "only the processes of this pid namespace were seen" :
					      "/proc shows only some of the processes (hidepid=)");
	sel->incomplete |= o->confined || o->filtered;
	if (o->no_procs)
		note(&s->notes, "/proc shows no processes and BPF is refused (%s): no flow can be given to a user",
		     strerror(-o->bpf_err));
	else if (o->hidden_fds)
		note(&s->notes, "%llu processes hide what they hold: their flows show the socket's uid only",
		     (unsigned long long)o->hidden_fds);
	sel->incomplete |= filter_needs_people(f) && (o->no_procs || o->hidden_fds);
}
