// SPDX-License-Identifier: LGPL-2.1-or-later
/* users.c - user names and uids, through NSS: the local files, LDAP, Active Directory, whatever the
 * host is set up for. A uid is compared, never a name, so case and spelling are the backend's
 * business. */
#include "names/users.h"

#include "model/word.h"

#include <pwd.h>
#include <string.h>

#define RECORD_MAX (1u << 20) /* no honest passwd record is larger */
#define INTERRUPTED_MAX 16

/* getpwnam_r(3) and getpwuid_r(3) in one shape. */
struct question {
	const char *name; /* NULL: ask for uid */
	uid_t uid;
};

/* Which errors mean "no such user" depends on the backend; the manual page lists these. */
static int judge(int r)
{
	return r == ENOENT || r == ESRCH || r == EBADF || r == EPERM ? 0 : -r;
}

/* 1 found, 0 not found, negative errno where NSS failed. *ret_buf is malloc'ed and carries the
 * strings of *ret. */
static int ask(const struct question *q, struct passwd *ret, char **ret_buf)
{
	int interrupted = 0;

	for (size_t size = 1024; size <= RECORD_MAX;) {
		_free_ char *buf = malloc(size);
		struct passwd *found = NULL;
		int r;

		if (!buf)
			return -ENOMEM;
		r = q->name ? getpwnam_r(q->name, ret, buf, size, &found) : getpwuid_r(q->uid, ret, buf, size, &found);
		if (found) {
			*ret_buf = take_ptr(&buf);
			return 1;
		}
		if (r == ERANGE)
			size *= 4;
		else if (r != EINTR || ++interrupted > INTERRUPTED_MAX)
			return judge(r);
	}
	return -E2BIG;
}

/* (uid_t)-1 is what the kernel says of a process that never logged in, so it can be nobody's. */
static int uid_of(const char *name, uid_t *ret)
{
	const struct question q = { .name = name };
	_free_ char *buf = NULL;
	struct passwd pw;
	int r = ask(&q, &pw, &buf);

	if (r <= 0 || pw.pw_uid == (uid_t)-1)
		return r < 0 ? r : 0;
	*ret = pw.pw_uid;
	return 1;
}

/* DOMAIN\NAME <-> NAME@DOMAIN. 1 *ret is malloc'ed, 0 the name has no other spelling, or -ENOMEM.
 */
static int other_spelling(const char *name, char **ret)
{
	const char *back = strchr(name, '\\'), *at = strrchr(name, '@');
	int r;

	if (back)
		r = asprintf(ret, "%s@%.*s", back + 1, (int)(back - name), name);
	else if (at)
		r = asprintf(ret, "%s\\%.*s", at + 1, (int)(at - name), name);
	else
		return 0;
	return r < 0 ? -ENOMEM : 1;
}

static int cannot_tell(int r, const char *name, char *err)
{
	char shown[WORD_SHOWN];

	return fail(r, err, "cannot look up user %s: %s", word_show(name, shown), strerror(-r));
}

int user_resolve(const char *name, uint32_t *ret_uid, char *err)
{
	char shown[WORD_SHOWN], shown_other[WORD_SHOWN];
	_free_ char *other = NULL;
	uid_t uid = 0, uid_other = 0;
	int r, r_other;

	r = uid_of(name, &uid);
	if (r < 0)
		return cannot_tell(r, name, err);
	r_other = other_spelling(name, &other);
	if (r_other > 0)
		r_other = uid_of(other, &uid_other);
	if (r_other < 0)
		return cannot_tell(r_other, other ? other : name, err);
	if (!r && !r_other)
		return fail(-ESRCH, err, "no such user: %s", word_show(name, shown));
	if (r && r_other && uid != uid_other)
		return fail(-EINVAL, err, "ambiguous user: %s is uid %u, %s is uid %u; say uid:N",
			    word_show(name, shown), uid, word_show(other, shown_other), uid_other);
	*ret_uid = r ? uid : uid_other;
	return 0;
}

struct entry {
	char *name; /* NULL: the slot is free */
	uint32_t uid;
};

struct user_cache {
	struct entry *slots; /* open addressing, a power of two of them, never full */
	size_t n, size;
};

static struct entry *slot_of(struct entry *slots, size_t size, uint32_t uid)
{
	size_t i = (uid * 2654435769u) & (size - 1);

	while (slots[i].name && slots[i].uid != uid)
		i = (i + 1) & (size - 1);
	return slots + i;
}

static int make_room(struct user_cache *c)
{
	size_t size = c->size ? 2 * c->size : 64;
	struct entry *slots;

	if (c->n < c->size / 2)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < c->size; i++)
		if (c->slots[i].name)
			*slot_of(slots, size, c->slots[i].uid) = c->slots[i];
	free(c->slots);
	c->slots = slots;
	c->size = size;
	return 0;
}

/* A database that fails costs a name, not the answer: the uid says as much. */
static char *look_up(uint32_t uid)
{
	const struct question q = { .uid = uid };
	_free_ char *buf = NULL;
	char *name = NULL;
	struct passwd pw;

	if (uid != (uint32_t)-1 && ask(&q, &pw, &buf) > 0 && *pw.pw_name)
		return strdup(pw.pw_name);
	return asprintf(&name, "uid:%u", uid) < 0 ? NULL : name;
}

const char *user_name(struct user_cache **cache, uint32_t uid)
{
	struct user_cache *c = *cache;
	struct entry *e;

	if (!c)
		c = *cache = calloc(1, sizeof(*c));
	if (!c || make_room(c) < 0)
		return NULL;
	e = slot_of(c->slots, c->size, uid);
	if (e->name)
		return e->name;
	e->name = look_up(uid);
	if (!e->name)
		return NULL;
	e->uid = uid;
	c->n++;
	return e->name;
}

void user_cache_free(struct user_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->size; i++)
		free(cache->slots[i].name);
	free(cache->slots);
	free(cache);
}
