// SPDX-License-Identifier: LGPL-2.1-or-later
/* lazy_login.c - what sever calls of libsystemd, which is not opened before the first of these calls. It brings seven more libraries
 * along, and to start with them takes longer than to ask severd. Only sever is linked with this; severd has libsystemd anyway. */
#include "model/base.h"

#include <dlfcn.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

#define LIBRARY "libsystemd.so.0"

/* NULL: there is none, which is said once. It stays open. */
static void *find(const char *name)
{
	static void *library;
	static bool tried;

	if (!tried) {
		tried = true;
		library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
		if (!library)
			fprintf(stderr, "sever: sessions are not known: %s\n", dlerror());
	}
	return library ? dlsym(library, name) : NULL;
}

#define FORWARD(name, parameters, arguments)                            \
	int name parameters                                             \
	{                                                               \
		int(*real) parameters = (int(*) parameters)find(#name); \
                                                                        \
		return real ? real arguments : -ELIBACC;                \
	}

FORWARD(sd_pid_get_session, (pid_t pid, char **ret), (pid, ret))
FORWARD(sd_pid_get_user_unit, (pid_t pid, char **ret), (pid, ret))
FORWARD(sd_session_get_uid, (const char *session, uid_t *ret), (session, ret))
FORWARD(sd_session_get_tty, (const char *session, char **ret), (session, ret))
FORWARD(sd_session_get_seat, (const char *session, char **ret), (session, ret))
FORWARD(sd_session_get_state, (const char *session, char **ret), (session, ret))
FORWARD(sd_session_get_remote_host, (const char *session, char **ret), (session, ret))
FORWARD(sd_session_is_remote, (const char *session), (session))

/* What sd_booted(3) says that it does; and where it is so the library must be there. */
int sd_booted(void)
{
	if (access("/run/systemd/system/", F_OK) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return find("sd_booted") ? 1 : -ELIBACC;
}
