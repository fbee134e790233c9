// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/people.h"
#include "names/sessions.h"

int people_read(struct live *l, struct selection *ret)
{
	int r;

	ret->owners.bpf = l->people;
	ret->owners.bpf_err = l->people_err;
	pthread_mutex_lock(&l->people_lock);
	r = owners_read_procs(&ret->owners);
	pthread_mutex_unlock(&l->people_lock);
	if (r == 0)
		r = sessions_read(&ret->owners.procs, &ret->sessions);
	ret->people = (struct people){
		.procs = &ret->owners.procs,
		.sessions = &ret->sessions,
		.holders = &ret->owners.holders,
		.by_inode = ret->owners.by_inode,
	};
	return r;
}

/* Up to so many flows are cheaper told to the kernel one by one than all that is held is told to us. */
#define FEW 512

int people_read_holders(struct live *l, const struct filter *f, uint32_t caller, const struct flowset *of, struct selection *ret)
{
	const struct proctab *procs = &ret->owners.procs;
	_free_ bool *likely = calloc(procs->n + 1, sizeof(*likely));
	struct owner_scope scope = { .procs = likely };
	int32_t at = caller ? proctab_find(procs, caller) : -1;
	uint64_t wanted[FEW];
	int r;

	if (!likely)
		return -ENOMEM;
	if (of && of->n <= FEW) {
		scope.wanted = of->n ? wanted : NULL;
		scope.n_wanted = of->n;
	}
	for (size_t i = 0; i < scope.n_wanted; i++)
		wanted[i] = of->v[i].cookie;
	for (size_t i = 0; i < procs->n; i++)
		likely[i] = proc_login(&ret->people, &procs->v[i]) != ID_UNSET ||
			    (f && filter_cares_for(f, &ret->people, &procs->v[i]));
	for (size_t n = 0; at >= 0 && procs->v[at].pid > 1 && n < procs->n; n++) {
		likely[at] = true;
		at = proctab_find(procs, procs->v[at].ppid);
	}
	pthread_mutex_lock(&l->people_lock);
	r = owners_read_holders(&ret->owners, &scope);
	pthread_mutex_unlock(&l->people_lock);
	ret->people.by_inode = ret->owners.by_inode;
	return r;
}
