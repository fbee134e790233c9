/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* selector.h - what a user may say about a victim, and the reading of it. Pure text: names are
 * looked up later (pipeline/resolve.c), so a bad word is refused before anything is touched. */
#ifndef SEVER_SELECTOR_H
#define SEVER_SELECTOR_H

#include "model/addr.h"

enum sel {
	SEL_USER,
	SEL_CLIENT,
	SEL_PEER,
	SEL_SESSION,
	SEL_CGROUP,
	SEL_UNIT,
	SEL_PID,
	SEL_LOCAL_PORT,
	SEL_REMOTE_PORT,
	SEL_PROTO,
	SEL_NETNS,
	SEL_FLOW,
	SEL_STATE,
	SEL_OLDER_THAN,
	SEL_ALL,
	SEL_MAX
};

extern const char *const selector_option[]; /* by enum sel, as typed: "--user" */

enum user_form { USER_NAME, USER_UID };
enum session_form { SESSION_LOGIND, SESSION_AUDIT, SESSION_SELF };
enum netns_form { NETNS_NAME, NETNS_PATH, NETNS_INODE, NETNS_SELF };

struct selector {
	enum sel kind;
	const char *text; /* borrowed, as typed */
	union {
		struct {
			enum user_form form;
			uint32_t uid;
		} user;
		struct {
			const char *host; /* a name, borrowed from text; NULL: prefix is set */
			struct prefix prefix;
		} client; /* --client and --peer */
		struct {
			enum session_form form;
			uint32_t audit;
		} session;
		struct {
			enum netns_form form;
			uint32_t inode;
		} netns;
		struct {
			uint64_t cookie;
			uint32_t netns;
		} flow;
		struct {
			uint16_t first, last;
		} ports;
		uint32_t pid;
		uint32_t protos; /* bits 1 << enum proto; "tcp" includes MPTCP */
		uint32_t states; /* bits 1 << enum state */
		uint64_t older_ms;
	};
};

#define TEXT_MAX 1023 /* longest selector or reason, bytes */

/* Reads text for one kind. 0; -EINVAL with a sentence in err that names the option and the bad
 * word. *ret is untouched on failure. text is NULL only for SEL_ALL.
 *
 * - SEL_USER: NAME, DOMAIN\NAME, NAME@REALM (form USER_NAME, resolved later; digits are a name
 *   too), uid:N (0..2^32-2).
 * - SEL_CLIENT, SEL_PEER: prefix_parse(), a leading \\ is dropped; what is not an address must look
 *   like a host name, and one that ends in a number ("127.1") does not.
 * - SEL_SESSION: self, audit:N, anything else is a logind id.
 * - SEL_CGROUP: a path from the root, without "..". SEL_UNIT: what systemd allows as a name.
 * - SEL_NETNS: self, a number (inode), a text with '/' (path), else a name.
 * - SEL_FLOW: hex cookie '@' decimal inode.
 * - SEL_STATE: names of ss(8), '_' or '-', any case; "listen", "close" and "unconn" are refused
 *   with the reason that such sockets are never selected.
 * - SEL_LOCAL_PORT, SEL_REMOTE_PORT: N, N-M (1..65535), or a service name known to
 *   getservbyname(3).
 *
 * Empty text, more than TEXT_MAX bytes and control bytes are refused for every kind. */
int selector_parse(enum sel kind, const char *text, struct selector *ret, char *err);

/* "500ms", "5s", "10m", "2h", "1d" into milliseconds. A unit is required, 0 is allowed with one.
 * 0; -EINVAL, also for what does not fit. */
int duration_parse(const char *text, uint64_t *ret_ms);

#endif
