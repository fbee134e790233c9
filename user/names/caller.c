// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names/caller.h"

#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

int session_of_caller(uint32_t pid, char id[SESSION_ID_LEN], uint32_t *ret_audit)
{
	_fclose_ FILE *f = NULL;
	_free_ char *logind = NULL;
	unsigned int audit;
	char path[64];

	id[0] = '\0';
	if (sd_booted() > 0 && sd_pid_get_session(pid, &logind) >= 0 && strlen(logind) < SESSION_ID_LEN) {
		strcpy(id, logind);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%u/sessionid", pid ? pid : (uint32_t)getpid());
	f = fopen(path, "re");
	if (!f || fscanf(f, "%u", &audit) != 1 || audit == UINT32_MAX)
		return -ESRCH;
	*ret_audit = audit;
	return 0;
}
