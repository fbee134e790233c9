// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/call.h"
#include "daemon/service.h"
#include "daemon/transport.h"
#include "varlink/interface.h"

#include <string.h>

struct call {
	unsigned int refs;
	struct service *service;
	struct transport *transport; /* NULL: oneway, gone, or answered */
	struct peer *peer;
	char *method;
	json_t *parameters;
	const struct call_watcher *watcher;
	void *arg;
	bool more, oneway, gone, answered;
	bool waits; /* for room */
};

int call_new(struct service *s, struct transport *t, const char *method, json_t *parameters, bool more, bool oneway,
	     struct call **ret)
{
	struct call *c = calloc(1, sizeof(*c));
	char *name = strdup(method);

	if (!c || !name) {
		free(c);
		free(name);
		return -ENOMEM;
	}
	*c = (struct call){ .refs = 1, .service = s, .method = name, .more = more, .oneway = oneway };
	c->peer = peer_ref(t->peer);
	c->parameters = json_incref(parameters);
	if (oneway) {
		s->n_oneway++;
	} else {
		c->transport = t;
		t->may_lag = false;
		t->call = call_ref(c);
	}
	*ret = c;
	return 0;
}

struct call *call_ref(struct call *c)
{
	c->refs++;
	return c;
}

/* The transport may take the next one. */
static void detach(struct call *c)
{
	struct transport *t = c->transport;

	c->transport = NULL;
	c->watcher = NULL;
	if (!t)
		return;
	t->call = NULL;
	t->idle(t);
	call_unref(c);
}

/* A transport holds a reference, so that what gets here is answered, gone or oneway: nobody is left waiting. */
void call_unref(struct call *c)
{
	c->refs--;
	if (c->refs == 1 && c->transport && !c->answered) {
		if (call_fail(c, -EPROTO, "the method did not answer") < 0)
			c->transport->send(c->transport, NULL, true);
		return;
	}
	if (c->refs)
		return;
	if (c->oneway)
		c->service->n_oneway--;
	json_decref(c->parameters);
	peer_unref(c->peer);
	free(c->method);
	free(c);
}

void call_watch(struct call *c, const struct call_watcher *w, void *arg)
{
	c->watcher = w;
	c->arg = arg;
}

const struct peer *call_peer(const struct call *c)
{
	return c->peer;
}

const char *call_method(const struct call *c)
{
	return c->method;
}

json_t *call_parameters(const struct call *c)
{
	return c->parameters;
}

bool call_wants_more(const struct call *c)
{
	return c->more;
}

bool call_is_oneway(const struct call *c)
{
	return c->oneway;
}

bool call_is_gone(const struct call *c)
{
	return c->gone;
}

bool call_has_room(const struct call *c)
{
	return !c->transport || c->transport->has_room(c->transport);
}

static int send_reply(struct call *c, const json_t *parameters, bool continues)
{
	_cleanup_(json_decrefp) json_t *message = json_object();
	/* json_object_set() counts a reference and changes nothing else. */
	int r = parameters ? json_object_set(message, "parameters", (json_t *)parameters) :
			     json_object_set_new(message, "parameters", json_object());

	if (r == 0 && continues)
		r = json_object_set_new(message, "continues", json_true());
	return r < 0 ? -ENOMEM : c->transport->send(c->transport, message, !continues);
}

/* What may be said now: 0 or negative errno. */
static int may_reply(const struct call *c, bool continues)
{
	if (c->answered || (continues && !c->more))
		return -EINVAL;
	return !c->oneway && !c->transport ? -ENOTCONN : 0;
}

/* It has been said, or could not be. */
static int replied(struct call *c, int r, bool continues)
{
	c->waits |= r == -EAGAIN;
	if (r < 0 || continues)
		return r;
	c->answered = true;
	detach(c);
	return 0;
}

int call_reply(struct call *c, const json_t *parameters, bool continues)
{
	int r = may_reply(c, continues);

	if (r < 0)
		return r;
	return replied(c, c->oneway ? 0 : send_reply(c, parameters, continues), continues);
}

void call_may_lag(struct call *c)
{
	if (c->transport)
		c->transport->may_lag = true;
}

int call_reply_spelled(struct call *c, const char *message, size_t len, bool continues)
{
	int r = may_reply(c, continues);

	if (r < 0)
		return r;
	return replied(c, c->oneway ? 0 : c->transport->send_spelled(c->transport, message, len, !continues), continues);
}

int call_error(struct call *c, const char *name, const json_t *parameters)
{
	_cleanup_(json_decrefp) json_t *message = json_object();
	int r = 0;

	if (c->answered)
		return -EINVAL;
	if (!c->oneway && !c->transport)
		return -ENOTCONN;
	if (!c->oneway) {
		if (json_object_set_new(message, "error", json_string(name)) < 0 ||
		    (parameters && json_object_set(message, "parameters", (json_t *)parameters) < 0))
			return -ENOMEM;
		r = c->transport->send(c->transport, message, true);
	}
	if (r < 0)
		return r;
	c->answered = true;
	detach(c);
	return 0;
}

int call_fail(struct call *c, int r, const char *sentence)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ -ENOMEM, "NoMemory" },	 { -EPERM, "PermissionDenied" }, { -EACCES, "PermissionDenied" },
		{ -ENOENT, "NotFound" },	 { -ESRCH, "NotFound" },	 { -EBUSY, "Busy" },
		{ -EALREADY, "Busy" },		 { -EAGAIN, "Busy" },		 { -EOPNOTSUPP, "KernelCannot" },
		{ -ENOSYS, "KernelCannot" },
	};
	_cleanup_(json_decrefp) json_t *p = NULL;
	const char *name = "Failed";
	char full[64];

	for (size_t i = 0; i < array_size(names); i++)
		if (names[i].err == r)
			name = names[i].name;
	snprintf(full, sizeof(full), IO_SEVER ".%s", name);
	if (!sentence && !strcmp(name, "Busy"))
		sentence = "severd is doing as much as it may at once, or as much for one user: try again";
	p = json_pack("{ss}", "message", sentence ? sentence : strerrordesc_np(-r));
	if (p && !strcmp(name, "NotFound"))
		json_object_set_new(p, "what", json_string("match"));
	return call_error(c, full, p);
}

void call_run(struct call *c, int (*hook)(struct call *c, void *arg), void *arg)
{
	int r = hook(c, arg);

	if (r < 0 && !c->answered && !c->gone)
		call_fail(c, r, NULL);
	json_decref(c->parameters); /* what waits must not hold a message of a mebibyte */
	c->parameters = NULL;
}

void transport_room(struct transport *t)
{
	struct call *c = t->call;

	if (!c)
		return;
	call_ref(c);
	if (c->waits) {
		c->waits = false;
		if (c->watcher && c->watcher->room)
			c->watcher->room(c, c->arg);
	}
	call_unref(c);
}

void transport_gone(struct transport *t)
{
	struct call *c = t->call;
	const struct call_watcher *w;

	if (!c)
		return;
	w = c->watcher;
	t->call = NULL;
	c->transport = NULL;
	c->watcher = NULL;
	c->gone = true;
	if (w && w->gone)
		w->gone(c, c->arg);
	call_unref(c);
}
