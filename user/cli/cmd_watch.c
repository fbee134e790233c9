// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_watch.c - `sever watch`: what happens on the host, one line each, as it happens. */
#include "cli/cli.h"
#include "cli/event.h"
#include "cli/reader.h"
#include "cli/remote.h"
#include "cli/remote_encode.h"
#include "cli/signals.h"
#include "pipeline/pipeline.h"
#include "varlink/interface.h"

#include <string.h>

struct watch {
	FILE *out;
	bool json;
	uint8_t width[REPORT_COLUMNS];
};

static enum status show(struct watch *w, const struct reply *reply, char *err)
{
	struct reader r = { .o = reply->parameters };
	const json_t *o = read_object(&r, "event");
	_cleanup_(event_clear) struct event e = { 0 };
	const char *bad = "event";
	int ret = o ? event_decode(o, &e, &bad) : -EBADMSG;

	if (ret == -EBADMSG) {
		fail(0, err, "the answer of severd is not understood: Watch.%s", bad);
		return STATUS_PARTIAL;
	}
	if (ret == 0 && !w->json)
		event_text(w->out, w->width, &e);
	else if (ret == 0 && !event_json(w->out, &e))
		ret = -ENOMEM;
	return ret < 0 ? remote_broken(ret, err) : STATUS_OK;
}

/* Nobody waits for a line that could be written. */
static enum status hear(struct client *c, struct watch *w, char *err)
{
	for (;;) {
		_cleanup_(reply_clear) struct reply reply = { 0 };
		enum status status;
		int r = 0;

		if (!client_ready(c))
			r = fflush(w->out) != 0 ? -EIO : 0;
		if (r == 0)
			r = client_next(c, 0, &reply, err);
		if (r == -EINTR)
			return STATUS_OK;
		if (r == -EIO || r == -ESHUTDOWN) {
			fail(0, err, "the answer could not be written in full");
			return STATUS_PARTIAL;
		}
		if (r < 0)
			return r == -EPIPE ? STATUS_NO_DAEMON : remote_broken(r, err);
		status = *reply.error ? remote_error(&reply, err) : show(w, &reply, err);
		if (status != STATUS_OK)
			return status;
		if (!reply.continues) {
			fail(0, err, "severd ended the stream");
			return STATUS_NO_DAEMON;
		}
	}
}

enum status remote_watch(struct client *c, const struct options *o, FILE *out, char *err)
{
	struct watch w = { .out = out, .json = o->json };
	_cleanup_(json_decrefp) json_t *p = NULL;
	enum status status;
	int r;

	*err = '\0';
	r = encode_watch(&o->request, o->after, &p, err);
	if (r < 0) {
		if (!*err)
			fail(0, err, "cannot ask severd: %s", strerrordesc_np(-r));
		return status_of_errno(r);
	}
	client_stop_on(c, o->request.stop);
	client_stop_on_hangup(c, fileno(out));
	r = client_call(c, IO_SEVER ".Watch", p, CALL_MORE, REMOTE_PATIENCE_MS, err);
	status = r == -EINTR ? STATUS_OK : r < 0 ? remote_broken(r, err) : hear(c, &w, err);
	if (status == STATUS_OK)
		*err = '\0';
	return status;
}

enum status cmd_watch(const struct command *v, struct options *o, char *err)
{
	_cleanup_(client_closep) struct client *c = NULL;
	enum status status;

	o->request.verb = v->request;
	o->resident = v->name;
	status = remote_open(o, &c, err);
	if (status != STATUS_OK)
		return status;
	o->request.stop = signals_catch(false);
	return remote_watch(c, o, stdout, err);
}
