// SPDX-License-Identifier: LGPL-2.1-or-later
/* selector_flow.c - readers of the selectors that say which flow: ports, protocol, namespace,
 * cookie, state, age. */
#include "model/flow.h"
#include "model/selector_read.h"
#include "model/word.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>

#define BIT(n) (1u << (n))

static int read_port(const char *text, size_t len, uint16_t *ret)
{
	uint64_t n;

	if (word_number(text, len, 10, UINT16_MAX, &n) < 0 || !n)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int read_service(const char *text, struct selector *s, char *why)
{
	struct servent *e = getservbyname(text, "tcp");

	if (!e)
		e = getservbyname(text, "udp");
	if (!e || !e->s_port)
		return fail(-EINVAL, why, "not a port (1 to 65535), a range or the name of a service");
	s->ports.first = s->ports.last = ntohs(e->s_port);
	return 0;
}

int read_ports(const char *text, struct selector *s, char *why)
{
	const char *dash = strchr(text, '-');
	size_t n = dash ? (size_t)(dash - text) : strlen(text);

	if (!only(text, DIGITS "-"))
		return read_service(text, s, why);
	if (read_port(text, n, &s->ports.first) < 0)
		return fail(-EINVAL, why, "not a port (1 to 65535)");
	s->ports.last = s->ports.first;
	if (dash && read_port(dash + 1, strlen(dash + 1), &s->ports.last) < 0)
		return fail(-EINVAL, why, "not a range of ports (1 to 65535)");
	if (s->ports.last < s->ports.first)
		return fail(-EINVAL, why, "the range runs backwards");
	return 0;
}

int read_proto(const char *text, struct selector *s, char *why)
{
	if (!strcmp(text, "tcp"))
		s->protos = BIT(PROTO_TCP) | BIT(PROTO_MPTCP);
	else if (!strcmp(text, "udp"))
		s->protos = BIT(PROTO_UDP);
	else if (!strcmp(text, "mptcp"))
		s->protos = BIT(PROTO_MPTCP);
	else
		return fail(-EINVAL, why, "not a protocol (tcp, udp or mptcp)");
	return 0;
}

int read_netns(const char *text, struct selector *s, char *why)
{
	if (!strcmp(text, "self")) {
		s->netns.form = NETNS_SELF;
	} else if (only(text, DIGITS)) {
		s->netns.form = NETNS_INODE;
		if (read_u32(text, 1, UINT32_MAX, &s->netns.inode) < 0)
			return fail(-EINVAL, why, "not the inode of a network namespace (1 to %u)", UINT32_MAX);
	} else if (strchr(text, '/')) {
		s->netns.form = NETNS_PATH;
	} else {
		s->netns.form = NETNS_NAME;
		if (!strcmp(text, ".") || !strcmp(text, "..") || strlen(text) > NAME_MAX)
			return fail(-EINVAL, why, "not the name of a network namespace");
	}
	return 0;
}

/* All bits set is how the kernel spells "any cookie", so it must never come from a user. */
int read_flow(const char *text, struct selector *s, char *why)
{
	size_t n = strcspn(text, "@");

	if (!text[n] || word_number(text, n, 16, UINT64_MAX - 1, &s->flow.cookie) < 0 || !s->flow.cookie ||
	    read_u32(text + n + 1, 1, UINT32_MAX, &s->flow.netns) < 0)
		return fail(-EINVAL, why, "not a flow (cookie in hex @ inode of its netns)");
	return 0;
}

#define NO_LISTENER "listening sockets are never selected"
#define NO_UNCONNECTED "sockets that listen or have no peer are never selected"

static const struct {
	const char *name;
	uint32_t states;
	const char *refusal;
} states[] = {
	{ "established", BIT(STATE_ESTABLISHED) },
	{ "syn-sent", BIT(STATE_SYN_SENT) },
	{ "syn-recv", BIT(STATE_SYN_RECV) | BIT(STATE_NEW_SYN_RECV) },
	{ "fin-wait-1", BIT(STATE_FIN_WAIT1) },
	{ "fin-wait1", BIT(STATE_FIN_WAIT1) },
	{ "fin-wait-2", BIT(STATE_FIN_WAIT2) },
	{ "fin-wait2", BIT(STATE_FIN_WAIT2) },
	{ "time-wait", BIT(STATE_TIME_WAIT) },
	{ "close-wait", BIT(STATE_CLOSE_WAIT) },
	{ "last-ack", BIT(STATE_LAST_ACK) },
	{ "closing", BIT(STATE_CLOSING) },
	{ "listen", 0, NO_LISTENER },
	{ "listening", 0, NO_LISTENER },
	{ "close", 0, NO_UNCONNECTED },
	{ "closed", 0, NO_UNCONNECTED },
	{ "unconn", 0, NO_UNCONNECTED },
	{ "unconnected", 0, NO_UNCONNECTED },
};

static bool same_state(const char *typed, const char *name)
{
	for (; *typed && *name; typed++, name++)
		if ((*typed == '_' ? '-' : tolower((unsigned char)*typed)) != *name)
			return false;
	return !*typed && !*name;
}

int read_state(const char *text, struct selector *s, char *why)
{
	for (size_t i = 0; i < array_size(states); i++) {
		if (!same_state(text, states[i].name))
			continue;
		if (states[i].refusal)
			return fail(-EINVAL, why, "%s", states[i].refusal);
		s->states = states[i].states;
		return 0;
	}
	return fail(-EINVAL, why, "not a state (%s)",
		    "established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, "
		    "close-wait, last-ack or closing");
}

/* A thousand years: what follows may count microseconds without overflow. */
#define DURATION_MAX_MS (1000ull * 365 * 86400 * 1000)

int duration_parse(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	size_t n = strspn(text, DIGITS);
	uint64_t value;

	for (size_t i = 0; i < array_size(units); i++) {
		if (strcmp(text + n, units[i].unit))
			continue;
		if (word_number(text, n, 10, DURATION_MAX_MS / units[i].ms, &value) < 0)
			return -EINVAL;
		*ret_ms = value * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

int read_age(const char *text, struct selector *s, char *why)
{
	if (duration_parse(text, &s->older_ms) < 0)
		return fail(-EINVAL, why, "not a duration (500ms, 5s, 10m, 2h or 1d)");
	return 0;
}
