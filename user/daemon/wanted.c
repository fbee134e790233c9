// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/wanted.h"

#define OF_SESSIONS (1u << SEL_USER | 1u << SEL_SESSION)
#define OF_CARRIERS                                                                                                      \
	(1u << SEL_CLIENT | 1u << SEL_PEER | 1u << SEL_LOCAL_PORT | 1u << SEL_REMOTE_PORT | 1u << SEL_PROTO | 1u << SEL_NETNS)

/* What is said of people is judged by the owner that was known at the time. */
static bool is_flow_wanted(const struct entry *e, const struct filter *f, const struct sittings *s)
{
	const struct sitting *sitting = sittings_find(s, e->session);
	struct flow flow;

	entry_to_flow(e, &flow);
	if (filter_match_socket(f, NULL, &flow) == MATCH_NO)
		return false;
	if (filter_names(f, SEL_USER) && !ids_has(&f->users, e->owner != ID_UNSET ? e->owner : e->uid))
		return false;
	if (filter_names(f, SEL_PID) && !ids_has(&f->pids, e->pid))
		return false;
	if (filter_names(f, SEL_CGROUP) && !ids_has(&f->cgroups, e->cgroup))
		return false;
	if (filter_names(f, SEL_UNIT) && !ids_has(&f->units, e->cgroup))
		return false;
	return !filter_names(f, SEL_SESSION) || (sitting && filter_means_session(f, &sitting->session));
}

/* A session is known by its user, its name, and what carries it or did last. It may be over by now. */
static bool is_session_wanted(const struct logged *e, const struct filter *f)
{
	struct session s = { .audit = e->flow.audit_session };
	struct flow carrier;

	if (f->named & ~(OF_SESSIONS | OF_CARRIERS))
		return false;
	snprintf(s.id, sizeof(s.id), "%s", json_string_value(json_object_get(e->about, "session")) ?: "");
	if (filter_names(f, SEL_USER) && !ids_has(&f->users, e->uid))
		return false;
	if (filter_names(f, SEL_SESSION) && !filter_means_session(f, &s))
		return false;
	entry_to_flow(&e->flow, &carrier);
	return !(f->named & OF_CARRIERS) || (e->flow.family && filter_match_socket(f, NULL, &carrier) == MATCH_YES);
}

bool event_is_wanted(const struct logged *e, const struct filter *f, const struct sittings *s)
{
	if (!f->named)
		return true;
	if (e->flow.cookie)
		return is_flow_wanted(&e->flow, f, s);
	/* A request, or a fence, is known by none of these. */
	return e->event < EVENT_REQUEST_ACCEPT && is_session_wanted(e, f);
}
