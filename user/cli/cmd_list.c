// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_list.c - `sever list`, and what every request needs. */
#include "cli/cli.h"
#include "pipeline/pipeline.h"

#include <sys/random.h>

/* A random (version 4) UUID. Not from /proc, which may be hidden. */
static int uuid_make(char ret[REQUEST_ID_LEN])
{
	uint8_t b[16];
	size_t at = 0;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = 0x40 | (b[6] & 0x0f);
	b[8] = 0x80 | (b[8] & 0x3f);
	for (size_t i = 0; i < sizeof(b); i++) {
		const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";

		at += snprintf(ret + at, REQUEST_ID_LEN - at, "%s%02x", dash, b[i]);
	}
	return 0;
}

enum status request_prepare(const struct command *v, struct options *o, struct report *ret, char *err)
{
	if (o->socket) {
		fail(0, err, "--socket %s: no severd answers there", o->socket);
		return STATUS_NO_DAEMON;
	}
	if (o->resident) {
		fail(0, err, "%s needs severd, which is not running; nothing was touched", o->resident);
		return STATUS_NO_DAEMON;
	}
	if (uuid_make(o->request.id) < 0) {
		fail(0, err, "the kernel gives no random numbers to name the request with");
		return STATUS_KERNEL;
	}
	o->request.verb = v->request;
	*ret = (struct report){
		.ops = o->json ? &report_json : &report_text,
		.out = stdout,
		.err = stderr,
		.tty = isatty(STDERR_FILENO),
		.quiet = o->quiet,
	};
	return STATUS_OK;
}

enum status cmd_list(const struct command *v, struct options *o, char *err)
{
	struct report report;
	enum status status = request_prepare(v, o, &report, err);

	return status == STATUS_OK ? list(&o->request, &report, err) : status;
}
