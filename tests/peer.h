/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* peer.h - what the parts of the test peer share. */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static inline void die(const char *what)
{
	printf("= error %s: %s\n", what, strerrorname_np(errno));
	exit(1);
}

static inline void check(long r, const char *what)
{
	if (r < 0)
		die(what);
}

/* How many times slower than a real one this machine is (lib.sh). */
static inline int slower(void)
{
	const char *times = getenv("SEVER_TEST_SLOW");

	return times && atoi(times) > 1 ? atoi(times) : 1;
}

/* peer.c */
long now_ms(void);
void wait_ms(long ms);
void parse_address(const char *text, int port, union address *ret);
socklen_t address_len(const union address *a);
void enter_netns(const char *file);
unsigned long own_netns(void);

enum mode { ECHO, SINK, HOLD, FLOOD, SLOW };

struct spec { /* what `listen` or `connect` was told; lives as long as the process */
	int type, proto, n, backlog, sport, retry; /* retry: 0 never, else after that many ms and one */
	enum mode mode;
	long amount;
	bool later, deaf, shared, ours;
	const char *dev;
	union address to, from;
	unsigned long netns;
};

struct conn {
	const struct spec *spec;
	uint64_t cookie;
	int fd;
	bool listener, over;
};

/* peer_conn.c */
#define MAX_CONN 20000
extern struct conn conns[MAX_CONN];
extern unsigned int n_conns, ends[256]; /* how they ended, by errno */
extern unsigned long total_read, total_sent;
extern int epfd; /* data.u32: index of the connection */

bool live(const struct conn *c);
int new_socket(const struct spec *s);
void set_deaf(int fd, bool deaf);
struct conn *add(int fd, const struct spec *s, bool listener);
void drop(struct conn *c);	    /* close it */
int open_one(const struct spec *s); /* connect; a negative errno */
int accept_all(struct conn *l, int max);
void readable(struct conn *c);
long number(char **word);			/* 0 where there is none */
struct spec *new_spec(char **words, bool ours); /* from "VERB PROTO ADDR PORT [OPTION...]" */

/* peer_run.c: obeys the command, then the fifo. */
int run(int ctl, char **command);
void act(struct conn *c, const char *verb);

/* Commands, with their words: peer_traffic.c, peer_pass.c */
void do_echo(char **w);
void do_latency(char **w);
void do_churn(char **w);
void do_fork(char **w);
void do_run(char **w);
void do_become(char **w);
void do_give(char **w);
void do_take(char **w);
void received(int fd); /* a connection was given to us */

/* peer_endure.c */
void do_storm(char **w);
void do_trip(char **w);
void do_say(char **w);
void one_more_end(void); /* of a connection */
int list_bpf(void);

/* peer_knock.c */
void do_knock(char **w);

/* peer_ask.c: print an answer; 1: there was none in time, or the peer is gone. */
int await_answer(const char *name, const char *pid, long ms);
int ask_peer(const char *name, const char *pid, long ms, char **words);

/* peer_dump.c */
int dump(void);
int count_alive(const char *file);

/* peer_trace.c: runs a program whose orders to destroy sockets do not arrive, though it is told so, and where `all`
 * which can neither use BPF nor others' descriptors; or that becomes another user before its n-th batch of orders.
 * Its exit status; 126 where this cannot be done. */
int swallow(bool all, char **argv);
int demote(unsigned int uid, long n, char **argv);

#endif
