// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/record_list.h"

#include <string.h>

struct share {
	size_t n, bytes;
};

static void entry_clear(struct record_entry *e)
{
	for (int i = 0; i < LINES; i++)
		free(e->line[i].iov_base);
}

struct record_entry *record_list_find(const struct record_list *l, const char *id)
{
	for (size_t i = l->n; i-- > 0;)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

/* How much is kept of uid (NULL: of all), whatever its state or only what is not done. */
static struct share share_of(const struct record_list *l, const uint32_t *uid, bool unfinished)
{
	struct share s = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const struct record_entry *e = &l->v[i];

		if ((uid && e->uid != *uid) || (unfinished && record_entry_is_done(e)))
			continue;
		s.n++;
		s.bytes += e->line[ASKED].iov_len + e->line[ENDED].iov_len;
	}
	return s;
}

static bool fits(struct share s, size_t part)
{
	return s.n <= RECORD_REQUESTS / part && s.bytes <= RECORD_BYTES / part;
}

static bool drop_oldest_done(struct record_list *l, const uint32_t *uid)
{
	for (size_t i = 0; i < l->n; i++) {
		if ((uid && l->v[i].uid != *uid) || !record_entry_is_done(&l->v[i]))
			continue;
		entry_clear(&l->v[i]);
		l->n--;
		memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
		return true;
	}
	return false;
}

static void trim(struct record_list *l, uint32_t uid)
{
	while (uid != 0 && !fits(share_of(l, &uid, false), RECORD_SHARE) && drop_oldest_done(l, &uid))
		;
	while (!fits(share_of(l, NULL, false), 1) && drop_oldest_done(l, NULL))
		;
}

bool record_list_has_room(const struct record_list *l, uint32_t uid, size_t len)
{
	struct share all = share_of(l, NULL, true), own = share_of(l, &uid, true);

	all.n++;
	all.bytes += len;
	own.n++;
	own.bytes += len;
	return fits(all, 2) && (uid == 0 || fits(own, 2 * RECORD_SHARE));
}

int record_list_reserve(struct record_list *l)
{
	return grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v));
}

void record_list_add(struct record_list *l, const char *id, uint32_t uid, char **text, size_t len)
{
	struct record_entry e = { .uid = uid, .line[ASKED] = { .iov_base = take_ptr(text), .iov_len = len } };

	snprintf(e.id, sizeof(e.id), "%s", id);
	l->v[l->n++] = e;
	trim(l, uid);
}

void record_list_finish(struct record_list *l, struct record_entry *e, char **text, size_t len)
{
	e->line[ENDED] = (struct iovec){ .iov_base = take_ptr(text), .iov_len = len };
	trim(l, e->uid);
}

void record_list_clear(struct record_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		entry_clear(&l->v[i]);
	free(l->v);
	*l = (struct record_list){ 0 };
}
