/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* call.h - a call being answered, as a method sees it. All of it runs in the thread of the event loop.
 *
 * A hook of struct io_sever (service.h) gets a call whose parameters have been checked. It answers at once, or keeps
 * the call with call_ref() and answers later. Each call is answered by any number of call_reply(continues = true),
 * where the caller asked for more, and then one of call_reply(continues = false), call_error(), call_fail(). A call
 * whose last reference goes unanswered is answered with io.sever.Failed.
 *
 * JSON that is handed over is borrowed: whoever made it releases it. */
#ifndef SEVER_CALL_H
#define SEVER_CALL_H

#include "daemon/peer.h"

#include <jansson.h>

struct call;

/* What a method may want to hear of. Either may be NULL. Neither comes after the final answer, and neither while one of
 * the functions below runs. */
struct call_watcher {
	/* The caller has hung up: answers go nowhere. Once. The call is still ours, until call_unref(). */
	void (*gone)(struct call *c, void *arg);
	/* call_reply() gave -EAGAIN, and there is room again. */
	void (*room)(struct call *c, void *arg);
};

struct call *call_ref(struct call *c);
void call_unref(struct call *c);
DEFINE_CLEANUP(struct call *, call_unref)

void call_watch(struct call *c, const struct call_watcher *w, void *arg);

const struct peer *call_peer(const struct call *c);
const char *call_method(const struct call *c); /* "io.sever.Kill" */
/* An object. Only until the hook returns; take a reference of what is needed later. */
json_t *call_parameters(const struct call *c);
bool call_wants_more(const struct call *c);
/* Nobody listens: answers are swallowed, and the caller's hanging up means nothing. */
bool call_is_oneway(const struct call *c);
bool call_is_gone(const struct call *c);

/* 0; -EAGAIN: continues, and the caller has not yet read what was sent before, see room above; -ENOTCONN: it is gone;
 * -EINVAL: answered already, or continues where the caller did not ask for more; -EMSGSIZE: more than a message holds;
 * -ENOMEM. Nothing was sent where not 0, and the call is as it was. */
int call_reply(struct call *c, const json_t *parameters, bool continues);
/* The same with a whole message that is spelled already, "continues" and all, and its NUL: many times cheaper. */
int call_reply_spelled(struct call *c, const char *message, size_t len, bool continues);
/* Whether a reply that continues would not give -EAGAIN now: for who would make it in vain. */
bool call_has_room(const struct call *c);
/* The caller is not hung up on for reading slowly, or not at all, not even the end of it: what he is kept waiting for may wait. */
void call_may_lag(struct call *c);
/* name: "io.sever.NotFound". parameters may be NULL. */
int call_error(struct call *c, const char *name, const json_t *parameters);
/* The error of io.sever that fits r, a negative errno, with sentence (NULL: what strerror says) as message. */
int call_fail(struct call *c, int r, const char *sentence);

#endif
