// SPDX-License-Identifier: LGPL-2.1-or-later
/* service.c - what is no call is told so and ends the connection, for what follows it cannot be trusted; what is a
 * call, but a wrong one, gets its error and the next one is as welcome as before. */
#include "daemon/service.h"
#include "daemon/methods.h"
#include "varlink/frame.h"
#include "varlink/interface.h"

#include <string.h>

#define NAME_SHOWN 128 /* bytes of a name that a caller made up and gets back */

/* A message that has the form of a call. Borrowed from the message. */
struct wanted {
	const char *method;
	json_t *parameters; /* NULL: none */
	bool more, oneway, upgrade;
};

static const struct {
	const char *name, *text;
} interfaces[] = {
	{ ORG_VARLINK_SERVICE, interface_org_varlink_service },
	{ IO_SEVER, interface_io_sever },
};

static int service_error(struct transport *t, const char *name, const char *key, json_t *value)
{
	_cleanup_(json_decrefp) json_t *message = json_pack("{sss{so}}", "error", name, "parameters", key, value);

	return message ? t->send(t, message, true) : -ENOMEM;
}

static int malformed(struct service *s, struct transport *t, const char *why)
{
	s->n_bad++;
	service_error(t, IO_SEVER ".Malformed", "message", json_string(why));
	return -EBADMSG;
}

int service_too_large(struct service *s, struct transport *t)
{
	s->n_bad++;
	service_error(t, IO_SEVER ".TooLarge", "limit", json_integer(MESSAGE_MAX));
	return -EMSGSIZE;
}

static int read_flag(const json_t *value, bool *ret)
{
	*ret = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EBADMSG;
}

static int read_member(struct wanted *w, const char *key, json_t *value)
{
	if (!strcmp(key, "method")) {
		w->method = json_string_value(value);
		return w->method ? 0 : -EBADMSG;
	}
	if (!strcmp(key, "parameters")) {
		w->parameters = json_is_null(value) ? NULL : value;
		return json_is_null(value) || json_is_object(value) ? 0 : -EBADMSG;
	}
	if (!strcmp(key, "more"))
		return read_flag(value, &w->more);
	if (!strcmp(key, "oneway"))
		return read_flag(value, &w->oneway);
	if (!strcmp(key, "upgrade"))
		return read_flag(value, &w->upgrade);
	return -EBADMSG;
}

static int read_call(json_t *message, struct wanted *ret, char *err)
{
	struct wanted w = { 0 };
	char shown[NAME_SHOWN];
	const char *key;
	json_t *value;

	json_object_foreach(message, key, value)
	{
		shorten(shown, sizeof(shown), key);
		if (read_member(&w, key, value) < 0)
			return fail(-EBADMSG, err, "%s: no member of a call, or of another type", shown);
	}
	if (!w.method)
		return fail(-EBADMSG, err, "a call without a method");
	if (w.oneway && (w.more || w.upgrade))
		return fail(-EBADMSG, err, "oneway does not go with more or upgrade");
	*ret = w;
	return 0;
}

/* org.varlink.service.NAME {key: value}, of what the caller said. */
static int refuse(struct call *c, const char *name, const char *key, const char *value)
{
	_cleanup_(json_decrefp) json_t *p = NULL;
	char full[64], shown[NAME_SHOWN];

	shorten(shown, sizeof(shown), value);
	snprintf(full, sizeof(full), ORG_VARLINK_SERVICE ".%s", name);
	p = json_pack("{ss}", key, shown);
	return p ? call_error(c, full, p) : -ENOMEM;
}

static int get_info(struct call *c)
{
	_cleanup_(json_decrefp) json_t *p =
		json_pack("{ss ss ss ss s[ss]}", "vendor", "sever", "product", "severd", "version", SEVER_VERSION,
			  "url", "", "interfaces", interfaces[0].name, interfaces[1].name);

	return p ? call_reply(c, p, false) : -ENOMEM;
}

