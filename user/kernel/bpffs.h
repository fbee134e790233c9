/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_BPFFS_H
#define SEVER_BPFFS_H

/* Sees to it that the directory `path`, which need not exist yet, lies in a bpffs: mounts one on the parent if that is the usual
 * place for it and empty. 0 or negative errno, with a sentence in err. */
int bpffs_for(const char *path, char *err);

#endif
