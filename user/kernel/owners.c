// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/owners.h"

#include <string.h>

int owners_read_procs(struct owners *o)
{
	int r;

	if (o->bpf) {
		r = owners_bpf_procs(o);
		if (r == 0 || r == -ENOMEM)
			return r;
		o->bpf_err = r;
		o->bpf = NULL;
		proctab_clear(&o->procs);
	}
	o->by_inode = o->by_ticks = true;
	return owners_proc_procs(o);
}

static int read_holders(struct owners *o, const struct owner_scope *scope)
{
	int r;

	if (o->bpf) {
		r = owners_bpf_holders(o, scope);
		if (r == 0 || r == -ENOMEM)
			return r;
		o->bpf_err = r;
		o->bpf = NULL;
		o->by_inode = true;
		o->no_procs = !owners_proc_visible();
	}
	holders_clear(&o->holders);
	return o->no_procs ? 0 : owners_proc_holders(o, scope->procs);
}

int owners_read_holders(struct owners *o, const struct owner_scope *scope)
{
	_free_ bool *procs = scope->pids ? calloc(o->procs.n + 1, sizeof(*procs)) : NULL;
	struct owner_scope by_index = *scope;

	if (!scope->pids)
		return read_holders(o, scope);
	if (!procs)
		return -ENOMEM;
	for (size_t i = 0; i < scope->n_pids; i++) {
		int32_t at = proctab_find(&o->procs, scope->pids[i]);

		if (at >= 0)
			procs[at] = true;
	}
	by_index.procs = procs;
	return read_holders(o, &by_index);
}

uint64_t owners_start_us(const struct owners *o, uint64_t start)
{
	return o->by_ticks ? start * 1000000 / sysconf(_SC_CLK_TCK) : start / 1000;
}

const char *owners_how(const struct owners *o)
{
	return o->bpf ? "bpf" : o->no_procs ? "none" : "proc";
}

void owners_clear(struct owners *o)
{
	proctab_clear(&o->procs);
	holders_clear(&o->holders);
	free(o->held);
	free(o->others);
	memset(o, 0, sizeof(*o));
}
