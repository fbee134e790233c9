// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names/caller.h"

#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

int session_of_caller(char id[SESSION_ID_LEN], uint32_t *ret_audit)
{
	_fclose_ FILE *f = NULL;
	_free_ char *logind = NULL;
	unsigned int audit;

	id[0] = '\0';
	if (sd_booted() > 0 && sd_pid_get_session(0, &logind) >= 0 && strlen(logind) < SESSION_ID_LEN) {
		strcpy(id, logind);
		return 0;
	}
	f = fopen("/proc/self/sessionid", "re");
	if (!f || fscanf(f, "%u", &audit) != 1 || audit == UINT32_MAX)
		return -ESRCH;
	*ret_audit = audit;
	return 0;
}
