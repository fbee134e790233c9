// SPDX-License-Identifier: LGPL-2.1-or-later
/* selector.c - reading what a user said about a victim. One small reader per kind fills the
 * selector or says why not; selector_parse() puts the option and the word, made harmless, in front
 * of that reason. */
#include "model/selector.h"
#include "model/selector_read.h"
#include "model/word.h"

#include <limits.h>
#include <string.h>

#define ALNUM DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

int read_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t n;

	if (word_number(text, strlen(text), 10, max, &n) < 0 || n < min)
		return -EINVAL;
	*ret = n;
	return 0;
}

/* A text of digits is a name: only "uid:" makes a uid of it. */
static int read_user(const char *text, struct selector *s, char *why)
{
	const char *back = strchr(text, '\\'), *at = strrchr(text, '@');

	if (begins(text, "uid:")) {
		s->user.form = USER_UID;
		if (read_u32(text + strlen("uid:"), 0, UINT32_MAX - 1, &s->user.uid) < 0)
			return fail(-EINVAL, why, "not a uid (uid:0 to uid:%u)", UINT32_MAX - 1);
		return 0;
	}
	if (back && (back == text || !back[1] || strchr(back + 1, '\\')))
		return fail(-EINVAL, why, "not a user name (NAME, DOMAIN\\NAME, NAME@REALM or uid:N)");
	if (!back && at && (at == text || !at[1]))
		return fail(-EINVAL, why, "not a user name (NAME, DOMAIN\\NAME, NAME@REALM or uid:N)");
	s->user.form = USER_NAME;
	return 0;
}

/* The resolver reads "127.1" and "0x7f000001" as addresses. No host is called so: the last label of
 * a name that could be in the DNS is never a number. */
static bool ends_in_number(const char *host)
{
	size_t n = strlen(host), start;

	if (n && host[n - 1] == '.')
		n--;
	for (start = n; start && host[start - 1] != '.';)
		start--;
	host += start;
	n -= start;
	if (n >= 2 && host[0] == '0' && (host[1] == 'x' || host[1] == 'X'))
		return strspn(host + 2, DIGITS "abcdefABCDEF") >= n - 2;
	return n && strspn(host, DIGITS) >= n;
}

static bool host_valid(const char *host)
{
	return strlen(host) <= 253 && only(host, ALNUM "-_.") && *host != '.' && *host != '-' && !strstr(host, "..");
}

static int read_host(const char *text, struct selector *s, char *why)
{
	const char *host = begins(text, "\\\\") ? text + 2 : text;
	int r;

	if (!*host)
		return fail(-EINVAL, why, "the name of the host is missing");
	r = prefix_parse(host, &s->client.prefix, why);
	if (r != -EINVAL)
		return r ? -EINVAL : 0;
	if (strpbrk(host, ":/%[]") || ends_in_number(host))
		return fail(-EINVAL, why, "not a valid address");
	if (!host_valid(host))
		return fail(-EINVAL, why, "not an address, a prefix or a host name");
	s->client.host = host;
	return 0;
}

static int read_session(const char *text, struct selector *s, char *why)
{
	s->session.form = SESSION_LOGIND;
	if (!strcmp(text, "self"))
		s->session.form = SESSION_SELF;
	if (!begins(text, "audit:"))
		return 0;
	s->session.form = SESSION_AUDIT;
	if (read_u32(text + strlen("audit:"), 0, UINT32_MAX, &s->session.audit) < 0)
		return fail(-EINVAL, why, "not an audit session (audit:0 to audit:%u)", UINT32_MAX);
	return 0;
}

static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (!p[3] || p[3] == '/')
			return true;
	return false;
}

static int read_cgroup(const char *text, struct selector *s, char *why)
{
	(void)s;
	if (*text != '/' || climbs(text))
		return fail(-EINVAL, why, "not the path of a cgroup (it starts with / and has no ..)");
	return 0;
}

static int read_unit(const char *text, struct selector *s, char *why)
{
	(void)s;
	if (strlen(text) > 255 || !only(text, ALNUM ":-_.\\@") || *text == '.')
		return fail(-EINVAL, why, "not the name of a unit");
	return 0;
}

static int read_pid(const char *text, struct selector *s, char *why)
{
	if (read_u32(text, 1, INT_MAX, &s->pid) < 0)
		return fail(-EINVAL, why, "not a pid (1 to %d)", INT_MAX);
	return 0;
}

const char *const selector_option[] = {
	[SEL_USER] = "--user",	     [SEL_CLIENT] = "--client",		[SEL_PEER] = "--peer",
	[SEL_SESSION] = "--session", [SEL_CGROUP] = "--cgroup",		[SEL_UNIT] = "--unit",
	[SEL_PID] = "--pid",	     [SEL_LOCAL_PORT] = "--local-port", [SEL_REMOTE_PORT] = "--remote-port",
	[SEL_PROTO] = "--proto",     [SEL_NETNS] = "--netns",		[SEL_FLOW] = "--flow",
	[SEL_STATE] = "--state",     [SEL_OLDER_THAN] = "--older-than", [SEL_ALL] = "--all",
};
_Static_assert(array_size(selector_option) == SEL_MAX, "spell every selector");

static read_fn *const readers[] = {
	[SEL_USER] = read_user,
	[SEL_CLIENT] = read_host,
	[SEL_PEER] = read_host,
	[SEL_SESSION] = read_session,
	[SEL_CGROUP] = read_cgroup,
	[SEL_UNIT] = read_unit,
	[SEL_PID] = read_pid,
	[SEL_LOCAL_PORT] = read_ports,
	[SEL_REMOTE_PORT] = read_ports,
	[SEL_PROTO] = read_proto,
	[SEL_NETNS] = read_netns,
	[SEL_FLOW] = read_flow,
	[SEL_STATE] = read_state,
	[SEL_OLDER_THAN] = read_age,
};
_Static_assert(array_size(readers) == SEL_ALL, "read every selector but --all");

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

int selector_parse(enum sel kind, const char *text, struct selector *ret, char *err)
{
	struct selector s = { .kind = kind, .text = text };
	char why[ERR_LEN], shown[WORD_SHOWN];
	int r;

	if (kind == SEL_ALL) {
		*ret = s;
		return 0;
	}
	if (!text || !*text)
		return fail(-EINVAL, err, "%s: the value is missing", selector_option[kind]);
	if (strlen(text) > TEXT_MAX)
		r = fail(-EINVAL, why, "longer than %d bytes", TEXT_MAX);
	else if (has_control(text))
		r = fail(-EINVAL, why, "holds control bytes");
	else
		r = readers[kind](text, &s, why);
	if (r < 0)
		return fail(r, err, "%s %s: %s", selector_option[kind], word_show(text, shown), why);
	*ret = s;
	return 0;
}
