// SPDX-License-Identifier: LGPL-2.1-or-later
#include "varlink/interface.h"

/* Made by the Makefile: each line of the file as a C string. */
const char interface_io_sever[] =
#include <io.sever.varlink.inc>
	;

const char interface_org_varlink_service[] =
#include <org.varlink.service.varlink.inc>
	;
