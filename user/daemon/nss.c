// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/nss.h"
#include "daemon/rights.h"
#include "daemon/thread.h"
#include "names/users.h"

#include <string.h>

#define USERS 1024
#define USER_NS 60000000000ull /* how long an answer is good for */
#define NOBODY_NS 5000000000ull /* "uid:N": he may be about to be made, or the service to come up */
#define SECOND_NS 1000000000ull
#define PATIENCE_NS (NSS_PATIENCE_MS * 1000000ull)

struct answer {
	uint64_t when; /* CLOCK_MONOTONIC; 0: none */
	uint32_t id;   /* uid, of the group gid */
	bool yes;      /* he has a name, there is the group */
	char text[NSS_NAME_LEN];
};

struct nss {
	pthread_mutex_t lock;
	pthread_cond_t asked, answered;
	unsigned int refs; /* the thread has one */
	bool busy, closing;
	struct answer *question; /* its place among those below; NULL: none */
	uint32_t id;
	struct answer group, users[USERS];
	uint64_t second, spent; /* when waiting began to be counted, and how long it was since */
};

/* With the lock, which is let go. */
static void unref(struct nss *n)
{
	bool last = !--n->refs;

	pthread_mutex_unlock(&n->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&n->lock);
	pthread_cond_destroy(&n->asked);
	pthread_cond_destroy(&n->answered);
	free(n);
}

static struct answer look_up(uint32_t id, bool group)
{
	struct answer a = { .id = id };
	struct user_cache *fresh = NULL;
	const char *name;
	gid_t gid;

	if (group) {
		a.yes = rights_group(&gid);
		a.id = a.yes ? gid : 0;
	} else {
		name = user_name(&fresh, id);
		if (name && strlen(name) < sizeof(a.text))
			strcpy(a.text, name);
		a.yes = strncmp(a.text, "uid:", 4) != 0;
		user_cache_free(fresh);
	}
	a.when = clock_ns(CLOCK_MONOTONIC);
	return a;
}

static void *run(void *arg)
{
	struct nss *n = arg;

	pthread_mutex_lock(&n->lock);
	while (!n->closing) {
		struct answer *at = n->question, a;
		uint32_t id = n->id;

		if (!at) {
			pthread_cond_wait(&n->asked, &n->lock);
			continue;
		}
		n->question = NULL;
		n->busy = true;
		pthread_mutex_unlock(&n->lock);
		a = look_up(id, at == &n->group);
		pthread_mutex_lock(&n->lock);
		*at = a;
		n->busy = false;
		pthread_cond_broadcast(&n->answered);
	}
	unref(n);
	return NULL;
}

static int init(struct nss *n)
{
	pthread_t thread;
	int r;

	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->asked, NULL);
	thread_cond_init(&n->answered);
	n->refs = 2;
	r = thread_start(&thread, run, n);
	if (r == 0)
		pthread_detach(thread);
	return r;
}

int nss_open(struct nss **ret)
{
	struct nss *n = calloc(1, sizeof(*n));
	int r = n ? init(n) : -ENOMEM;

	if (r == 0)
		*ret = n;
	else
		free(n);
	return r;
}

void nss_close(struct nss *n)
{
	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->closing = true;
	pthread_cond_signal(&n->asked);
	unref(n);
}

/* Hands the question over as soon as nobody else's is open, and waits for an answer that is not older than `since`. */
static void ask(struct nss *n, struct answer *at, uint32_t id, uint64_t since)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);
	bool waits = true;

	if (begun - n->second > SECOND_NS) {
		n->second = begun;
		n->spent = 0;
	}
	while (waits && (!at->when || at->when < since || (at != &n->group && at->id != id))) {
		if (!n->busy && !n->question) {
			n->question = at;
			n->id = id;
			pthread_cond_signal(&n->asked);
		}
		waits = n->spent < PATIENCE_NS && thread_wait(&n->answered, &n->lock, begun + PATIENCE_NS - n->spent);
	}
	n->spent += clock_ns(CLOCK_MONOTONIC) - begun;
}

const char *nss_user(struct nss *n, uint32_t uid, char ret[NSS_NAME_LEN])
{
	struct answer *at = &n->users[uid % USERS];
	uint64_t now = clock_ns(CLOCK_MONOTONIC), life;

	pthread_mutex_lock(&n->lock);
	life = at->yes ? USER_NS : NOBODY_NS;
	ask(n, at, uid, now > life ? now - life : 1);
	*ret = '\0';
	if (at->when && at->id == uid)
		memcpy(ret, at->text, sizeof(at->text));
	pthread_mutex_unlock(&n->lock);
	return *ret ? ret : NULL;
}

bool nss_rights(struct nss *n, const struct peer *p)
{
	bool yes;

	if (!p->uid)
		return true;
	pthread_mutex_lock(&n->lock);
	ask(n, &n->group, 0, clock_ns(CLOCK_MONOTONIC));
	yes = n->group.yes && peer_in_group(p, n->group.id);
	pthread_mutex_unlock(&n->lock);
	return yes;
}
