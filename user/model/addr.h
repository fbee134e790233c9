/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* addr.h - internet addresses and prefixes. A v4-mapped IPv6 address is its IPv4 address,
 * everywhere, from the moment it is read. */
#ifndef SEVER_ADDR_H
#define SEVER_ADDR_H

#include "model/base.h"

#include <net/if.h>

struct addr {
	uint32_t scope;	 /* interface index of a link-local address, else 0 */
	uint16_t family; /* AF_INET, AF_INET6; 0: none */
	uint8_t b[16];	 /* network order; IPv4 uses the first four */
};

struct prefix {
	struct addr addr;
	uint8_t len;		/* bits */
	char zone[IF_NAMESIZE]; /* name or number after '%', "" none; a name means what it means in
				 * the flow's own namespace */
};

#define ADDR_STRLEN 64 /* INET6_ADDRSTRLEN, a zone and the NUL */

/* Reads 4 (AF_INET) or 16 bytes and canonicalises v4-mapped. */
struct addr addr_from_bytes(uint16_t family, const void *bytes);
bool addr_is_unset(const struct addr *a);
bool addr_is_linklocal(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b); /* scope included */
/* Writes "192.0.2.1", "2001:db8::1" or "fe80::1%3"; "*" for none. Returns buf. */
const char *addr_format(const struct addr *a, char buf[ADDR_STRLEN]);

/* Reads "ADDR", "[ADDR]", "ADDR%ZONE" or "ADDR/LEN". 0; -EINVAL not an address at all
 * (so it may be a host name); -ERANGE an address with a wrong length, host bits set or a bad zone
 * (err says which). A v4-mapped prefix becomes its IPv4 prefix. */
int prefix_parse(const char *text, struct prefix *ret, char *err);
/* zone_index: what the prefix's zone is in the flow's namespace, 0 unknown there. */
bool prefix_match(const struct prefix *p, uint32_t zone_index, const struct addr *a);

#endif
