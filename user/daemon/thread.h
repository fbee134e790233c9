/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* thread.h - threads beside the event loop, which alone gets the signals. */
#ifndef SEVER_THREAD_H
#define SEVER_THREAD_H

#include "model/base.h"

#include <pthread.h>

/* 0 or negative errno. */
int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg);
/* A condition whose times are of CLOCK_MONOTONIC. */
void thread_cond_init(pthread_cond_t *c);
/* Until it is signalled or that time has come, in ns. Whether it was signalled. */
bool thread_wait(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t until_ns);

#endif
