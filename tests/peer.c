// SPDX-License-Identifier: LGPL-2.1-or-later
/* peer.c - the victims, their peers and the bystanders of the tests: real sockets that say what happened to them.
 *
 *	peer run CTL [OPTIONS] COMMAND...	does COMMAND, then whatever lines come through the fifo CTL
 *	peer await NAME PID MS			the first answer of the peer NAME, which is process PID
 *	peer ask NAME PID MS COMMAND...		tells it to do COMMAND; its answer
 *	peer as [OPTIONS] PROGRAM...		runs a program
 *	peer dump [NETNS-FILE]			every TCP, MPTCP and UDP socket, one a line
 *	peer alive FILE				how many of the cookies in FILE are still in such a dump
 *	peer try ADDR PORT [FROM]		connects and expects an echo: "ok", or what went wrong
 *	peer netns FILE				a new network namespace, lo up, mounted on FILE
 *	peer demote UID N PROGRAM...		runs sever, which becomes UID before its N-th batch of orders to destroy
 *	peer swallow orders|all PROGRAM...	runs sever, whose orders to destroy do not arrive; nor can it go about otherwise;
 *						the first one lost makes the file $SWALLOWED
 *	peer bpf				the BPF programs, maps and links of this host: "prog ID", "map ID", "link ID"
 *	peer now				monotonic milliseconds
 *
 * OPTIONS, in the order they take effect: -n FILE enter this network namespace, -g DIR join this cgroup, -l UID
 * become this login uid (with a new audit session), -p lose CAP_SYS_PTRACE, -u UID become this user, -c yet keep
 * CAP_NET_ADMIN.
 * The commands of `run` are listed in peer_run.c. */
#include "peer.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* What is neither IPv4 nor IPv6 is a path, or "@name" in the abstract namespace. */
void parse_address(const char *text, int port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &ret->in6.sin6_addr) == 1) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons(port);
	} else {
		ret->un.sun_family = AF_UNIX;
		strncpy(ret->un.sun_path, text, sizeof(ret->un.sun_path) - 1);
		if (*text == '@')
			ret->un.sun_path[0] = 0;
	}
}

socklen_t address_len(const union address *a)
{
	if (a->sa.sa_family == AF_UNIX)
		return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->un.sun_path + 1);
	return a->sa.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

unsigned long own_netns(void)
{
	struct stat st;

	check(stat("/proc/self/ns/net", &st), "own netns");
	return st.st_ino;
}

void enter_netns(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	check(fd, file);
	check(setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static void put(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd, path);
	check(write(fd, text, strlen(text)), path);
	close(fd);
}

static void become(unsigned int uid, bool net_admin)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	check(prctl(PR_SET_KEEPCAPS, net_admin), "PR_SET_KEEPCAPS");
	check(setgroups(0, NULL), "setgroups");
	check(setresgid(uid, uid, uid), "setgid");
	check(setresuid(uid, uid, uid), "setuid");
	if (!net_admin)
		return;
	data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_NET_ADMIN;
	check(syscall(SYS_capset, &head, data), "capset");
	check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0), "ambient");
}

/* Returns the index of the first word after the options. */
static int take_options(int argc, char **argv)
{
	const char *user = NULL, *login = NULL, *netns = NULL, *cgroup = NULL;
	bool net_admin = false, no_ptrace = false;
	int o;

	while ((o = getopt(argc, argv, "+n:g:l:u:cp")) != -1) {
		netns = o == 'n' ? optarg : netns;
		cgroup = o == 'g' ? optarg : cgroup;
		login = o == 'l' ? optarg : login;
		user = o == 'u' ? optarg : user;
		net_admin = net_admin || o == 'c';
		no_ptrace = no_ptrace || o == 'p';
	}
	if (netns)
		enter_netns(netns);
	if (cgroup)
		put(cgroup, "cgroup.procs", "0");
	if (login)
		put("/proc/self", "loginuid", login);
	if (no_ptrace)
		check(prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE), "CAP_SYS_PTRACE"); /* gone with the next exec */
	if (user)
		become(atoi(user), net_admin);
	return optind;
}

static int try(const char *to, const char *port, const char *from)
{
	struct timeval patience = { .tv_sec = 3 * slower() };
	union address a, own;
	char back[8] = "";
	int fd;

	parse_address(to, atoi(port), &a);
	fd = socket(a.sa.sa_family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (from) {
		parse_address(from, 0, &own);
		check(bind(fd, &own.sa, address_len(&own)), "bind");
	}
	if (connect(fd, &a.sa, address_len(&a)) || send(fd, "hello!\n", 8, MSG_NOSIGNAL) != 8 ||
	    recv(fd, back, 8, MSG_WAITALL) < 0)
		return printf("%s\n", strerrorname_np(errno)) < 0;
	return printf("%s\n", strcmp(back, "hello!\n") ? "EOF" : "ok") < 0;
}

static int new_netns(const char *file)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = open(file, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);

	check(fd, file);
	close(fd);
	check(unshare(CLONE_NEWNET), "unshare");
	check(mount("/proc/self/ns/net", file, NULL, MS_BIND, NULL), "mount");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(ioctl(fd, SIOCSIFFLAGS, &lo), "lo up");
	return 0;
}

static int run_peer(int argc, char **argv)
{
	struct rlimit files;
	pid_t parent = getppid();
	int ctl = open(argv[0], O_RDWR | O_CLOEXEC), first;

	check(ctl, argv[0]);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	first = take_options(argc, argv);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* no peer outlives its test */
	if (getppid() != parent)
		return 1;
	return run(ctl, argv + first);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int first;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(verb, "run") && argc > 3)
		return run_peer(argc - 2, argv + 2);
	if (!strcmp(verb, "await") && argc == 5)
		return await_answer(argv[2], argv[3], atol(argv[4]));
	if (!strcmp(verb, "ask") && argc > 5)
		return ask_peer(argv[2], argv[3], atol(argv[4]), argv + 5);
	if (!strcmp(verb, "as") && argc > 2) {
		first = take_options(argc - 1, argv + 1) + 1;
		signal(SIGPIPE, SIG_DFL);
		signal(SIGINT, SIG_DFL); /* a shell ignores it for what runs in its background */
		execvp(argv[first], argv + first);
		perror(argv[first]);
		return 127;
	}
	if (!strcmp(verb, "dump")) {
		if (argc > 2)
			enter_netns(argv[2]);
		return dump();
	}
	if (!strcmp(verb, "alive") && argc == 3)
		return count_alive(argv[2]);
	if (!strcmp(verb, "try") && argc > 3)
		return try(argv[2], argv[3], argv[4]);
	if (!strcmp(verb, "netns") && argc == 3)
		return new_netns(argv[2]);
	if (!strcmp(verb, "demote") && argc > 4)
		return demote(atoi(argv[2]), atol(argv[3]), argv + 4);
	if (!strcmp(verb, "swallow") && argc > 3)
		return swallow(!strcmp(argv[2], "all"), argv + 3);
	if (!strcmp(verb, "bpf"))
		return list_bpf();
	if (!strcmp(verb, "now"))
		return printf("%ld\n", now_ms()) < 0;
	fprintf(stderr, "usage: see the head of peer.c\n");
	return 2;
}
