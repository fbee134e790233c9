// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_file.c - the file of the fences: a line that says of which boot it is and when it was written, and a line for each.
 * It is replaced as a whole, but for when it was written: for that alone no room is needed, which a full disk has not, and
 * without it all fences would have their whole time again after a boot. Keys are never renamed or dropped; an unknown one is of a
 * later version and is passed over. */
#include "daemon/fencing_parts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "fences"
#define NEW_NAME NAME ".new"
#define BAD_NAME NAME ".bad"
#define FILE_MAX (256u << 20)
#define SECOND UINT64_C(1000000000)
#define HEAD_MAX 160
#define TIME_WIDTH 19 /* of the longest */

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= n;
	}
	return 0;
}

static int replace(const struct fencing *f, const char *text, size_t len)
{
	_close_ int fd = openat(f->dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r == 0 && (fdatasync(fd) < 0 || renameat(f->dir, NEW_NAME, f->dir, NAME) < 0))
		r = -errno;
	if (r == 0 && fsync(f->dir) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(f->dir, NEW_NAME, 0);
	return r;
}

/* Where the time stands in it. */
static size_t spell_head(const struct fencing *f, char ret[HEAD_MAX])
{
	size_t at = snprintf(ret, HEAD_MAX, "{\"fences\":1,\"boot\":\"%s\",\"saved\":", f->boot);

	snprintf(ret + at, HEAD_MAX - at, "%*ju,\"last\":%ju}\n", TIME_WIDTH, (uintmax_t)clock_ns(CLOCK_BOOTTIME),
		 (uintmax_t)f->last);
	return at;
}

/* -ESTALE: that is no file of ours, or of another boot. */
static int write_time(const struct fencing *f)
{
	_close_ int fd = openat(f->dir, NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char head[HEAD_MAX], there[HEAD_MAX] = "";
	size_t at = spell_head(f, head);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (pread(fd, there, at + TIME_WIDTH + 1, 0) < 0)
		return -errno;
	if (memcmp(there, head, at) || strspn(there + at, " 0123456789") != TIME_WIDTH)
		return -ESTALE;
	n = pwrite(fd, head + at, TIME_WIDTH, at);
	if (n != TIME_WIDTH)
		return n < 0 ? -errno : -EIO;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int spell_fence(struct standing *s, FILE *to)
{
	int r = s->line || s->leaving ? 0 : standing_write(s);

	if (r == 0 && !s->leaving)
		fwrite(s->line, 1, s->line_len, to);
	return r;
}

static int spell(struct fencing *f, struct standing *also, FILE *to)
{
	char head[HEAD_MAX];
	int r = 0;

	spell_head(f, head);
	fwrite(head, 1, strlen(head), to);
	for (size_t i = 0; i < f->all.n && r == 0; i++)
		r = spell_fence(f->all.v[i], to);
	return r == 0 && also ? spell_fence(also, to) : r;
}

/* What changes from here on is for the next time. */
static int spell_all(struct fencing *f, struct standing *also, char **ret, size_t *ret_len)
{
	FILE *to = open_memstream(ret, ret_len);
	int r;

	if (!to)
		return -ENOMEM;
	pthread_mutex_lock(&f->lock);
	f->stale = false;
	r = spell(f, also, to);
	pthread_mutex_unlock(&f->lock);
	r = ferror(to) ? -ENOMEM : r;
	return fclose(to) != 0 ? -ENOMEM : r;
}

/* Whether and what a write that failed has left there, nobody knows. */
static void settle(struct fencing *f, int r)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);

	pthread_mutex_lock(&f->lock);
	f->stale |= r < 0;
	if (f->stuck && r == 0)
		fencing_complain(f, "the fences are written down again");
	if (!f->stuck && r < 0)
		fencing_complain(f, "the fences cannot be written down: %s; that is tried again each second", strerrordesc_np(-r));
	f->stuck = r < 0;
	f->due = r < 0 || f->unraised ? now + SECOND : f->stale ? 0 : now + FENCING_SAVE_S * SECOND;
	fencing_plan(f);
	pthread_mutex_unlock(&f->lock);
}

int fencing_save(struct fencing *f, struct standing *also, char *err)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = spell_all(f, also, &text, &len);

	if (r == 0)
		r = replace(f, text, len);
	settle(f, r);
	return r < 0 ? fail(r, err, "the fences cannot be written down: %s", strerrordesc_np(-r)) : 0;
}

