// SPDX-License-Identifier: LGPL-2.1-or-later
/* fence_replace.c - from the fences that stand to those that shall stand. What is new is put up before anything is
 * taken down; and any order will do for those that are in both: an entry for a prefix, old or new, also knows of the
 * shorter ones, so no address that one of them covers is ever without. There is no key in the trie, and no number of
 * who goes out, without a count that tells of it, so that whoever takes over after a crash finds them all. */
#include "kernel/fence_plan.h"

#include <bpf/bpf.h>
#include <string.h>

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

static int add_names(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *is = c->v[i].is;

		if (is && !c->v[i].was) {
			const struct sever_fence_count zero = { .key = is->key, .who = is->who };

			if (bpf_map_update_elem(f->part[FENCE_COUNTS], &is->id, &zero, BPF_NOEXIST) < 0 &&
			    errno != EEXIST)
				return -errno;
		}
	}
	return 0;
}

static int drop_names(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_name *was = c->v[i].was;

		if (was && !c->v[i].is && bpf_map_delete_elem(f->part[FENCE_COUNTS], &was->id) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int add_slots(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_slot *was = c->v[i].was, *is = c->v[i].is;

		if (is && (!was || memcmp(&was->entry, &is->entry, sizeof(is->entry))) &&
		    bpf_map_update_elem(f->part[FENCE_TRIE], &is->key, &is->entry, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int drop_slots(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_slot *was = c->v[i].was;

		if (was && !c->v[i].is && bpf_map_delete_elem(f->part[FENCE_TRIE], &was->key) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int add_leavers(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_leaver *was = c->v[i].was, *is = c->v[i].is;

		if (is && !(was && was->told) &&
		    bpf_map_update_elem(f->part[FENCE_LEAVERS], &is->who, &is->number, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int drop_leavers(struct fences *f, const struct fence_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct fence_leaver *was = c->v[i].was;

		if (was && !c->v[i].is && bpf_map_delete_elem(f->part[FENCE_LEAVERS], &was->who) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* The namespaces that inbound fences name. */
static int own_doors(struct fences *f, const struct fence_leavers *l)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++)
		if (l->v[i].who.kind == SEVER_FENCE_IN)
			r = fence_own_door(f, l->v[i].who.netns);
	return r;
}

static int carry_out(struct fences *f, const struct fence_plan *p)
{
	int r = own_doors(f, &p->leavers);

	if (r == 0)
		r = add_names(f, &p->of_names);
	if (r == 0)
		r = add_slots(f, &p->of_slots);
	if (r == 0)
		r = add_leavers(f, &p->of_leavers);
	if (r == 0)
		r = write_control(f, &p->control);
	if (r == 0)
		r = drop_leavers(f, &p->of_leavers);
	if (r == 0)
		r = drop_slots(f, &p->of_slots);
	return r < 0 ? r : drop_names(f, &p->of_names);
}

/* Room for all of before and after, so that nothing can fail on the way. */
static int prepare(const struct fence_plan *p, struct fence_plan *ret)
{
	ret->slots.v = calloc(p->of_slots.n + 1, sizeof(*ret->slots.v));
	ret->names.v = calloc(p->of_names.n + 1, sizeof(*ret->names.v));
	ret->leavers.v = calloc(p->of_leavers.n + 1, sizeof(*ret->leavers.v));
	return ret->slots.v && ret->names.v && ret->leavers.v ? 0 : -ENOMEM;
}

/* It ended half-way: all of before and after may be there, or not. */
static void set_both(const struct fence_plan *p, struct fence_plan *ret)
{
	for (size_t i = 0; i < p->of_slots.n; i++) {
		const struct fence_change *c = &p->of_slots.v[i];

		ret->slots.v[ret->slots.n++] =
			(struct fence_slot){ .key = ((const struct fence_slot *)(c->is ?: c->was))->key };
	}
	for (size_t i = 0; i < p->of_names.n; i++) {
		const struct fence_change *c = &p->of_names.v[i];

		ret->names.v[ret->names.n++] = *(const struct fence_name *)(c->is ?: c->was);
	}
	for (size_t i = 0; i < p->of_leavers.n; i++) {
		const struct fence_change *c = &p->of_leavers.v[i];
		struct fence_leaver l = *(const struct fence_leaver *)(c->is ?: c->was);

		l.told = false;
		ret->leavers.v[ret->leavers.n++] = l;
	}
}

/* *p loses what f has now. */
static void remember(struct fences *f, struct fence_plan *p)
{
	free(f->slots.v);
	free(f->names.v);
	free(f->leavers.v);
	f->slots = p->slots;
	f->names = p->names;
	f->leavers = p->leavers;
	p->slots.v = NULL;
	p->names.v = NULL;
	p->leavers.v = NULL;
}

int fence_replace(struct fences *f, const struct fence *v, size_t n, char *err)
{
	_cleanup_(fence_plan_clear) struct fence_plan p = { 0 }, both = { 0 };
	int r = fence_plan(f, v, n, &p, err);

	if (r == 0)
		r = prepare(&p, &both);
	if (r < 0)
		return r;
	f->last_number = p.last_number;
	r = carry_out(f, &p);
	if (r < 0) {
		set_both(&p, &both);
		remember(f, &both);
		return fail(r, err, "the fences: %s", strerrordesc_np(-r));
	}
	for (size_t i = 0; i < p.leavers.n; i++)
		p.leavers.v[i].told = true;
	remember(f, &p);
	fence_drop_outdated(f);
	return 0;
}
