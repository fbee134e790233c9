// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/lineage.h"
#include "kernel/cgroup.h"

#include <string.h>

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct ancestry *)a)->id, y = ((const struct ancestry *)b)->id;

	return (x > y) - (x < y);
}

static struct ancestry *find(const struct lineage *l, uint64_t id)
{
	const struct ancestry key = { .id = id };

	return l->n ? bsearch(&key, l->v, l->n, sizeof(key), by_id) : NULL;
}

static void drop_repeats(struct ids *s)
{
	size_t n = 0;

	ids_sort(s);
	for (size_t i = 0; i < s->n; i++)
		if (!n || s->v[i] != s->v[n - 1])
			s->v[n++] = s->v[i];
	s->n = n;
}

static int ask(struct cgroup_cache **cache, uint64_t id, char **ret)
{
	const char *path = cgroup_path(cache, id);

	*ret = path ? strdup(path) : NULL;
	return path && !*ret ? -ENOMEM : 0;
}

int lineage_update(struct lineage *l, struct ids *in_use)
{
	struct lineage now = { 0 };
	struct cgroup_cache *cache = NULL;
	int r = 0;

	drop_repeats(in_use);
	now.v = calloc(in_use->n + 1, sizeof(*now.v));
	if (!now.v)
		return -ENOMEM;
	for (size_t i = 0; i < in_use->n && r == 0; i++) {
		struct ancestry *known = find(l, in_use->v[i]), *one = &now.v[now.n++];

		one->id = in_use->v[i];
		if (known)
			one->path = take_ptr(&known->path);
		else
			r = ask(&cache, one->id, &one->path);
	}
	cgroup_cache_free(cache);
	lineage_clear(l);
	*l = now;
	return r;
}

const char *lineage_path(const struct lineage *l, uint64_t id)
{
	const struct ancestry *one = find(l, id);

	return one ? one->path : NULL;
}

void lineage_clear(struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	*l = (struct lineage){ 0 };
}