static int get_interface_description(struct call *c)
{
	const char *name = json_string_value(json_object_get(call_parameters(c), "interface"));

	for (size_t i = 0; i < array_size(interfaces); i++) {
		_cleanup_(json_decrefp) json_t *p = NULL;

		if (strcmp(name, interfaces[i].name) != 0)
			continue;
		p = json_pack("{ss}", "description", interfaces[i].text);
		return p ? call_reply(c, p, false) : -ENOMEM;
	}
	return refuse(c, "InterfaceNotFound", "interface", name);
}

static int answer_org_varlink_service(struct call *c, const char *method)
{
	static const struct field interface[] = { { "interface", FIELD_TEXT }, { NULL } }, nothing[] = { { NULL } };
	bool info = !strcmp(method, "GetInfo");
	char bad[PARAM_LEN];

	if (!info && strcmp(method, "GetInterfaceDescription") != 0)
		return refuse(c, "MethodNotFound", "method", call_method(c));
	if (params_check(info ? nothing : interface, call_parameters(c), bad) < 0)
		return refuse(c, "InvalidParameter", "parameter", bad);
	return info ? get_info(c) : get_interface_description(c);
}

static int answer_io_sever(struct service *s, struct call *c, const char *name)
{
	const struct method *m = NULL;
	char bad[PARAM_LEN];
	method_hook hook;

	for (size_t i = 0; i < n_methods && !m; i++)
		if (!strcmp(name, methods[i].name))
			m = &methods[i];
	if (!m)
		return refuse(c, "MethodNotFound", "method", call_method(c));
	if (!call_wants_more(c) && m->needs_more)
		return call_error(c, ORG_VARLINK_SERVICE ".ExpectedMore", NULL);
	if (params_check(m->parameters, call_parameters(c), bad) < 0)
		return refuse(c, "InvalidParameter", "parameter", bad);
	memcpy(&hook, (const char *)s->io + m->hook, sizeof(hook));
	return hook ? hook(c, s->arg) : refuse(c, "MethodNotImplemented", "method", call_method(c));
}

/* "io.sever.Kill": the interface is what stands before the last dot. */
static int answer(struct call *c, void *arg)
{
	const char *method = call_method(c), *dot = strrchr(method, '.');
	char interface[NAME_SHOWN];

	if (!dot)
		return refuse(c, "InterfaceNotFound", "interface", method);
	if ((size_t)(dot - method) < sizeof(interface)) {
		snprintf(interface, sizeof(interface), "%.*s", (int)(dot - method), method);
		if (!strcmp(interface, IO_SEVER))
			return answer_io_sever(arg, c, dot + 1);
		if (!strcmp(interface, ORG_VARLINK_SERVICE))
			return answer_org_varlink_service(c, dot + 1);
	}
	shorten(interface, sizeof(interface), method);
	if ((size_t)(dot - method) < sizeof(interface))
		interface[dot - method] = '\0';
	return refuse(c, "InterfaceNotFound", "interface", interface);
}

/* A protocol of one's own after the answer: no method has that. */
static int refuse_upgrade(struct call *c, void *arg)
{
	(void)arg;
	return refuse(c, "InvalidParameter", "parameter", "upgrade");
}

static int make_call(struct service *s, struct transport *t, const struct wanted *w)
{
	_cleanup_(json_decrefp) json_t *parameters = w->parameters ? json_incref(w->parameters) : json_object();
	_cleanup_(call_unrefp) struct call *c = NULL;
	int r;

	if (w->oneway && s->n_oneway >= ONEWAY_MAX)
		return 0;
	r = parameters ? call_new(s, t, w->method, parameters, w->more, w->oneway, &c) : -ENOMEM;
	if (r < 0)
		return r;
	s->n_calls++;
	call_run(c, w->upgrade ? refuse_upgrade : answer, s);
	return 0;
}

int service_handle(struct service *s, struct transport *t, const char *text, size_t len)
{
	_cleanup_(json_decrefp) json_t *message = NULL;
	struct wanted w = { 0 };
	char err[ERR_LEN] = "";
	int r = message_parse(text, len, &message, err);

	if (r == 0)
		r = read_call(message, &w, err);
	if (r == -EBADMSG)
		return malformed(s, t, err);
	return r < 0 ? r : make_call(s, t, &w);
}
