// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/options.h"
#include "model/request.h"
#include "model/word.h"

#include <getopt.h>
#include <string.h>
#include <sys/un.h>

static const char help[] =
	"severd: knows whose every connection of this host is, and ends them for those who may ask\n"
	"\n"
	"usage: severd [--socket PATH] [--state-dir DIR] [--pin-dir DIR | --no-pins] [--config PATH]\n"
	"       severd --detach-all [--pin-dir DIR]\n"
	"\n"
	"  --socket PATH     where to listen; default /run/sever/io.sever, or the socket systemd hands over\n"
	"  --state-dir DIR   where requests and fences are remembered; default /var/lib/sever\n"
	"  --pin-dir DIR     a directory in a bpffs that keeps tags and fences when severd ends; default /sys/fs/bpf/sever\n"
	"  --no-pins         tags and fences end with severd\n"
	"  --config PATH     severd.conf(5); default /etc/sever/severd.conf, if it is there. SIGHUP: read it again\n"
	"  --detach-all      take all tags and fences off this host, and end\n"
	"  --help, --version\n"
	"\n"
	"It stays in the foreground and says on stderr, or to systemd, when it is ready. See severd(8).\n";

enum { SOCKET, STATE_DIR, PIN_DIR, CONFIG, NO_PINS, DETACH_ALL, OPTIONS, HELP = OPTIONS, VERSION };

static const struct option known[] = {
	[SOCKET] = { "socket", required_argument, NULL, SOCKET },
	[STATE_DIR] = { "state-dir", required_argument, NULL, STATE_DIR },
	[PIN_DIR] = { "pin-dir", required_argument, NULL, PIN_DIR },
	[CONFIG] = { "config", required_argument, NULL, CONFIG },
	[NO_PINS] = { "no-pins", no_argument, NULL, NO_PINS },
	[DETACH_ALL] = { "detach-all", no_argument, NULL, DETACH_ALL },
	[HELP] = { "help", no_argument, NULL, HELP },
	[VERSION] = { "version", no_argument, NULL, VERSION },
	{ NULL },
};

static int refuse_value(int option, const char *what, const char *value)
{
	char shown[WORD_SHOWN];

	fprintf(stderr, "severd: --%s: %s: %s\n", known[option].name, what, word_show(value, shown));
	return STATUS_USAGE;
}

/* value: by option; those that take none have "" where they were given. -1, or the status to exit with. */
static int check(const char *const value[OPTIONS])
{
	static const struct {
		int one, other;
	} alone[] = {
		{ NO_PINS, PIN_DIR },	   { DETACH_ALL, NO_PINS }, { DETACH_ALL, SOCKET },
		{ DETACH_ALL, STATE_DIR }, { DETACH_ALL, CONFIG },
	};
	const struct sockaddr_un *a;
	const char *socket = value[SOCKET];

	for (int i = 0; i < NO_PINS; i++)
		if (value[i] && !*value[i])
			return refuse_value(i, "not a path", "''");
	if (socket && (*socket != '/' || strlen(socket) >= sizeof(a->sun_path)))
		return refuse_value(SOCKET, "not an absolute path of less than 108 bytes", socket);
	if (value[PIN_DIR] && *value[PIN_DIR] != '/')
		return refuse_value(PIN_DIR, "not an absolute path", value[PIN_DIR]);
	for (size_t i = 0; i < array_size(alone); i++) {
		if (!value[alone[i].one] || !value[alone[i].other])
			continue;
		fprintf(stderr, "severd: --%s and --%s do not go together\n", known[alone[i].one].name, known[alone[i].other].name);
		return STATUS_USAGE;
	}
	return -1;
}

int daemon_options(int argc, char **argv, struct daemon_options *ret)
{
	const char *value[OPTIONS] = { NULL };
	char shown[WORD_SHOWN];
	int c, r;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 'h' || c == HELP) {
			fputs(help, stdout);
			return STATUS_OK;
		}
		if (c == VERSION) {
			puts("severd " SEVER_VERSION);
			return STATUS_OK;
		}
		if (c >= OPTIONS)
			return STATUS_USAGE; /* which getopt has named */
		if (value[c]) {
			fprintf(stderr, "severd: --%s is given twice\n", known[c].name);
			return STATUS_USAGE;
		}
		value[c] = optarg ? optarg : "";
	}
	if (optind < argc) {
		fprintf(stderr, "severd: unexpected word %s\n", word_show(argv[optind], shown));
		return STATUS_USAGE;
	}
	r = check(value);
	if (r >= 0)
		return r;
	*ret = (struct daemon_options){
		.socket = value[SOCKET] ? value[SOCKET] : "/run/sever/io.sever",
		.state_dir = value[STATE_DIR] ? value[STATE_DIR] : "/var/lib/sever",
		.pin_dir = value[NO_PINS] ? NULL : value[PIN_DIR] ? value[PIN_DIR] : "/sys/fs/bpf/sever",
		.config = value[CONFIG],
		.detach_all = value[DETACH_ALL],
	};
	return -1;
}
