// SPDX-License-Identifier: LGPL-2.1-or-later
/* remote.c - whom to ask, and why there is no answer or not the one that was hoped for. */
#include "cli/remote.h"
#include "pipeline/pipeline.h"
#include "varlink/interface.h"

#include <string.h>

/* As include/sever/io.sever.varlink has them. */
static const struct {
	const char *name;
	enum status status;
} errors[] = {
	{ IO_SEVER ".NotFound", STATUS_NO_MATCH },
	{ IO_SEVER ".InvalidParameter", STATUS_USAGE },
	{ IO_SEVER ".TooLarge", STATUS_USAGE },
	{ IO_SEVER ".Partial", STATUS_PARTIAL },
	{ IO_SEVER ".NoMemory", STATUS_PARTIAL },
	{ IO_SEVER ".Failed", STATUS_PARTIAL },
	{ IO_SEVER ".Malformed", STATUS_PARTIAL },
	{ IO_SEVER ".PermissionDenied", STATUS_DENIED },
	{ IO_SEVER ".KernelCannot", STATUS_KERNEL },
	{ IO_SEVER ".Guard", STATUS_GUARD },
	{ IO_SEVER ".Busy", STATUS_NO_DAEMON },
};

static const char *text_of(const struct reply *reply, const char *key)
{
	const char *text = json_string_value(json_object_get(reply->parameters, key));

	return text ? text : "";
}

static enum status of_varlink(const struct reply *reply, const char *name, char *err)
{
	const char *method = text_of(reply, "method");

	if (!strcmp(name, "InvalidParameter")) {
		fail(0, err, "severd refuses %s: it may be of another version", text_of(reply, "parameter"));
		return STATUS_USAGE;
	}
	if (!strcmp(name, "PermissionDenied")) {
		fail(0, err, "severd refuses: permission denied");
		return STATUS_DENIED;
	}
	fail(0, err, "the daemon that answers has no %s: %s", *method ? method : IO_SEVER, name);
	return STATUS_NO_DAEMON;
}

enum status remote_error(const struct reply *reply, char *err)
{
	const size_t prefix = strlen(ORG_VARLINK_SERVICE ".");

	for (size_t i = 0; i < array_size(errors); i++) {
		if (strcmp(errors[i].name, reply->error) != 0)
			continue;
		fail(0, err, "%s", text_of(reply, "message"));
		if (!*err && strcmp(reply->error, IO_SEVER ".Partial") != 0)
			fail(0, err, "severd says %s", reply->error);
		return errors[i].status;
	}
	if (!strncmp(reply->error, ORG_VARLINK_SERVICE ".", prefix))
		return of_varlink(reply, reply->error + prefix, err);
	fail(0, err, "severd says %s", reply->error);
	return STATUS_PARTIAL;
}

enum status remote_broken(int r, char *err)
{
	if (!*err)
		fail(0, err, "cannot talk to severd: %s", strerrordesc_np(-r));
	return r == -EMSGSIZE ? STATUS_USAGE : STATUS_PARTIAL;
}

static const char *safe(const struct request *req)
{
	return req->verb == VERB_LIST ? "" : "; nothing was touched";
}

void remote_instead(const struct request *req, const char *resident, char *err)
{
	size_t used = strlen(err);

	snprintf(err + used, ERR_LEN - used, "%s%s", safe(req), resident ? "" : " (--direct does the work here)");
}

/* "--fence needs", "fences need" */
static const char *needs(const char *what)
{
	return what[strlen(what) - 1] == 's' ? "need" : "needs";
}

/* What was asked of severd is done although nobody waits for it any more. So one who may never answer is first asked
 * for nothing. */
int remote_greet(struct client *c, unsigned int timeout_ms, char *err)
{
	_cleanup_(reply_clear) struct reply reply = { 0 };
	int r = client_call(c, ORG_VARLINK_SERVICE ".GetInfo", NULL, 0, timeout_ms, err);

	if (r == 0)
		r = client_next(c, timeout_ms, &reply, err);
	if (r < 0 || !*reply.error)
		return r;
	remote_error(&reply, err);
	return -EBUSY;
}

static int open_and_greet(const char *path, struct client **ret, char *err)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) / 1000000 + REMOTE_OPEN_MS, now;
	_cleanup_(client_closep) struct client *c = NULL;
	char why[ERR_LEN] = "";
	int r = client_open(path, REMOTE_OPEN_MS, &c, err);

	if (r < 0)
		return r;
	now = clock_ns(CLOCK_MONOTONIC) / 1000000;
	r = remote_greet(c, now < until ? until - now : 1, why);
	if (r < 0)
		return fail(-EBUSY, err, "%s: %.1000s", path, why);
	*ret = take_ptr(&c);
	return 0;
}

static enum status not_there(const struct options *o, char *err)
{
	const char *rest = safe(&o->request);

	*err = '\0';
	if (!o->socket && !o->resident)
		return STATUS_OK;
	if (o->direct)
		fail(0, err, "%s %s severd, which --direct does not ask%s", o->resident, needs(o->resident), rest);
	else if (o->socket)
		fail(0, err, "--socket %s: no severd answers there%s", o->socket, rest);
	else
		fail(0, err, "%s %s severd, which is not running%s", o->resident, needs(o->resident), rest);
	return STATUS_NO_DAEMON;
}

enum status remote_open(const struct options *o, struct client **ret, char *err)
{
	const char *path = o->socket ? o->socket : IO_SEVER_SOCKET;
	int r = o->direct ? -ENOENT : open_and_greet(path, ret, err);

	if (r == 0)
		return STATUS_OK;
	*ret = NULL;
	if (r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED)
		return not_there(o, err);
	if (r == -EINVAL)
		return STATUS_USAGE;
	if (r == -ETIMEDOUT)
		fail(0, err, "%s: severd lets nobody in", path);
	remote_instead(&o->request, o->resident, err);
	return r == -EACCES || r == -EPERM ? STATUS_DENIED : STATUS_NO_DAEMON;
}
