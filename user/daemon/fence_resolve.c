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

int fence_find_tops(const struct selector *s, const struct cgroup_tree *t, struct ids *ret)
{
	uint64_t id = s->kind == SEL_CGROUP ? cgroup_tree_find(t, s->text) : 0;
	bool found = id;
	int r = id ? ids_add(ret, id) : 0;

	for (size_t i = 0; i < t->n && s->kind == SEL_UNIT && r == 0; i++) {
		if (!cgroup_unit_is(&t->v[i], s->text))
			continue;
		found = true;
		r = ids_add(ret, t->v[i].id);
	}
	return r < 0 ? r : found ? 0 : -ENOENT;
}

/* A session of logind has a cgroup, in which also those of its processes are that changed their audit session. */
static int add_session(const struct session *s, const struct cgroup_tree *t, struct fence_subjects *to)
{
	_free_ char *scope = NULL;
	int r = s->audit != ID_UNSET ? ids_add(&to->sessions, s->audit) : 0;
	uint64_t id;

	if (r == 0 && asprintf(&scope, "/user.slice/user-%u.slice/session-%s.scope", s->uid, s->id) < 0)
		r = -ENOMEM;
	id = r == 0 ? cgroup_tree_find(t, scope) : 0;
	return id ? ids_add(&to->cgroups, id) : r;
}

static int find_session(const struct sessions *all, const struct session_id *id, const struct cgroup_tree *t,
			struct fence_subjects *to, const char **ret_missing, char *err)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (session_id_is(id, &all->v[i]))
			return add_session(&all->v[i], t, to);
	if (!all && id->form == SESSION_AUDIT)
		return ids_add(&to->sessions, id->audit);
	*ret_missing = "session";
	return id->form == SESSION_AUDIT ? fail(-ESRCH, err, "no such session: audit:%u", id->audit) :
					   fail(-ESRCH, err, "no such session: %s", id->id);
}

static int find_sessions(struct live *live, const struct filter *f, const struct cgroup_tree *t, struct fence_subjects *to,
			 const char **ret_missing, char *err)
{
	struct selection sel = { 0 };
	int r = live ? people_read(live, &sel) : 0;

	for (size_t i = 0; i < f->sessions.n && r == 0; i++)
		r = find_session(live ? &sel.sessions : NULL, &f->sessions.v[i], t, to, ret_missing, err);
	selection_clear(&sel);
	return r;
}

/* What was there a moment ago, when its name was resolved, may be gone. */
static int find_cgroups(const struct request *req, const struct cgroup_tree *t, struct ids *ret, const char **ret_missing, char *err)
{
	int r = 0;

	for (size_t i = 0; i < req->n_selectors && r == 0; i++) {
		const struct selector *s = &req->selectors[i];

		if (s->kind != SEL_CGROUP && s->kind != SEL_UNIT)
			continue;
		r = fence_find_tops(s, t, ret);
		if (r == -ENOENT) {
			*ret_missing = selector_option[s->kind] + strlen("--");
			r = fail(-ESRCH, err, "no such %s: %s", *ret_missing, s->text);
		}
	}
	return r;
}

int fence_resolve(struct live *live, const struct request *req, struct fence_target *ret, const char **ret_missing,
		  char *err)
{
	_cleanup_(cgroup_tree_clear) struct cgroup_tree tree = { 0 };
	struct request plain = *req;
	int r;

	plain.verb = VERB_LIST; /* an unconnected socket is nobody's connection */
	r = resolve(&plain, &ret->filter, ret_missing, err);
	if (r == 0 && filter_names_people(&ret->filter))
		r = cgroup_tree_read(&tree);
	r = r == -ENOENT ? 0 : r; /* no cgroup v2 */
	if (r == 0 && ret->filter.sessions.n)
		r = find_sessions(live, &ret->filter, &tree, &ret->subjects, ret_missing, err);
	if (r == 0)
		r = find_cgroups(req, &tree, &ret->subjects.cgroups, ret_missing, err);
	ids_sort(&ret->subjects.sessions);
	ids_sort(&ret->subjects.cgroups);
	return r;
}
