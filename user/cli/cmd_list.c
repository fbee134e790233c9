// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_list.c - `sever list`, and what every request needs. */
#include "cli/cli.h"
#include "cli/remote.h"
#include "pipeline/pipeline.h"
#include "pipeline/request_id.h"

enum status request_prepare(const struct command *v, struct options *o, struct report *ret, char *err)
{
	if (request_id_make(o->request.id) < 0) {
		fail(0, err, "the kernel gives no random numbers to name the request with");
		return STATUS_KERNEL;
	}
	o->request.verb = v->request;
	*ret = (struct report){
		.ops = o->json ? &report_json : &report_text,
		.out = stdout,
		.err = stderr,
		.tty = isatty(STDERR_FILENO),
		.quiet = o->quiet,
	};
	return STATUS_OK;
}

enum status cmd_list(const struct command *v, struct options *o, char *err)
{
	_cleanup_(client_closep) struct client *severd = NULL;
	struct report report;
	enum status status = request_prepare(v, o, &report, err);

	if (status == STATUS_OK)
		status = remote_open(o, &severd, err);
	if (status != STATUS_OK)
		return status;
	return severd ? remote_list(severd, &o->request, &report, err) : list(&o->request, &access_direct, &report, err);
}
