// SPDX-License-Identifier: LGPL-2.1-or-later
/* serve_request.c - GetRequest and Doctor. */
#include "daemon/record.h"
#include "daemon/severd.h"
#include "kernel/probe.h"
#include "report/jsonl.h"

#include <string.h>

int serve_get_request(struct call *c, void *arg)
{
	const char *id = json_string_value(json_object_get(call_parameters(c), "request"));
	_cleanup_(recorded_clear) struct recorded known = { 0 };
	_cleanup_(json_decrefp) json_t *p = NULL;
	const struct severd *d = arg;
	int r = record_find(d->record, id, &known);

	if (r == 0 && known.uid != call_peer(c)->uid && !severd_may_all(d, c))
		r = -ENOENT;
	if (r == -ENOENT) {
		p = json_pack("{ss ss}", "what", "request", "message", "no such request, or not any more");
		return p ? call_error(c, "io.sever.NotFound", p) : -ENOMEM;
	}
	if (r < 0)
		return r;
	p = json_pack("{s{ss ss ss so so sI so sI so so*}}", "request", "request", known.id, "state",
		      known.done ? "done" : "accepted", "verb", recorded_verb[known.verb], "accepted",
		      time_to_json(known.accepted_us), "done", known.done ? time_to_json(known.done_us) : json_null(), "uid", (json_int_t)known.uid,
		      "login_uid", known.login_uid == ID_UNSET ? json_null() : json_integer(known.login_uid), "pid",
		      (json_int_t)known.pid, "status", known.done ? json_integer(known.status) : json_null(), "summary",
		      json_incref(known.summary));
	return p ? call_reply(c, p, false) : -ENOMEM;
}

static json_t *describe(const struct probe *p)
{
	const char *name = p->result ? strerrorname_np(-p->result) : NULL;

	return json_pack("{ss ss sb sb sb ss? ss?}", "probe", p->name, "what", p->what, "needed", p->needed, "used", p->used,
			 "works", p->result == 0, "errno", name, "detail", p->detail[0] ? p->detail : NULL);
}

/* It takes some fifty milliseconds, during which nobody else is served: not for everybody. */
int serve_doctor(struct call *c, void *arg)
{
	_cleanup_(json_decrefp) json_t *p = NULL, *all = json_array();
	_free_ struct probe *probe = NULL;
	struct verdict v;
	size_t n = 0;
	int r;

	if (!severd_may_all(arg, c))
		return call_fail(c, -EPERM, "only root and the group sever may ask for that; sever doctor asks nobody");
	r = all ? probe_all(&probe, &n) : -ENOMEM;
	if (r < 0)
		return r;
	v = probe_judge(probe, n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, describe(&probe[i]));
	p = json_pack("{sb sb sO}", "able", !v.needed_refused, "permission", v.permission, "probes", all);
	return p ? call_reply(c, p, false) : -ENOMEM;
}
