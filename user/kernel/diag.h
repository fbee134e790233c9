/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* diag.h - sock_diag bytes <-> struct flow. Pure: no socket, no allocation. */
#ifndef SEVER_DIAG_H
#define SEVER_DIAG_H

#include "model/flow.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>

/* Longest request diag_dump_request() writes: headers and a bytecode of DIAG_CODE_MAX. */
#define DIAG_CODE_MAX 16384
#define DIAG_DUMP_MAX (256 + DIAG_CODE_MAX)

struct diag_dump {
	enum proto proto;
	uint16_t family;   /* AF_INET or AF_INET6; TCP ignores it: one pass shows both */
	uint32_t states;   /* bits 1 << enum state */
	bool tcp_info;     /* ask for what min_age_ms, idle_ms, sent and received are read from */
	const void *code;  /* socket filter bytecode, NULL none */
	size_t code_len;
};

/* Writes a dump request into buf (DIAG_DUMP_MAX bytes, aligned) and returns its length. */
size_t diag_dump_request(void *buf, const struct diag_dump *d);

/* One message that names one flow: SOCK_DESTROY, or SOCK_DIAG_BY_FAMILY to look it up. Always with the cookie: without
 * it the kernel would fall through to the listener of that port. UDP and TCP only. */
#define DIAG_FLOW_LEN NLMSG_ALIGN(NLMSG_LENGTH(sizeof(struct inet_diag_req_v2)))
void diag_flow_request(void *buf, uint16_t type, const struct flow *f);
/* Makes a look-up of it that asks for tcp_info as well. */
void diag_ask_info(void *buf);

/* Reads one socket of a dump or look-up. 0, or -EBADMSG and *ret unchanged. netns, direction and everything about people
 * are left zero or unknown. */
int diag_parse(const struct nlmsghdr *nlh, enum proto proto, struct flow *ret);

#endif
