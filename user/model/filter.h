/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* filter.h - selectors with every name resolved to what the kernel shows, and the matching. Different
 * kinds are ANDed, repeats of one kind are ORed, a kind that was not named does not restrict. */
#ifndef SEVER_FILTER_H
#define SEVER_FILTER_H

#include "model/attribute.h"
#include "model/selector.h"

struct port_range {
	uint16_t first, last;
};
struct flow_id {
	uint64_t cookie;
	uint32_t netns;
};

/* Growing sets of the one kind of thing each selector resolves to. */
struct ids {
	uint64_t *v;
	size_t n, cap;
};
struct prefixes {
	struct prefix *v;
	size_t n, cap;
};
struct ranges {
	struct port_range *v;
	size_t n, cap;
};
struct flow_ids {
	struct flow_id *v;
	size_t n, cap;
};
struct session_ids {
	struct session_id {
		enum session_form form; /* SESSION_LOGIND or SESSION_AUDIT */
		uint32_t audit;
		char id[SESSION_ID_LEN];
	} *v;
	size_t n, cap;
};

struct filter {
	unsigned int named; /* bits 1 << enum sel of the kinds that restrict */
	struct ids users, cgroups, units, pids, netns;
	struct prefixes clients, peers;
	struct session_ids sessions;
	struct ranges local_ports, remote_ports;
	struct flow_ids flows;
	uint32_t protos, states; /* never 0 */
	uint64_t older_ms;
	bool transport_only; /* disconnect */
	bool traffic;        /* a listing: what each TCP connection has carried is asked for, too */
	bool holders;        /* a listing: so is who holds it, where that decides nothing */
	/* Several filters at once, of which nothing but the people is said: any of them will do, and what came in is nobody's
	 * for the uid of its socket. */
	bool any_people;
};

enum match { MATCH_NO, MATCH_YES, MATCH_UNKNOWN };

/* Everything but TIME_WAIT, listeners and what is closed; connected and unconnected UDP. */
#define STATES_DEFAULT                                                                             \
	(1u << STATE_ESTABLISHED | 1u << STATE_SYN_SENT | 1u << STATE_SYN_RECV | 1u << STATE_FIN_WAIT1 | \
	 1u << STATE_FIN_WAIT2 | 1u << STATE_CLOSE_WAIT | 1u << STATE_LAST_ACK | 1u << STATE_CLOSING |    \
	 1u << STATE_NEW_SYN_RECV | 1u << STATE_CLOSE)

static inline bool filter_names(const struct filter *f, enum sel kind)
{
	return f->named & 1u << kind;
}
/* Whether a user, session, pid, cgroup or unit is named. */
bool filter_names_people(const struct filter *f);
/* Whether the answer depends on who holds a socket: people are named, or only transports are meant. */
bool filter_needs_people(const struct filter *f);
/* What a dump shows: protocol, state, addresses, ports, namespace, handle, direction, age. zones: the interface
 * index of each zone of clients, then of peers, in this namespace (may be NULL: no zones named). */
enum match filter_match_socket(const struct filter *f, const uint32_t *zones, const struct flow *flow);
/* Whether that is as old as is asked for cannot be said, where the answer to the above is not MATCH_NO. */
bool filter_age_unproven(const struct filter *f, const struct flow *flow);
/* Who holds it: user, session, pid, cgroup, transport. flow_attribute() must have run. */
bool filter_match_people(const struct filter *f, const struct people *p, const struct flow *flow);
/* Whether the process is one that makes the flows it holds worth a closer look: it may be the one that is named,
 * or it has a log-in user, which settles whose flow it is not. Only where filter_names_people(). */
bool filter_cares_for(const struct filter *f, const struct people *p, const struct proc *proc);
/* Whether it is one of the sessions that are named. */
bool filter_means_session(const struct filter *f, const struct session *s);
/* Whether the process itself is one of those that are named, in any way. */
bool filter_means_proc(const struct filter *f, const struct people *p, const struct proc *proc);
/* Whether a socket itself, whoever holds it, may satisfy what the filter says of people. */
bool filter_match_socket_owner(const struct filter *f, const struct flow *flow);
/* filter_match_people() as if no user had been named: would the others let it pass. */
bool filter_match_but_user(const struct filter *f, const struct people *p, const struct flow *flow);

/* Whether the id names the session. */
bool session_id_is(const struct session_id *id, const struct session *s);

int ids_add(struct ids *s, uint64_t id);
bool ids_has(const struct ids *s, uint64_t id); /* after ids_sort() */
void ids_sort(struct ids *s);
void filter_clear(struct filter *f);

#endif
