// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/account.h"

/* At most one for each connection, of which there are at most about a thousand. */
static struct account *find(const struct accounts *a, uid_t uid)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i]->uid == uid)
			return a->v[i];
	return NULL;
}

static struct account *add(struct accounts *a, uid_t uid)
{
	struct account *one;

	if (grow(&a->v, &a->cap, a->n + 1, sizeof(*a->v)) < 0)
		return NULL;
	one = calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	one->uid = uid;
	a->v[a->n++] = one;
	return one;
}

int account_open(struct accounts *a, uid_t uid, struct account **ret)
{
	size_t max = uid == 0 ? a->max_connections : a->max_connections - a->max_connections / 16;
	struct account *one = find(a, uid);

	if (one && uid != 0 && one->connections >= a->max_per_uid)
		return -EUSERS;
	if (a->connections >= max)
		return -ENFILE;
	one = one ? one : add(a, uid);
	if (!one)
		return -ENOMEM;
	one->connections++;
	a->connections++;
	*ret = one;
	return 0;
}

void account_close(struct accounts *a, struct account *one)
{
	a->connections--;
	if (--one->connections)
		return;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i] != one)
			continue;
		a->v[i] = a->v[--a->n];
		break;
	}
	free(one);
}

void account_move(struct accounts *a, struct account *one, size_t before, size_t after)
{
	one->bytes += after - before;
	if (one->uid != 0)
		a->bytes += after - before;
}

bool account_is_full(const struct accounts *a, const struct account *one)
{
	if (one->uid == 0)
		return one->bytes >= a->max_bytes;
	return one->bytes >= a->max_bytes_per_uid || a->bytes >= a->max_bytes;
}

void accounts_clear(struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	a->v = NULL;
	a->n = a->cap = 0;
}
