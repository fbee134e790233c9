// SPDX-License-Identifier: LGPL-2.1-or-later
/* clients.c - host names to addresses, through NSS. */
#include "names/clients.h"

#include "model/word.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

/* A link-local address means a host only on one device, and NSS says which. */
static int to_prefix(const struct sockaddr *sa, struct prefix *ret)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;
	struct prefix p = {};

	if (sa->sa_family == AF_INET)
		p.addr = addr_from_bytes(AF_INET, &in->sin_addr);
	else if (sa->sa_family == AF_INET6)
		p.addr = addr_from_bytes(AF_INET6, &in6->sin6_addr);
	if (addr_is_unset(&p.addr))
		return -EINVAL;
	p.len = p.addr.family == AF_INET ? 32 : 128;
	if (addr_is_linklocal(&p.addr) && in6->sin6_scope_id && !if_indextoname(in6->sin6_scope_id, p.zone))
		snprintf(p.zone, sizeof(p.zone), "%u", in6->sin6_scope_id);
	*ret = p;
	return 0;
}

static bool contains(const struct prefix *v, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&v[i].addr, &p->addr) && !strcmp(v[i].zone, p->zone))
			return true;
	return false;
}

static int explain(int r, const char *host, char *err)
{
	const char *why = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	char shown[WORD_SHOWN];

	if (r == EAI_MEMORY)
		return -ENOMEM;
	if (r == EAI_NONAME || r == EAI_NODATA || r == EAI_ADDRFAMILY)
		return fail(-ESRCH, err, "no such host: %s", word_show(host, shown));
	return fail(-EAGAIN, err, "cannot look up host %s: %s", word_show(host, shown), why);
}

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

/* No AI_ADDRCONFIG: flows of a family outlive the last address of that family on this host, and
 * other network namespaces have their own. One socket type, because each would repeat every
 * address. */
int client_resolve(const char *host, struct prefix **ret, size_t *ret_n, char *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	_cleanup_(freeaddrinfop) struct addrinfo *list = NULL;
	_free_ struct prefix *v = NULL;
	size_t n = 0, cap = 0;
	char shown[WORD_SHOWN];
	struct in_addr in;
	int r;

	if (inet_aton(host, &in) && inet_pton(AF_INET, host, &in) != 1)
		return fail(-ESRCH, err, "not the name of a host: %s", word_show(host, shown));
	r = getaddrinfo(host, NULL, &hints, &list);
	if (r)
		return explain(r, host, err);
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		r = grow(&v, &cap, n + 1, sizeof(*v));
		if (r < 0)
			return r;
		if (to_prefix(ai->ai_addr, v + n) == 0 && !contains(v, n, v + n))
			n++;
	}
	if (!n)
		return fail(-ESRCH, err, "no address leads to host %s", word_show(host, shown));
	*ret = take_ptr(&v);
	*ret_n = n;
	return 0;
}
