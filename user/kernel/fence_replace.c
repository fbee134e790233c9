// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_replace.c - from the fences that stand to those that shall stand. What is new is put up before anything is taken
 * down; and any order will do for those that are in both: an entry for a prefix, old or new, also knows of the shorter
 * ones, so no address that one of them covers is ever without. There is no key in the trie without a count that tells of
 * it, so that whoever takes over after a crash finds them all. */
#include "kernel/fence_parts.h"

#include <bpf/bpf.h>
#include <string.h>

/* One key, or one id, of before, after or both. */
struct change {
	const void *was, *is;
};
struct changes {
	struct change *v;
	size_t n;
};

struct plan {
	struct fence_slots slots;
	struct fence_names names;
	struct changes of_slots, of_names;
	struct sever_fence_control control;
};

static void plan_clear(struct plan *p)
{
	free(p->slots.v);
	free(p->names.v);
	free(p->of_slots.v);
	free(p->of_names.v);
}

/* Both are in order, and have none twice. */
static int merge(const char *was, size_t n_was, const char *is, size_t n_is, size_t size,
		 int (*order)(const void *a, const void *b), struct changes *ret)
{
	struct change *v = calloc(n_was + n_is + 1, sizeof(*v));
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
	*ret = (struct changes){ .v = v, .n = n };
	return 0;
}

static int names_of(const struct fence *v, size_t n, struct fence_names *ret, char *err)
{
	struct fence_name *names = calloc(n + 1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	*ret = (struct fence_names){ .v = names, .n = n };
	for (size_t i = 0; i < n; i++) {
		int r = fence_key_of(&v[i], &names[i].key, err);

		if (r < 0)
			return r;
		names[i].id = v[i].id;
	}
	qsort(names, n, sizeof(*names), fence_by_id);
	for (size_t i = 1; i < n; i++)
		if (names[i].id == names[i - 1].id)
			return fail(-EINVAL, err, "fence %llu is there twice", (unsigned long long)names[i].id);
	return 0;
}

static uint8_t shape_of(const struct sever_fence_key *k)
{
	return 1 << ((k->port ? SEVER_FENCE_PORT : 0) | (k->protocol ? SEVER_FENCE_PROTOCOL : 0) |
		     (k->netns ? SEVER_FENCE_NETNS : 0));
}

static struct sever_fence_control control_of(const struct fence_slots *s)
{
	struct sever_fence_control c = { .abi = SEVER_FENCE_ABI };

	for (size_t i = 0; i < s->n; i++) {
		c.shapes[s->v[i].key.kind] |= shape_of(&s->v[i].key);
		c.out |= s->v[i].key.kind != SEVER_FENCE_IN;
	}
	return c;
}

static int same_names(const struct changes *c, char *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *was = c->v[i].was, *is = c->v[i].is;

		if (was && is && fence_key_order(&was->key, &is->key))
			return fail(-EEXIST, err, "fence %llu stands for something else", (unsigned long long)is->id);
	}
	return 0;
}

static int plan(const struct fences *f, const struct fence *v, size_t n, struct plan *p, char *err)
{
	int r = n > f->max ? fail(-E2BIG, err, "%zu fences are more than %u", n, f->max) : names_of(v, n, &p->names, err);

	if (r == 0)
		r = fence_slots_of(v, n, &p->slots);
	if (r < 0)
		return r;
	p->control = control_of(&p->slots);
	if (p->control.out && f->out_err < 0)
		return fail(f->out_err, err, "outbound fences cannot be had: %s", strerrordesc_np(-f->out_err));
	r = merge((char *)f->names.v, f->names.n, (char *)p->names.v, p->names.n, sizeof(*p->names.v), fence_by_id,
		  &p->of_names);
	if (r == 0)
		r = merge((char *)f->slots.v, f->slots.n, (char *)p->slots.v, p->slots.n, sizeof(*p->slots.v), fence_by_key,
			  &p->of_slots);
	return r < 0 ? r : same_names(&p->of_names, err);
}

