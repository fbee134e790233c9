/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interface.h - the texts of include/sever/NAME.varlink, as they stand there, and the names that both ends use. */
#ifndef SEVER_INTERFACE_H
#define SEVER_INTERFACE_H

#define IO_SEVER "io.sever"
#define ORG_VARLINK_SERVICE "org.varlink.service"
#define IO_SEVER_SOCKET "/run/sever/io.sever"

extern const char interface_io_sever[], interface_org_varlink_service[];

#endif
