// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/bpffs.h"
#include "model/base.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define USUAL "/sys/fs/bpf"

int bpffs_for(const char *path, char *err)
{
	_free_ char *parent = strdup(path);
	struct statfs fs;
	char *slash;

	if (!parent)
		return -ENOMEM;
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return fail(-EMEDIUMTYPE, err, "%s is not in a bpffs", path);
	*slash = '\0';
	if (statfs(parent, &fs) < 0)
		return fail(-errno, err, "%s: %s", parent, strerror(errno));
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (strcmp(parent, USUAL))
		return fail(-EMEDIUMTYPE, err, "%s is not in a bpffs", path);
	if (mount("bpf", USUAL, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		return fail(-errno, err, "cannot mount a bpffs on %s: %s", USUAL, strerror(errno));
	return 0;
}