static int write_control(struct fences *f, const struct sever_fence_control *c)
{
	const uint32_t zero = 0;

	if (!memcmp(c, &f->control, sizeof(*c)))
		return 0;
	if (bpf_map_update_elem(f->part[FENCE_CONTROL], &zero, c, BPF_ANY) < 0)
		return -errno;
	f->control = *c;
	return 0;
}

static int write_both_controls(struct fences *f, const struct sever_fence_control *is)
{
	struct sever_fence_control c = *is;

	for (int i = 0; i < SEVER_FENCE_KINDS; i++)
		c.shapes[i] |= f->control.shapes[i];
	c.out |= f->control.out;
	return write_control(f, &c);
}

static int add_names(struct fences *f, const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *is = c->v[i].is;

		if (is && !c->v[i].was) {
			const struct sever_fence_count zero = { .key = is->key };

			if (bpf_map_update_elem(f->part[FENCE_COUNTS], &is->id, &zero, BPF_NOEXIST) < 0 &&
			    errno != EEXIST)
				return -errno;
		}
	}
	return 0;
}

static int drop_names(struct fences *f, const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *was = c->v[i].was;

		if (was && !c->v[i].is && bpf_map_delete_elem(f->part[FENCE_COUNTS], &was->id) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int add_slots(struct fences *f, const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_slot *was = c->v[i].was, *is = c->v[i].is;

		if (is && (!was || memcmp(&was->entry, &is->entry, sizeof(is->entry))) &&
		    bpf_map_update_elem(f->part[FENCE_TRIE], &is->key, &is->entry, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int drop_slots(struct fences *f, const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_slot *was = c->v[i].was;

		if (was && !c->v[i].is && bpf_map_delete_elem(f->part[FENCE_TRIE], &was->key) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int carry_out(struct fences *f, const struct plan *p)
{
	int r = add_names(f, &p->of_names);

	if (r == 0)
		r = write_both_controls(f, &p->control);
	if (r == 0)
		r = add_slots(f, &p->of_slots);
	if (r == 0)
		r = drop_slots(f, &p->of_slots);
	if (r == 0)
		r = write_control(f, &p->control);
	return r < 0 ? r : drop_names(f, &p->of_names);
}

/* Where it ended half-way, all of before and after may be there, or not. */
static void both(struct plan *p, struct fence_slot *slots, struct fence_name *names)
{
	for (size_t i = 0; i < p->of_slots.n; i++) {
		const struct change *c = &p->of_slots.v[i];

		slots[i] = (struct fence_slot){ .key = ((const struct fence_slot *)(c->is ?: c->was))->key };
	}
	for (size_t i = 0; i < p->of_names.n; i++) {
		const struct change *c = &p->of_names.v[i];

		names[i] = *(const struct fence_name *)(c->is ?: c->was);
	}
}

static void remember(struct fences *f, struct fence_slots slots, struct fence_names names)
{
	free(f->slots.v);
	free(f->names.v);
	f->slots = slots;
	f->names = names;
}

int fence_replace(struct fences *f, const struct fence *v, size_t n, char *err)
{
	_cleanup_(plan_clear) struct plan p = { 0 };
	_free_ struct fence_slot *slots = NULL;
	_free_ struct fence_name *names = NULL;
	int r = plan(f, v, n, &p, err);

	if (r < 0)
		return r;
	slots = calloc(p.of_slots.n + 1, sizeof(*slots));
	names = calloc(p.of_names.n + 1, sizeof(*names));
	if (!slots || !names)
		return -ENOMEM;
	r = carry_out(f, &p);
	if (r < 0) {
		both(&p, slots, names);
		remember(f, (struct fence_slots){ take_ptr(&slots), p.of_slots.n },
			 (struct fence_names){ take_ptr(&names), p.of_names.n });
		return fail(r, err, "the fences: %s", strerrordesc_np(-r));
	}
	remember(f, p.slots, p.names);
	p.slots.v = NULL;
	p.names.v = NULL;
	fence_drop_outdated(f);
	return 0;
}
