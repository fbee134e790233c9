// SPDX-License-Identifier: LGPL-2.1-or-later
/* selector.c - any words at all as selectors, durations and prefixes. The first byte says as which.
 */
#include "model/selector.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line that a terminal can be shown. */
static void check_sentence(const char *err)
{
	assert(*err && strlen(err) < ERR_LEN);
	for (; *err; err++)
		assert(isprint((unsigned char)*err));
}

static bool is_untouched(const void *p, size_t size)
{
	for (const uint8_t *b = p, *end = b + size; b < end; b++)
		if (*b != 0x5a)
			return false;
	return true;
}

static void check_prefix(const struct prefix *p)
{
	char text[ADDR_STRLEN + IF_NAMESIZE + 8], buf[ADDR_STRLEN];
	struct prefix again;

	assert(p->addr.family == AF_INET ? p->len <= 32 : p->addr.family == AF_INET6 && p->len <= 128);
	assert(strlen(p->zone) < sizeof(p->zone) && (!*p->zone || addr_is_linklocal(&p->addr)));
	assert(*p->zone || prefix_match(p, 0, &p->addr));
	snprintf(text, sizeof(text), "%s%s%s/%u", addr_format(&p->addr, buf), *p->zone ? "%" : "", p->zone, p->len);
	if (prefix_parse(text, &again, NULL) != 0)
		abort();
	assert(addr_equal(&p->addr, &again.addr) && p->len == again.len && !strcmp(p->zone, again.zone));
}

static void fuzz_prefix(const char *text)
{
	char err[ERR_LEN] = "";
	struct prefix p;
	int r;

	memset(&p, 0x5a, sizeof(p));
	r = prefix_parse(text, &p, err);
	if (r == 0) {
		check_prefix(&p);
		return;
	}
	assert(r == -EINVAL || r == -ERANGE);
	assert(is_untouched(&p, sizeof(p)));
	check_sentence(err);
}

static void fuzz_duration(const char *text)
{
	uint64_t ms, again;
	char buf[32];

	memset(&ms, 0x5a, sizeof(ms));
	if (duration_parse(text, &ms) < 0) {
		assert(is_untouched(&ms, sizeof(ms)));
		return;
	}
	snprintf(buf, sizeof(buf), "%llums", (unsigned long long)ms);
	assert(duration_parse(buf, &again) == 0 && again == ms);
}

/* What later layers rely on without looking again. */
static void check_selector(const struct selector *s, const char *text)
{
	assert(s->text == text && *text && strlen(text) <= TEXT_MAX);
	for (const char *p = text; *p; p++)
		assert(!iscntrl((unsigned char)*p));
	switch (s->kind) {
	case SEL_USER:
		assert(s->user.form == USER_NAME || s->user.uid != UINT32_MAX);
		break;
	case SEL_CLIENT:
	case SEL_PEER:
		assert(!s->client.host || (*s->client.host && !strchr(s->client.host, '\\')));
		if (!s->client.host)
			check_prefix(&s->client.prefix);
		break;
	case SEL_PID:
		assert(s->pid);
		break;
	case SEL_LOCAL_PORT:
	case SEL_REMOTE_PORT:
		assert(s->ports.first && s->ports.first <= s->ports.last);
		break;
	case SEL_PROTO:
		assert(s->protos);
		break;
	case SEL_FLOW:
		assert(s->flow.cookie && s->flow.cookie != UINT64_MAX && s->flow.netns);
		break;
	case SEL_STATE:
		assert(s->states && !(s->states & (1u << 7 | 1u << 10)));
		break;
	default:
		break;
	}
}

static void fuzz_selector(enum sel kind, const char *text)
{
	char err[ERR_LEN] = "";
	struct selector s;

	memset(&s, 0x5a, sizeof(s));
	if (selector_parse(kind, text, &s, err) == 0) {
		check_selector(&s, text);
		return;
	}
	assert(is_untouched(&s, sizeof(s)));
	check_sentence(err);
	assert(!strncmp(err, selector_option[kind], strlen(selector_option[kind])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int which;
	char *text;

	if (!size)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (!text)
		abort();
	which = *data % (SEL_ALL + 2);
	if (which < SEL_ALL)
		fuzz_selector(which, text);
	else if (which == SEL_ALL)
		fuzz_prefix(text);
	else
		fuzz_duration(text);
	free(text);
	return 0;
}
