// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel/diag.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

static void put_attr(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLMSG_ALIGN(a->nla_len);
}

/* TCP is asked in the older form of the request, the only one whose family may be "any": one walk over
 * the connection table instead of two. */
static void tcp_request(struct nlmsghdr *h, const struct diag_dump *d)
{
	struct inet_diag_req *req = NLMSG_DATA(h);

	h->nlmsg_type = TCPDIAG_GETSOCK;
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*req));
	req->idiag_states = d->states;
	req->idiag_ext = d->tcp_info ? 1 << (INET_DIAG_INFO - 1) : 0;
}

static void family_request(struct nlmsghdr *h, const struct diag_dump *d)
{
	struct inet_diag_req_v2 *req = NLMSG_DATA(h);
	uint32_t mptcp = IPPROTO_MPTCP;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*req));
	req->sdiag_family = d->family;
	req->sdiag_protocol = d->proto == PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	req->idiag_states = d->states;
	req->idiag_ext = d->tcp_info ? 1 << (INET_DIAG_INFO - 1) : 0;
	if (d->proto == PROTO_MPTCP)
		put_attr(h, INET_DIAG_REQ_PROTOCOL, &mptcp, sizeof(mptcp));
}

size_t diag_dump_request(void *buf, const struct diag_dump *d)
{
	struct nlmsghdr *h = memset(buf, 0, 256);

	if (d->proto == PROTO_TCP)
		tcp_request(h, d);
	else
		family_request(h, d);
	if (d->code)
		put_attr(h, INET_DIAG_REQ_BYTECODE, d->code, d->code_len);
	return h->nlmsg_len;
}

/* The 4 words of an address as the socket's own family writes it. */
static void put_addr(__be32 dst[4], uint16_t family, const struct addr *a)
{
	memset(dst, 0, 16);
	if (family == AF_INET6 && a->family == AF_INET) {
		dst[2] = htonl(0xffff);
		memcpy(&dst[3], a->b, 4);
	} else {
		memcpy(dst, a->b, family == AF_INET6 ? 16 : 4);
	}
}

void diag_flow_request(void *buf, uint16_t type, const struct flow *f)
{
	struct nlmsghdr *h = memset(buf, 0, DIAG_FLOW_LEN);
	struct inet_diag_req_v2 *req = NLMSG_DATA(h);
	struct inet_diag_sockid *id = &req->id;
	/* A UDP look-up reads the two ends the other way round, "for historical reasons" (kernel,
	 * udp_diag.c:udp_dump_one); a UDP destroy does not. */
	bool swap = f->proto == PROTO_UDP && type == SOCK_DIAG_BY_FAMILY;
	const struct addr *src = swap ? &f->remote : &f->local, *dst = swap ? &f->local : &f->remote;

	h->nlmsg_len = NLMSG_LENGTH(sizeof(*req));
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST;
	req->sdiag_family = f->family;
	req->sdiag_protocol = f->proto == PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	req->idiag_states = -1;
	id->idiag_sport = htons(swap ? f->remote_port : f->local_port);
	id->idiag_dport = htons(swap ? f->local_port : f->remote_port);
	put_addr(id->idiag_src, f->family, src);
	put_addr(id->idiag_dst, f->family, dst);
	id->idiag_if = f->ifindex;
	id->idiag_cookie[0] = f->cookie;
	id->idiag_cookie[1] = f->cookie >> 32;
}

void diag_ask_info(void *buf)
{
	struct inet_diag_req_v2 *req = NLMSG_DATA((struct nlmsghdr *)buf);

	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
}

/* Only a TCP socket below MPTCP names "mptcp" as its upper layer protocol. */
static bool ulp_is_mptcp(const struct rtattr *ulp)
{
	const struct rtattr *a = RTA_DATA(ulp);
	int left = RTA_PAYLOAD(ulp);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == INET_ULP_INFO_NAME)
			return RTA_PAYLOAD(a) >= 5 && !memcmp(RTA_DATA(a), "mptcp", 5);
	return false;
}

static bool in_the_making(uint8_t state)
{
	return state == STATE_SYN_SENT || state == STATE_SYN_RECV || state == STATE_NEW_SYN_RECV;
}

