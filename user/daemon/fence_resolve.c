// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/fence_resolve.h"
#include "daemon/people.h"
#include "kernel/cgroup.h"
#include "pipeline/resolve.h"

#include <string.h>

void fence_target_clear(struct fence_target *t)
{
	filter_clear(&t->filter);
	free(t->subjects.sessions.v);
	free(t->subjects.cgroups.v);
	*t = (struct fence_target){ 0 };
}

/* A session of logind has a cgroup, in which also those of its processes are that changed their audit session. */
static int add_session(const struct session *s, struct ids *cgroups, struct fence_subjects *to)
{
	_free_ char *scope = NULL;
	int r = s->audit != ID_UNSET ? ids_add(&to->sessions, s->audit) : 0;

	if (r < 0 || !strncmp(s->id, "audit:", 6))
		return r;
	if (asprintf(&scope, "session-%s.scope", s->id) < 0)
		return -ENOMEM;
	r = cgroup_unit(scope, cgroups);
	return r == -ENOMEM ? r : 0;
}

static int find_session(const struct sessions *all, const struct session_id *id, struct ids *cgroups,
			struct fence_subjects *to, const char **ret_missing, char *err)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (session_id_is(id, &all->v[i]))
			return add_session(&all->v[i], cgroups, to);
	if (!all && id->form == SESSION_AUDIT)
		return ids_add(&to->sessions, id->audit);
	*ret_missing = "session";
	return id->form == SESSION_AUDIT ? fail(-ESRCH, err, "no such session: audit:%u", id->audit) :
					   fail(-ESRCH, err, "no such session: %s", id->id);
}

static int find_sessions(struct live *live, const struct filter *f, struct ids *cgroups, struct fence_subjects *to,
			 const char **ret_missing, char *err)
{
	struct selection sel = { 0 };
	int r = live ? people_read(live, &sel) : 0;

	for (size_t i = 0; i < f->sessions.n && r == 0; i++)
		r = find_session(live ? &sel.sessions : NULL, &f->sessions.v[i], cgroups, to, ret_missing,
				 err);
	selection_clear(&sel);
	return r;
}

int fence_resolve(struct live *live, const struct request *req, struct fence_target *ret, const char **ret_missing,
		  char *err)
{
	struct request plain = *req;
	struct ids cgroups = { 0 };
	int r;

	plain.verb = VERB_LIST; /* an unconnected socket is nobody's connection */
	r = resolve(&plain, &ret->filter, ret_missing, err);
	if (r == 0 && ret->filter.sessions.n)
		r = find_sessions(live, &ret->filter, &cgroups, &ret->subjects, ret_missing, err);
	for (size_t i = 0; i < ret->filter.cgroups.n && r == 0; i++)
		r = ids_add(&cgroups, ret->filter.cgroups.v[i]);
	for (size_t i = 0; i < ret->filter.units.n && r == 0; i++)
		r = ids_add(&cgroups, ret->filter.units.v[i]);
	if (r == 0 && cgroups.n)
		r = cgroup_tops(&cgroups, &ret->subjects.cgroups);
	ids_sort(&ret->subjects.sessions);
	free(cgroups.v);
	return r;
}
