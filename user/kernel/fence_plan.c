// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_plan.c - compares the fences that stand with those that shall. */
#include "kernel/fence_plan.h"

#include <string.h>

void fence_plan_clear(struct fence_plan *p)
{
	free(p->slots.v);
	free(p->names.v);
	free(p->leavers.v);
	free(p->of_slots.v);
	free(p->of_names.v);
	free(p->of_leavers.v);
}

/* Both are in order, and have none twice. */
static int merge(const char *was, size_t n_was, const char *is, size_t n_is, size_t size,
		 int (*order)(const void *a, const void *b), struct fence_changes *ret)
{
	struct fence_change *v = calloc(n_was + n_is + 1, sizeof(*v));
	const char *end_was = was + n_was * size, *end_is = is + n_is * size;
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	while (was < end_was || is < end_is) {
		int r = was == end_was ? 1 : is == end_is ? -1 : order(was, is);

		v[n].was = r <= 0 ? was : NULL;
		v[n++].is = r >= 0 ? is : NULL;
		was += r <= 0 ? size : 0;
		is += r >= 0 ? size : 0;
	}
	*ret = (struct fence_changes){ .v = v, .n = n };
	return 0;
}

static int names_of(const struct fence *v, size_t n, struct fence_names *ret, char *err)
{
	struct fence_name *names = calloc(n + 1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	*ret = (struct fence_names){ .v = names, .n = n };
	for (size_t i = 0; i < n; i++) {
		int r = fence_name_of(&v[i], &names[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_number(const struct sever_fence_who *w)
{
	return w->kind != SEVER_FENCE_IN || w->netns;
}

/* In order, none twice. Those whom the fences before named keep their numbers. */
static int leavers_of(const struct fences *f, struct fence_plan *p)
{
	struct fence_leaver *v = calloc(p->names.n + 1, sizeof(*v));
	size_t n = 0, k = 0;

	if (!v)
		return -ENOMEM;
	p->leavers.v = v;
	p->last_number = f->last_number;
	for (size_t i = 0; i < p->names.n; i++)
		if (has_number(&p->names.v[i].who))
			v[n++].who = p->names.v[i].who;
	qsort(v, n, sizeof(*v), fence_by_who);
	for (size_t i = 0; i < n; i++) {
		const struct fence_leaver *old;

		if (k && fence_by_who(&v[k - 1], &v[i]) == 0)
			continue;
		old = f->leavers.n ? bsearch(&v[i], f->leavers.v, f->leavers.n, sizeof(*v), fence_by_who) : NULL;
		v[k++] = (struct fence_leaver){ .who = v[i].who, .number = old ? old->number : ++p->last_number };
	}
	p->leavers.n = k;
	return p->last_number < f->last_number ? -EOVERFLOW : 0;
}

static void set_numbers(struct fence_plan *p)
{
	for (size_t i = 0; i < p->names.n; i++) {
		const struct fence_leaver key = { .who = p->names.v[i].who }, *l;

		if (!has_number(&key.who))
			continue;
		l = bsearch(&key, p->leavers.v, p->leavers.n, sizeof(key), fence_by_who);
		p->names.v[i].key.who = l->number;
	}
}

static int sort_names(struct fence_names *names, char *err)
{
	qsort(names->v, names->n, sizeof(*names->v), fence_by_id);
	for (size_t i = 1; i < names->n; i++)
		if (names->v[i].id == names->v[i - 1].id)
			return fail(-EINVAL, err, "fence %llu is there twice", (unsigned long long)names->v[i].id);
	return 0;
}

static struct sever_fence_control control_of(const struct fence_names *names)
{
	struct sever_fence_control c = { .abi = SEVER_FENCE_ABI };

	for (size_t i = 0; i < names->n; i++) {
		const struct fence_name *v = &names->v[i];

		c.shapes[v->who.kind] |=
			1 << ((v->key.port ? SEVER_FENCE_PORT : 0) | (v->key.protocol ? SEVER_FENCE_PROTOCOL : 0) |
			      (v->who.netns ? SEVER_FENCE_NETNS : 0));
		c.out |= v->who.kind != SEVER_FENCE_IN;
		c.out_netns |= v->who.kind != SEVER_FENCE_IN && v->who.netns;
	}
	return c;
}

static int same_names(const struct fence_changes *c, char *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *was = c->v[i].was, *is = c->v[i].is;

		if (was && is && (fence_key_order(&was->key, &is->key) || memcmp(&was->who, &is->who, sizeof(is->who))))
			return fail(-EEXIST, err, "fence %llu stands for something else", (unsigned long long)is->id);
	}
	return 0;
}

static int compare(const struct fences *f, struct fence_plan *p)
{
	int r = merge((char *)f->names.v, f->names.n, (char *)p->names.v, p->names.n, sizeof(*p->names.v), fence_by_id,
		      &p->of_names);

	if (r == 0)
		r = merge((char *)f->slots.v, f->slots.n, (char *)p->slots.v, p->slots.n, sizeof(*p->slots.v),
			  fence_by_key, &p->of_slots);
	if (r == 0)
		r = merge((char *)f->leavers.v, f->leavers.n, (char *)p->leavers.v, p->leavers.n, sizeof(*p->leavers.v),
			  fence_by_who, &p->of_leavers);
	return r;
}

int fence_plan(const struct fences *f, const struct fence *v, size_t n, struct fence_plan *p, char *err)
{
	int r = n > f->max ? fail(-E2BIG, err, "%zu fences are more than %u", n, f->max) :
			     names_of(v, n, &p->names, err);

	if (r == 0)
		r = leavers_of(f, p);
	if (r < 0)
		return r;
	set_numbers(p);
	p->control = control_of(&p->names);
	if (p->control.out && f->out_err < 0)
		return fail(f->out_err, err, "outbound fences cannot be had: %s", strerrordesc_np(-f->out_err));
	r = fence_slots_of(v, &p->names, &p->slots);
	if (r == 0)
		r = sort_names(&p->names, err);
	if (r == 0)
		r = compare(f, p);
	return r < 0 ? r : same_names(&p->of_names, err);
}