void fencing_keep(struct fencing *f)
{
	bool stale;
	int r;

	pthread_mutex_lock(&f->disk_lock);
	pthread_mutex_lock(&f->lock);
	stale = f->stale;
	pthread_mutex_unlock(&f->lock);
	r = stale ? -ESTALE : write_time(f);
	if (r == 0)
		settle(f, 0);
	else if (fencing_save(f, NULL, NULL) < 0)
		write_time(f);
	pthread_mutex_unlock(&f->disk_lock);
}

static int read_file(int dir, char **ret, size_t *ret_len)
{
	_close_ int fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_free_ char *text = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_size > FILE_MAX)
		return -EBADMSG;
	text = malloc(st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (n && len < (size_t)st.st_size) {
		n = read(fd, text + len, st.st_size - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? n : 0;
	}
	*ret = take_ptr(&text);
	*ret_len = len;
	return 0;
}

static int read_head(const char *line, size_t len, const char *boot, bool *ret_same, uint64_t *ret_saved, uint64_t *ret_last)
{
	_cleanup_(json_decrefp) json_t *head = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *of = json_string_value(json_object_get(head, "boot"));
	json_int_t saved = -1, last = -1;
	int version = 0;

	if (!of || json_unpack(head, "{si sI sI}", "fences", &version, "saved", &saved, "last", &last) < 0 || version < 1 ||
	    saved < 0 || last < 0 || (uint64_t)last >= FENCING_NUMBER_MAX)
		return -EBADMSG;
	*ret_same = !strcmp(of, boot);
	*ret_saved = saved;
	*ret_last = last;
	return 0;
}

/* Numbers rise from line to line. One too many is as bad as one that cannot be read: the kernel takes all or none. */
static int read_lines(struct fencing *f, const char *at, const char *end, bool same, uint64_t saved)
{
	size_t bad = 0, parts = 0;

	while (at < end) {
		const char *nl = memchr(at, '\n', end - at), *stop = nl ? nl : end;
		_cleanup_(standing_freep) struct standing *s = NULL;
		int r = standing_read(at, stop - at, same, saved, &s);

		if (r == -ENOMEM)
			return r;
		if (r == 0 && (s->number > f->last || f->all.n == FENCING_MAX ||
			       parts + s->parts.n > FENCING_PARTS_MAX ||
			       (f->all.n && s->number <= f->all.v[f->all.n - 1]->number)))
			r = -EBADMSG;
		if (r == 0 && fencing_insert(f, s) < 0)
			return -ENOMEM;
		if (r == 0) {
			parts += s->parts.n;
			take_ptr(&s);
		}
		bad += r < 0;
		at = stop + 1;
	}
	return bad ? -EBADMSG : 0;
}

static int read_all(struct fencing *f, const char *text, size_t len)
{
	const char *nl = memchr(text, '\n', len);
	uint64_t saved;
	bool same;
	int r = nl ? read_head(text, nl - text, f->boot, &same, &saved, &f->last) : -EBADMSG;

	return r < 0 ? r : read_lines(f, nl + 1, text + len, same, saved);
}

/* What numbers were given is not known any more: the next ones are higher than anyone can have come. */
static void lose_count(struct fencing *f)
{
	uint64_t now = clock_ns(CLOCK_REALTIME) / SECOND;

	f->last = f->last > now ? f->last : now;
	f->stale = true;
}

/* Nobody could see or lift what stands. */
static int miss(struct fencing *f, char *err)
{
	lose_count(f);
	return fail(-EBADMSG, err, "the file " NAME " is missing: what a severd before this one has put up is taken down");
}

/* The name stays until the next save takes it: whoever is killed before that reads the same again. What cannot be linked
 * holds no fences. */
static int set_aside(struct fencing *f, char *err)
{
	lose_count(f);
	unlinkat(f->dir, BAD_NAME, 0);
	if (linkat(f->dir, NAME, f->dir, BAD_NAME, 0) < 0 && renameat(f->dir, NAME, f->dir, BAD_NAME) < 0 &&
	    errno != ENOENT)
		return fail(-errno, err, "the file " NAME " is damaged, and cannot be kept as " BAD_NAME ": %s",
			    strerrordesc_np(errno));
	return fail(-EBADMSG, err, "the file " NAME " is damaged and is kept as " BAD_NAME "; %zu fences could be read",
		    f->all.n);
}

int fencing_load(struct fencing *f, char *err)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int r = read_file(f->dir, &text, &len);

	if (r == -ENOENT)
		return f->kernel && fence_any(f->kernel) ? miss(f, err) : 0;
	if (r == 0)
		r = read_all(f, text, len);
	if (r == -EBADMSG || r == -ELOOP)
		return set_aside(f, err);
	return r < 0 ? fail(r, err, "the file " NAME " cannot be read: %s", strerrordesc_np(-r)) : 0;
}