/* The kernel keeps no birth time. But both clocks of the last byte start with the connection, so the older of the two is
 * a time at which it existed (tcp_finish_connect(), tcp_create_openreq_child()), and the younger one is right where no byte
 * ever came or went. Acknowledgements and keepalive probes carry none and set neither. */
static void read_clocks(const struct tcp_info *ti, struct flow *f)
{
	bool sent_last = ti->tcpi_last_data_sent < ti->tcpi_last_data_recv;

	f->min_age_ms = sent_last ? ti->tcpi_last_data_recv : ti->tcpi_last_data_sent;
	f->idle_ms = sent_last ? ti->tcpi_last_data_sent : ti->tcpi_last_data_recv;
	f->timed = true;
}

/* As bpf/events.bpf.h counts at the end: bytes sent again are not counted again, and the peer's FIN is none. */
static void read_counts(const struct tcp_info *ti, struct flow *f)
{
	bool peer_closed = f->state == STATE_CLOSE_WAIT || f->state == STATE_LAST_ACK || f->state == STATE_CLOSING;

	f->sent = ti->tcpi_bytes_sent - ti->tcpi_bytes_retrans;
	f->received = ti->tcpi_bytes_received;
	f->received -= peer_closed && f->received;
	f->counted = true;
}

static void read_info(const struct rtattr *info, struct flow *f)
{
	size_t len = RTA_PAYLOAD(info);
	struct tcp_info ti = { 0 };

	if (f->proto != PROTO_TCP || f->state == STATE_LISTEN)
		return;
	memcpy(&ti, RTA_DATA(info), len < sizeof(ti) ? len : sizeof(ti));
	if (len >= offsetof(struct tcp_info, tcpi_pmtu) && !in_the_making(f->state))
		read_clocks(&ti, f);
	if (len >= offsetof(struct tcp_info, tcpi_dsack_dups))
		read_counts(&ti, f);
}

/* The kernel counts SYN and FIN into the queue of unacknowledged bytes. */
static uint32_t payload(uint32_t wqueue, uint8_t state)
{
	if (in_the_making(state))
		return 0;
	if (state == STATE_FIN_WAIT1 || state == STATE_CLOSING || state == STATE_LAST_ACK)
		return wqueue ? wqueue - 1 : 0;
	return wqueue;
}

static void parse_attrs(const struct nlmsghdr *nlh, struct flow *f)
{
	const struct rtattr *a = (void *)((char *)NLMSG_DATA(nlh) + sizeof(struct inet_diag_msg));
	int left = nlh->nlmsg_len - NLMSG_LENGTH(sizeof(struct inet_diag_msg));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		uint16_t type = a->rta_type & NLA_TYPE_MASK;

		if (type == INET_DIAG_CGROUP_ID && RTA_PAYLOAD(a) >= sizeof(f->cgroup))
			memcpy(&f->cgroup, RTA_DATA(a), sizeof(f->cgroup));
		else if (type == INET_DIAG_ULP_INFO)
			f->subflow = ulp_is_mptcp(a);
		else if (type == INET_DIAG_INFO)
			read_info(a, f);
	}
}

int diag_parse(const struct nlmsghdr *nlh, enum proto proto, struct flow *ret)
{
	const struct inet_diag_msg *m = NLMSG_DATA(nlh);
	struct flow f = { .proto = proto, .proc = -1, .session = -1, .login_uid = ID_UNSET,
			  .shared_with = ID_UNSET };

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	if ((m->idiag_family != AF_INET && m->idiag_family != AF_INET6) ||
	    m->idiag_state >= STATE_MAX)
		return -EBADMSG;
	f.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	f.family = m->idiag_family;
	f.state = m->idiag_state;
	f.local = addr_from_bytes(f.family, m->id.idiag_src);
	f.remote = addr_from_bytes(f.family, m->id.idiag_dst);
	f.local_port = ntohs(m->id.idiag_sport);
	f.remote_port = ntohs(m->id.idiag_dport);
	f.ifindex = m->id.idiag_if;
	if (addr_is_linklocal(&f.local))
		f.local.scope = f.ifindex;
	if (addr_is_linklocal(&f.remote))
		f.remote.scope = f.ifindex;
	f.uid = m->idiag_uid;
	f.inode = m->idiag_inode;
	f.rqueue = m->idiag_rqueue;
	f.wqueue = payload(m->idiag_wqueue, f.state);
	parse_attrs(nlh, &f);
	*ret = f;
	return 0;
}
