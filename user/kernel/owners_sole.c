// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/owners_sole.h"

#include "sever/abi.h"

#include <bpf/bpf.h>

#include "sole.lskel.h"

struct owners_sole {
	struct sole_bpf *skel;
};

void owners_sole_close(struct owners_sole *o)
{
	if (!o)
		return;
	if (o->skel)
		sole_bpf__destroy(o->skel);
	free(o);
}

/* The program is run for the first thread of pid alone. */
static int link_to(const struct owners_sole *o, uint32_t pid)
{
	union bpf_iter_link_info of = { .task.tid = pid };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &of, .iter_info_len = sizeof(of));
	int link = bpf_link_create(o->skel->progs.sole.prog_fd, 0, BPF_TRACE_ITER, &opts);

	return link < 0 ? -errno : link;
}

int owners_sole_open(struct owners_sole **ret)
{
	struct owners_sole *o = calloc(1, sizeof(*o));
	int r, link;

	if (!o)
		return -ENOMEM;
	errno = 0;
	o->skel = sole_bpf__open_and_load();
	r = o->skel ? 0 : errno ? -errno : -EOPNOTSUPP;
	/* Before Linux 6.1 nobody can be asked alone. */
	link = r == 0 ? link_to(o, getpid()) : r;
	if (link < 0) {
		owners_sole_close(o);
		return link;
	}
	close(link);
	*ret = o;
	return 0;
}

int owners_sole_ask(struct owners_sole *o, uint32_t pid, uint32_t fd, uint64_t cookie)
{
	_close_ int link = link_to(o, pid);
	_close_ int iterator = link < 0 ? link : bpf_iter_create(link);
	char nothing[8];

	if (iterator < 0)
		return link == -ESRCH ? 0 : link < 0 ? link : -errno;
	o->skel->bss->asked_fd = fd;
	o->skel->bss->asked_cookie = cookie;
	o->skel->bss->is_sole = false;
	if (read(iterator, nothing, sizeof(nothing)) < 0)
		return -errno;
	return o->skel->bss->is_sole;
}
