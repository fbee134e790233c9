/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* door.h - the listening socket: from systemd, or made at a path. */
#ifndef SEVER_DOOR_H
#define SEVER_DOOR_H

#include "model/base.h"

#include <sys/types.h>

struct door {
	int fd;	    /* listens; -1: none, or given away */
	int lock;   /* of the path, held as long as the door is; -1: systemd's */
	char *path; /* NULL: systemd's */
	dev_t dev;  /* of the socket file */
	ino_t ino;
};

#define DOOR_CLOSED                  \
	(struct door)                \
	{                            \
		.fd = -1, .lock = -1 \
	}

/* The socket that systemd hands over, if it does; else one at path, for everybody to connect to. A socket file nobody
 * listens on is replaced. 0; -EADDRINUSE: another one listens there; other negative errno. A sentence in err. */
int door_open(const char *path, struct door *ret, char *err);
/* Takes the socket file away, if it is ours still. */
void door_close(struct door *d);

#endif
