// SPDX-License-Identifier: LGPL-2.1-or-later
/* addr.c - internet addresses and prefixes. Only the canonical spellings are read: "127.1" and
 * octal bytes mean different hosts to different programs, and a tool that ends connections must not
 * guess. */
#include "model/addr.h"
#include "model/word.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static size_t addr_size(uint16_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

struct addr addr_from_bytes(uint16_t family, const void *bytes)
{
	const uint8_t *from = bytes;
	struct addr a = {};
	size_t n;

	if (family == AF_INET6 && !memcmp(from, mapped, sizeof(mapped))) {
		from += sizeof(mapped);
		family = AF_INET;
	}
	n = addr_size(family);
	if (!n)
		return a;
	a.family = family;
	memcpy(a.b, from, n);
	return a;
}

bool addr_is_unset(const struct addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->b, zero, addr_size(a->family));
}

bool addr_is_linklocal(const struct addr *a)
{
	if (a->family != AF_INET6)
		return false;
	return (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) || (a->b[0] == 0xff && (a->b[1] & 0x0f) == 2);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->scope == b->scope && !memcmp(a->b, b->b, addr_size(a->family));
}

const char *addr_format(const struct addr *a, char buf[ADDR_STRLEN])
{
	size_t n;

	if (!inet_ntop(a->family, a->b, buf, ADDR_STRLEN)) {
		strcpy(buf, "*");
		return buf;
	}
	n = strlen(buf);
	if (a->scope)
		snprintf(buf + n, ADDR_STRLEN - n, "%%%u", a->scope);
	return buf;
}

/* The text of a prefix cut into its parts, none of them judged. */
struct parts {
	const char *addr, *zone, *len; /* zone and len: NULL where there is none */
	size_t addr_n, zone_n;
	bool bracketed;
};

static int split(const char *text, struct parts *p)
{
	const char *end, *percent;

	p->bracketed = *text == '[';
	text += p->bracketed;
	p->addr = text;
	end = text + strcspn(text, p->bracketed ? "]" : "/");
	if (p->bracketed && !*end)
		return -EINVAL;
	percent = memchr(text, '%', end - text);
	p->addr_n = (percent ? percent : end) - text;
	p->zone = percent ? percent + 1 : NULL;
	p->zone_n = percent ? end - percent - 1 : 0;
	end += p->bracketed;
	p->len = *end == '/' ? end + 1 : NULL;
	return *end && *end != '/' ? -EINVAL : 0;
}

static int read_address(const struct parts *p, struct addr *ret)
{
	char buf[INET6_ADDRSTRLEN];
	struct addr a = {};

	if (p->addr_n >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, p->addr, p->addr_n);
	buf[p->addr_n] = '\0';
	if (inet_pton(AF_INET6, buf, a.b) == 1)
		a.family = AF_INET6;
	else if (!p->bracketed && inet_pton(AF_INET, buf, a.b) == 1)
		a.family = AF_INET;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

/* What the kernel allows as the name of a device; a number must be an index. */
static int read_zone(const struct parts *p, const struct addr *a, char ret[IF_NAMESIZE], char *err)
{
	uint64_t index;

	if (!p->zone)
		return 0;
	if (!addr_is_linklocal(a))
		return fail(-ERANGE, err, "a zone belongs to a link-local address only");
	if (!p->zone_n || p->zone_n >= IF_NAMESIZE)
		return fail(-ERANGE, err, "the zone is not the name or number of a device (1 to %d bytes)",
			    IF_NAMESIZE - 1);
	for (size_t i = 0; i < p->zone_n; i++) {
		unsigned char c = p->zone[i];

		if (c <= ' ' || c == 0x7f || c == '/' || c == ':')
			return fail(-ERANGE, err, "the zone holds a byte that no device name has");
	}
	if (strspn(p->zone, "0123456789") >= p->zone_n &&
	    (word_number(p->zone, p->zone_n, 10, INT_MAX, &index) < 0 || !index))
		return fail(-ERANGE, err, "the zone is not a device number (1 to %d)", INT_MAX);
	memcpy(ret, p->zone, p->zone_n);
	ret[p->zone_n] = '\0';
	return 0;
}

static void mask(struct addr *a, unsigned int len)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int keep = len > 8 * i ? len - 8 * i : 0;

		if (keep < 8)
			a->b[i] &= 0xff00 >> keep;
	}
}

/* Below /96 a v4-mapped prefix would always have host bits set, so none remains after the check for
 * those. */
static void canonicalise(struct prefix *p)
{
	if (p->addr.family != AF_INET6 || p->len < 96)
		return;
	p->addr = addr_from_bytes(AF_INET6, p->addr.b);
	if (p->addr.family == AF_INET)
		p->len -= 96;
}

int prefix_parse(const char *text, struct prefix *ret, char *err)
{
	char buf[ADDR_STRLEN];
	struct prefix p = {}, net;
	struct parts parts;
	uint64_t len;
	int r;

	if (split(text, &parts) < 0 || read_address(&parts, &p.addr) < 0)
		return fail(-EINVAL, err, "not an address");
	r = read_zone(&parts, &p.addr, p.zone, err);
	if (r < 0)
		return r;
	len = 8 * addr_size(p.addr.family);
	if (parts.len && word_number(parts.len, strlen(parts.len), 10, len, &len) < 0)
		return fail(-ERANGE, err, "not a prefix length (0 to %u)", (unsigned int)len);
	p.len = len;
	net = p;
	mask(&net.addr, net.len);
	r = addr_equal(&p.addr, &net.addr) ? 0 : -ERANGE;
	canonicalise(&net);
	if (r < 0)
		return fail(r, err, "bits are set beyond the prefix; its network is %s/%u", addr_format(&net.addr, buf),
			    net.len);
	*ret = net;
	return 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int n)
{
	return !memcmp(a, b, n / 8) && (!(n % 8) || !((a[n / 8] ^ b[n / 8]) >> (8 - n % 8)));
}

bool prefix_match(const struct prefix *p, uint32_t zone_index, const struct addr *a)
{
	if (!a->family || a->family != p->addr.family)
		return false;
	if (*p->zone && (!zone_index || a->scope != zone_index))
		return false;
	return same_bits(a->b, p->addr.b, p->len);
}
