// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/methods.h"
#include "daemon/service.h"
#include "model/request.h"

#define DAY_MS (24 * 3600 * 1000LL)

static const char *const whats[] = { "sessions", "flows", "users", "clients", NULL };
static const char *const verbs[] = { "kill", "disconnect", NULL };
static const char *const stages[] = { "dead", "released", "ended", "verified", NULL };
static const char *const kinds[] = { "user",  "client",	    "peer",	   "session", "cgroup", "unit",
				     "pid",   "local_port", "remote_port", "proto",   "netns",	"flow",
				     "state", "older_than", "all",	   NULL };

static const struct field of_selector[] = {
	{ "kind", FIELD_ENUM, .words = kinds },
	{ "value", FIELD_TEXT, .optional = true, .most = TEXT_MAX },
	{ NULL },
};

static const struct field of_options[] = {
	{ "dry_run", FIELD_BOOL, .optional = true },
	{ "wait", FIELD_ENUM, .optional = true, .words = stages },
	{ "timeout_ms", FIELD_NUMBER, .optional = true, .least = 1, .most = 366 * DAY_MS },
	{ "drain_ms", FIELD_NUMBER, .optional = true, .most = 366 * DAY_MS },
	{ "fence_ms", FIELD_NUMBER, .optional = true, .most = 366 * DAY_MS },
	{ "max", FIELD_NUMBER, .optional = true, .least = 1, .most = INT64_MAX },
	{ "collateral", FIELD_BOOL, .optional = true },
	{ "include_self", FIELD_BOOL, .optional = true },
	{ "yes", FIELD_BOOL, .optional = true },
	{ "reason", FIELD_TEXT, .optional = true, .most = TEXT_MAX },
	{ "ignore_none", FIELD_BOOL, .optional = true },
	{ NULL },
};

static const struct field of_list[] = {
	{ "what", FIELD_ENUM, .optional = true, .words = whats },
	{ "selectors", FIELD_OBJECT, .array = true, .optional = true, .members = of_selector },
	{ "cursor", FIELD_TEXT, .optional = true, .least = 1, .most = 128 },
	{ "limit", FIELD_NUMBER, .optional = true, .least = 1, .most = 1000 },
	{ NULL },
};

static const struct field of_kill[] = {
	{ "verb", FIELD_ENUM, .words = verbs },
	{ "selectors", FIELD_OBJECT, .array = true, .members = of_selector },
	{ "options", FIELD_OBJECT, .optional = true, .members = of_options },
	{ "request", FIELD_TEXT, .optional = true, .least = REQUEST_ID_LEN - 1, .most = REQUEST_ID_LEN - 1 },
	{ NULL },
};

static const struct field of_watch[] = {
	{ "after", FIELD_NUMBER, .optional = true, .most = INT64_MAX },
	{ "selectors", FIELD_OBJECT, .array = true, .optional = true, .members = of_selector },
	{ NULL },
};

static const struct field of_get_request[] = {
	{ "request", FIELD_TEXT, .least = REQUEST_ID_LEN - 1, .most = REQUEST_ID_LEN - 1 },
	{ NULL },
};

static const struct field of_fence_add[] = {
	{ "selectors", FIELD_OBJECT, .array = true, .members = of_selector },
	{ "for_ms", FIELD_NUMBER, .least = 1, .most = 366 * DAY_MS },
	{ "reason", FIELD_TEXT, .optional = true, .most = TEXT_MAX },
	{ "include_self", FIELD_BOOL, .optional = true },
	{ "yes", FIELD_BOOL, .optional = true },
	{ NULL },
};

static const struct field of_fence_list[] = {
	{ "selectors", FIELD_OBJECT, .array = true, .optional = true, .members = of_selector },
	{ NULL },
};

static const struct field of_fence_lift[] = {
	{ "fence", FIELD_TEXT, .optional = true, .least = 1, .most = 24 },
	{ "selectors", FIELD_OBJECT, .array = true, .optional = true, .members = of_selector },
	{ NULL },
};

static const struct field of_nothing[] = { { NULL } };

#define HOOK(member) offsetof(struct io_sever, member)

const struct method methods[] = {
	{ "List", of_list, HOOK(list) },
	{ "Kill", of_kill, HOOK(kill) },
	{ "Watch", of_watch, HOOK(watch), .needs_more = true },
	{ "GetRequest", of_get_request, HOOK(get_request) },
	{ "Doctor", of_nothing, HOOK(doctor) },
	{ "FenceAdd", of_fence_add, HOOK(fence_add) },
	{ "FenceList", of_fence_list, HOOK(fence_list) },
	{ "FenceLift", of_fence_lift, HOOK(fence_lift) },
};
const size_t n_methods = array_size(methods);
