// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/caps.h"

#include <linux/capability.h>
#include <sys/syscall.h>

bool cap_effective(unsigned int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &h, d) < 0)
		return false;
	return d[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}
