// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/options.h"
#include "model/request.h"
#include "model/word.h"

#include <getopt.h>

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

int daemon_options(int argc, char **argv, struct daemon_options *ret)
{
	enum { SOCKET = 256, STATE_DIR, PIN_DIR, NO_PINS, DETACH_ALL, CONFIG, HELP, VERSION };
	static const struct option known[] = {
		{ "socket", required_argument, NULL, SOCKET },	 { "state-dir", required_argument, NULL, STATE_DIR },
		{ "pin-dir", required_argument, NULL, PIN_DIR }, { "no-pins", no_argument, NULL, NO_PINS },
		{ "detach-all", no_argument, NULL, DETACH_ALL }, { "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },	 { "config", required_argument, NULL, CONFIG },
		{ NULL },
	};
	int c;

	*ret = (struct daemon_options){
		.socket = "/run/sever/io.sever",
		.state_dir = "/var/lib/sever",
		.pin_dir = "/sys/fs/bpf/sever",
	};
	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (c) {
		case SOCKET:
			ret->socket = optarg;
			break;
		case STATE_DIR:
			ret->state_dir = optarg;
			break;
		case PIN_DIR:
			ret->pin_dir = optarg;
			break;
		case NO_PINS:
			ret->pin_dir = NULL;
			break;
		case DETACH_ALL:
			ret->detach_all = true;
			break;
		case CONFIG:
			ret->config = optarg;
			break;
		case 'h':
		case HELP:
			fputs(help, stdout);
			return STATUS_OK;
		case VERSION:
			puts("severd " SEVER_VERSION);
			return STATUS_OK;
		default:
			return STATUS_USAGE;
		}
	}
	if (optind < argc) {
		char shown[WORD_SHOWN];

		fprintf(stderr, "severd: unexpected word %s\n", word_show(argv[optind], shown));
		return STATUS_USAGE;
	}
	if (ret->detach_all && !ret->pin_dir) {
		fputs("severd: --detach-all and --no-pins do not go together\n", stderr);
		return STATUS_USAGE;
	}
	return -1;
}
