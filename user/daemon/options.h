/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SEVER_DAEMON_OPTIONS_H
#define SEVER_DAEMON_OPTIONS_H

#include "model/base.h"

struct daemon_options {
	const char *socket, *state_dir, *pin_dir; /* pin_dir NULL: none */
	const char *config;			  /* NULL: the usual one, if it is there */
	bool detach_all;
};

/* -1: go on with *ret. Else the status to exit with: help and version were shown, or a line about what is wrong. */
int daemon_options(int argc, char **argv, struct daemon_options *ret);

#endif
