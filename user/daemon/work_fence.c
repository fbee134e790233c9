// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/work_fence.h"
#include "daemon/attend.h"
#include "daemon/author.h"
#include "daemon/fencing.h"

/* A look comes first: inbound it stands only in namespaces that were seen; and who has logged in before a fence of people goes up
 * was there before it, who does after it was not. */
int work_put_up(struct work *w, const struct fence_author *by, json_t **ret, struct refusal *ret_why, char *err)
{
	attend_look(w->attend);
	return fencing_add(w->fencing, &w->request, by, w->job, ret, ret_why, err);
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
