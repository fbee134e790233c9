// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/work_fence.h"
#include "daemon/attend.h"
#include "daemon/author.h"
#include "daemon/fencing.h"

static bool means_people(const struct request *req)
{
	const unsigned int people = 1u << SEL_USER | 1u << SEL_SESSION | 1u << SEL_CGROUP | 1u << SEL_UNIT;

	for (size_t i = 0; i < req->n_selectors; i++)
		if (people & 1u << req->selectors[i].kind)
			return true;
	return false;
}

/* Inbound a fence stands only in namespaces that were seen, so that a look comes first. One of people refuses nobody there: its first
 * look tells what was theirs before, and what becomes theirs between the two is taken for that. */
int work_put_up(struct work *w, const struct fence_author *by, json_t **ret, struct refusal *ret_why, char *err)
{
	bool people = means_people(&w->request);
	int r;

	if (!people)
		attend_look(w->attend);
	r = fencing_add(w->fencing, &w->request, by, w->job, ret, ret_why, err);
	if (r == 0 && people && !w->request.dry_run)
		attend_look(w->attend);
	return r;
}

enum status work_fence(void *arg, char *ret_id, struct refusal *ret_why, char *err)
{
	struct work *w = arg;
	const struct fence_author by = { .uid = w->peer->uid, .login_uid = author_login(w->peer), .pid = w->peer->pid };
	_cleanup_(json_decrefp) json_t *fence = NULL;
	int r = work_put_up(w, &by, &fence, ret_why, err);

	if (r < 0)
		return fencing_status(r);
	if (fence)
		snprintf(ret_id, FENCE_ID_LEN, "%s", json_string_value(json_object_get(fence, "fence")));
	return STATUS_OK;
}

void work_begun(const struct work *w)
{
	if (w->fencing && w->request.fence_ms)
		fencing_begun(w->fencing, w->request.id);
}

void work_lift(void *arg, const char *id)
{
	const struct work *w = arg;

	fencing_take_back(w->fencing, id, w->job);
}
