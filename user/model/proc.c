// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/proc.h"

#include <string.h>

int proctab_add(struct proctab *t, const struct proc *p)
{
	int r = grow(&t->v, &t->cap, t->n + 1, sizeof(*t->v));

	if (r == 0)
		t->v[t->n++] = *p;
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct proc *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

void proctab_sort(struct proctab *t)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_pid);
}

int32_t proctab_find(const struct proctab *t, uint32_t pid)
{
	const struct proc key = { .pid = pid }, *p;

	p = t->n ? bsearch(&key, t->v, t->n, sizeof(*t->v), by_pid) : NULL;
	return p ? p - t->v : -1;
}

void proctab_clear(struct proctab *t)
{
	free(t->v);
	memset(t, 0, sizeof(*t));
}
