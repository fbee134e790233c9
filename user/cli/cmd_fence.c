// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_fence.c - `sever fence add`, `list` and `lift`. */
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/remote_fence.h"

enum status cmd_fence(const struct command *v, struct options *o, char *err)
{
	_cleanup_(client_closep) struct client *severd = NULL;
	enum status status;

	if (v->on == ON_FENCE_ADD && o->all && !o->request.yes) {
		fail(0, err, "--all keeps everyone out; confirm it with --yes. No fence went up");
		return STATUS_GUARD;
	}
	o->request.verb = v->request;
	o->resident = "fences";
	status = remote_open(o, &severd, err);
	if (status != STATUS_OK)
		return status;
	if (v->on == ON_FENCE_ADD)
		return remote_fence_add(severd, o, stdout, stderr, err);
	if (v->on == ON_FENCE_LIST)
		return remote_fence_list(severd, o, stdout, stderr, err);
	return remote_fence_lift(severd, o, stdout, stderr, err);
}
