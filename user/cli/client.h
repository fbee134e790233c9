/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client.h - the other end of severd's socket. One call at a time. */
#ifndef SEVER_CLIENT_H
#define SEVER_CLIENT_H

#include "model/base.h"

#include <jansson.h>
#include <signal.h>

struct client;

struct reply {
	json_t *parameters; /* an object; to be released by reply_clear() */
	bool continues;	    /* another one comes */
	char error[128];    /* "io.sever.NotFound", of which parameters are; "": an answer */
};

enum { CALL_MORE = 1, CALL_ONEWAY = 2 };

/* 0; -ENOENT, -ECONNREFUSED: nobody listens there; -ETIMEDOUT; other negative errno. With a sentence in err, as all
 * here. */
int client_open(const char *path, unsigned int timeout_ms, struct client **ret, char *err);
void client_close(struct client *c);
/* A socket that is connected already. It is taken, also on failure. */
int client_adopt(int fd, struct client **ret);

/* stop, set by a signal's handler, ends waits below with -EINTR; NULL: none does. */
void client_stop_on(struct client *c, const volatile sig_atomic_t *stop);
/* So does, with -ESHUTDOWN, that nobody is left to read what is written to fd, a pipe or a terminal. */
void client_stop_on_hangup(struct client *c, int fd);

/* parameters are borrowed; NULL: none. -EMSGSIZE: too much, and nothing was sent. -EPIPE is not said here but by
 * client_next(), which may still have an answer. */
int client_call(struct client *c, const char *method, const json_t *parameters, unsigned int flags,
		unsigned int timeout_ms, char *err);
/* The next reply to the last call; timeout_ms 0: waits for ever. 0; -ETIMEDOUT, after which it may be asked again;
 * -EPIPE: the daemon hung up; -EBADMSG: what came is no varlink; -EINTR. */
int client_next(struct client *c, unsigned int timeout_ms, struct reply *ret, char *err);
void reply_clear(struct reply *r);
/* Whether client_next() would not wait. */
bool client_ready(struct client *c);

DEFINE_CLEANUP(struct client *, client_close)

#endif
