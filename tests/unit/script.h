/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* script.h - a severd that has said all it will say before it is asked. */
#ifndef SEVER_TEST_SCRIPT_H
#define SEVER_TEST_SCRIPT_H

#include "cli/client.h"

#include <linux/sockios.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct client *c;
static int far = -1;
static char err[ERR_LEN];

static inline int script_open(void **state)
{
	int fd[2];

	(void)state;
	*err = '\0';
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	far = fd[1];
	return client_adopt(fd[0], &c);
}

static inline int script_close(void **state)
{
	(void)state;
	client_close(c);
	if (far >= 0)
		close(far);
	far = -1;
	return 0;
}

/* It hangs up after what it has said. */
static inline void script_end(void)
{
	close(far);
	far = -1;
}

static inline void script_again(void)
{
	script_close(NULL);
	assert_int_equal(script_open(NULL), 0);
}

static inline void script_say(const char *text)
{
	assert_int_equal(send(far, text, strlen(text) + 1, 0), strlen(text) + 1);
}

/* Until all of it has been read. */
static inline void script_wait(void)
{
	for (int left = 1; ioctl(far, SIOCOUTQ, &left) == 0 && left;)
		poll(NULL, 0, 1);
}

/* {key: o, ...}, with `end` behind it, such as `"status":0}`, or `}` where more is to come. */
static inline void script_put(const char *key, json_t *o, const char *end, bool continues)
{
	_free_ char *value = json_dumps(o, JSON_COMPACT), *text = NULL;

	assert_non_null(value);
	assert_true(asprintf(&text, "{\"parameters\":{\"%s\":%s%s%s}", key, value, end,
			     continues ? ",\"continues\":true" : "") > 0);
	script_say(text);
}

/* What it was asked; to be released. */
static inline json_t *script_asked(void)
{
	char text[8192];
	ssize_t n = recv(far, text, sizeof(text), MSG_DONTWAIT);
	json_t *call;

	assert_true(n > 0 && text[n - 1] == '\0');
	call = json_loads(text, 0, NULL);
	assert_non_null(call);
	return call;
}

#define S(f) cmocka_unit_test_setup_teardown(f, script_open, script_close)

#endif
