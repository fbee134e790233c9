// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/iterator.h"
#include "model/base.h"

#include <bpf/bpf.h>

int iterator_run(int link)
{
	_close_ int fd = bpf_iter_create(link);
	char buf[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* The kernel asks to come again from time to time. */
	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		;
	return n < 0 ? -errno : 0;
}
