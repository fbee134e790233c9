// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/work_fence.h"
#include "daemon/author.h"
#include "daemon/fencing.h"

enum status work_fence(void *arg, char *ret_id, enum guard *ret_guard, char *err)
{
	const struct work *w = arg;
	const struct fence_author by = { .uid = w->peer->uid, .login_uid = author_login(w->peer), .pid = w->peer->pid };
	_cleanup_(json_decrefp) json_t *fence = NULL;
	int r = fencing_add(w->fencing, &w->request, &by, w->job, &fence, ret_guard, err);

	if (r < 0)
		return fencing_status(r);
	snprintf(ret_id, FENCE_ID_LEN, "%s", json_string_value(json_object_get(fence, "fence")));
	return STATUS_OK;
}

/* Where the disk is full it cannot be forgotten, and says so itself. */
void work_lift(void *arg, const char *id)
{
	_cleanup_(json_decrefp) json_t *lifted = NULL;
	const struct work *w = arg;
	char err[ERR_LEN];

	fencing_lift(w->fencing, id, &w->request, w->job, &lifted, err);
}
