// SPDX-License-Identifier: GPL-2.0-only
/* sole.bpf.c - whether one process alone holds a socket: asked of that process, at the descriptor where it was seen last. A file that
 * is referred to once is in one table of descriptors, once, and nowhere on its way; a table that is referred to once is one process's. A
 * "no" may also mean that somebody is just using it. */
#include "kernel.h"

char LICENSE[] SEC("license") = "GPL";

/* The question, set before each pass, and the answer. */
__u32 asked_fd;
__u64 asked_cookie;
bool is_sole;

static __always_inline bool is_held_once(const struct file *file)
{
	if (bpf_core_field_exists(file->f_ref))
		return BPF_CORE_READ(file, f_ref.refcnt.counter) == 0;
	return BPF_CORE_READ(file, f_count.counter) == 1;
}

SEC("iter/task")
int sole(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct files_struct *files = t ? BPF_CORE_READ(t, files) : NULL;
	struct file *file = NULL, **at;
	struct fdtable *table;
	struct socket *sock;
	struct sock *sk;

	if (!files || BPF_CORE_READ(files, count.counter) != 1)
		return 0;
	table = BPF_CORE_READ(files, fdt);
	if (asked_fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	at = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), at + asked_fd) || !file)
		return 0;
	/* It may be no socket: then what it leads to does not lead back. */
	sock = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(sock, sk);
	is_sole = BPF_CORE_READ(sock, file) == file && BPF_CORE_READ(sk, sk_socket) == sock &&
		  BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == asked_cookie && is_held_once(file);
	return 0;
}
