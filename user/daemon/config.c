// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/config.h"
#include "model/word.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLANKS " \t\r\n"
#define LINES_MAX 65536
#define LINE_BYTES 4096

void config_clear(struct config *c)
{
	free(c->protect.v);
	*c = (struct config){ 0 };
}

static int protect(const char *value, struct config *c, char *why)
{
	struct prefix p;
	int r = prefix_parse(value, &p, why);

	if (r < 0)
		return -EINVAL;
	if (*p.zone)
		return fail(-EINVAL, why, "a fence does not tell one link from another: leave the zone out");
	if (grow(&c->protect.v, &c->protect.cap, c->protect.n + 1, sizeof(p)) < 0)
		return -ENOMEM;
	c->protect.v[c->protect.n++] = p;
	return 0;
}

/* Changes the line. */
static int read_line(char *line, struct config *c, char *why)
{
	char *name = line + strspn(line, BLANKS), *value = name + strcspn(name, BLANKS), *end, shown[WORD_SHOWN];

	if (!*name || *name == '#')
		return 0;
	if (*value)
		*value++ = '\0';
	value += strspn(value, BLANKS);
	for (end = value + strlen(value); end > value && strchr(BLANKS, end[-1]);)
		*--end = '\0';
	if (strcmp(name, "--protect"))
		return fail(-EINVAL, why, "no such option: %s", word_show(name, shown));
	if (!*value)
		return fail(-EINVAL, why, "--protect: the address or prefix is missing");
	return protect(value, c, why);
}

static int read_lines(FILE *f, const char *path, struct config *c, char *err)
{
	char line[LINE_BYTES], why[ERR_LEN] = "";
	int r = 0;

	for (unsigned int n = 1; r == 0 && fgets(line, sizeof(line), f); n++) {
		if (n > LINES_MAX)
			return fail(-EINVAL, err, "%s: more than %d lines", path, LINES_MAX);
		/* A NUL hides what is behind it. */
		if (!strchr(line, '\n') && (!feof(f) || strlen(line) == sizeof(line) - 1))
			return fail(-EINVAL, err, "%s:%u: a NUL, or more than %d bytes", path, n, LINE_BYTES - 2);
		r = read_line(line, c, why);
		if (r < 0)
			fail(r, err, "%s:%u: %s", path, n, *why ? why : strerrordesc_np(-r));
	}
	return r < 0 || !ferror(f) ? r : fail(-EIO, err, "%s: cannot be read", path);
}

int config_read(const char *path, struct config *ret, char *err)
{
	const char *name = path ? path : CONFIG_USUAL;
	_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_(config_clear) struct config c = { 0 };
	_fclose_ FILE *f = NULL;
	struct stat st;
	int r = 0;

	if (fd < 0 && errno == ENOENT && !path) {
		config_clear(ret);
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(-errno, err, "%s: %s", name, strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return fail(-EINVAL, err, "%s: not a file", name);
	f = fdopen(fd, "r");
	if (!f)
		return -ENOMEM;
	fd = -1;
	r = read_lines(f, name, &c, err);
	if (r < 0)
		return r;
	config_clear(ret);
	*ret = c;
	c = (struct config){ 0 };
	return 0;
}
