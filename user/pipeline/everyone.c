// SPDX-License-Identifier: LGPL-2.1-or-later
/* everyone.c - whether what was said restricts a request to somebody. All there are may also be said in pieces. */
#include "kernel/cgroup.h"
#include "pipeline/guard.h"

#include <string.h>
#include <sys/socket.h>

/* The first address behind it; false: there is none. */
static bool find_end(const struct prefix *p, uint8_t ret[16])
{
	memcpy(ret, p->addr.b, 16);
	for (unsigned int i = p->len; i-- > 0;) {
		ret[i / 8] ^= 0x80 >> i % 8;
		if (ret[i / 8] & 0x80 >> i % 8)
			return true;
	}
	return false;
}

/* In one piece or in several: up to `known` all are there. */
static bool has_all_of(const struct prefixes *p, uint16_t family)
{
	uint8_t known[16] = { 0 }, end[16];
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < p->n; i++) {
			const struct prefix *one = &p->v[i];

			if (one->addr.family != family || *one->zone || memcmp(one->addr.b, known, 16) > 0)
				continue;
			if (!find_end(one, end))
				return true;
			if (memcmp(end, known, 16) > 0) {
				memcpy(known, end, 16);
				more = true;
			}
		}
	}
	return false;
}

static bool has_all_addresses(const struct prefixes *p)
{
	return has_all_of(p, AF_INET) || has_all_of(p, AF_INET6);
}

static bool has_all_ports(const struct ranges *r)
{
	uint32_t known = 1;
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < r->n; i++)
			if (r->v[i].first <= known && r->v[i].last >= known) {
				known = r->v[i].last + 1;
				more = true;
			}
	}
	return known > UINT16_MAX;
}

/* The root of the tree is everybody, however it is spelled. */
static bool has_root(const struct filter *f)
{
	_free_ char *mount = NULL;

	return f->cgroups.n && cgroup_mount(&mount) == 0 && ids_has(&f->cgroups, cgroup_id(mount, "/"));
}

static bool says_all(const struct request *req)
{
	for (size_t i = 0; i < req->n_selectors; i++)
		if (req->selectors[i].kind == SEL_ALL)
			return true;
	return false;
}

bool guard_means_everyone(const struct filter *f, const struct request *req)
{
	const unsigned int weak = 1u << SEL_PROTO | 1u << SEL_STATE | 1u << SEL_NETNS;
	unsigned int vacuous = 0;

	if (has_all_addresses(&f->clients))
		vacuous |= 1u << SEL_CLIENT;
	if (has_all_addresses(&f->peers))
		vacuous |= 1u << SEL_PEER;
	if (has_all_ports(&f->local_ports))
		vacuous |= 1u << SEL_LOCAL_PORT;
	if (has_all_ports(&f->remote_ports))
		vacuous |= 1u << SEL_REMOTE_PORT;
	if (!f->older_ms)
		vacuous |= 1u << SEL_OLDER_THAN;
	if (has_root(f))
		vacuous |= 1u << SEL_CGROUP;
	if (f->named & ~(vacuous | weak))
		return false;
	return f->named & vacuous || says_all(req) || !filter_names(f, SEL_NETNS);
}
