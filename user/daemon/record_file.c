// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/record_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NEW_NAME RECORD_NAME ".new"

static int open_dir(const char *path, char *err)
{
	_close_ int dir = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(-errno, err, "%s: cannot be made: %m", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return fail(-errno, err, "%s: %m", path);
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return fail(-EPERM, err, "%s: must belong to uid %u and be open to nobody else (mode 0700)", path,
			    (unsigned)geteuid());
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? fail(-EBUSY, err, "%s: another severd keeps its record there", path) :
					      fail(-errno, err, "%s: cannot be locked: %m", path);
	return take_fd(&dir);
}

static int open_file(int dir, const char *path, struct stat *st, char *err)
{
	_close_ int fd = openat(dir, RECORD_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0 || fstat(fd, st) < 0)
		return fail(-errno, err, "%s/" RECORD_NAME ": %m", path);
	if (!S_ISREG(st->st_mode) || st->st_uid != geteuid())
		return fail(-EPERM, err, "%s/" RECORD_NAME ": not a file of uid %u", path, (unsigned)geteuid());
	return take_fd(&fd);
}

static int read_all(int fd, uint64_t size, char **ret, size_t *ret_len)
{
	size_t want = size < RECORD_READ_MAX ? size : RECORD_READ_MAX, got = 0;
	_free_ char *text = malloc(want + 1);

	if (!text)
		return -ENOMEM;
	while (got < want) {
		ssize_t n = pread(fd, text + got, want - got, size - want + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += n;
	}
	*ret = take_ptr(&text);
	*ret_len = got;
	return 0;
}

int record_file_open(const char *path, struct record_file *ret, char **ret_text, size_t *ret_len, char *err)
{
	_cleanup_(record_file_close) struct record_file f = RECORD_FILE_CLOSED;
	struct stat st;
	int r;

	f.dir = open_dir(path, err);
	if (f.dir < 0)
		return f.dir;
	f.fd = open_file(f.dir, path, &st, err);
	if (f.fd < 0)
		return f.fd;
	f.size = st.st_size;
	r = read_all(f.fd, f.size, ret_text, ret_len);
	if (r < 0)
		return fail(r, err, "%s/" RECORD_NAME ": cannot be read: %s", path, strerrordesc_np(-r));
	*ret = f;
	f = RECORD_FILE_CLOSED;
	return 0;
}

void record_file_close(struct record_file *f)
{
	closep(&f->fd);
	closep(&f->dir);
	*f = RECORD_FILE_CLOSED;
}

static int write_at(int fd, const char *text, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, text, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		at += n;
		len -= n;
	}
	return 0;
}

int record_file_append(struct record_file *f, const char *text, size_t len, bool sync)
{
	int r = write_at(f->fd, text, len, f->size);

	if (r < 0)
		return r;
	if (sync && fdatasync(f->fd) < 0)
		return -errno;
	f->size += len;
	return 0;
}

static int write_new(int fd, const struct iovec *v, size_t n, uint64_t *ret_size)
{
	uint64_t at = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = write_at(fd, v[i].iov_base, v[i].iov_len, at);
		if (r < 0)
			return r;
		at += v[i].iov_len;
	}
	*ret_size = at;
	return fdatasync(fd) < 0 ? -errno : 0;
}

int record_file_replace(struct record_file *f, const struct iovec *v, size_t n)
{
	_close_ int fd = openat(f->dir, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint64_t size = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = write_new(fd, v, n, &size);
	if (r == 0 && renameat(f->dir, NEW_NAME, f->dir, RECORD_NAME) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(f->dir, NEW_NAME, 0);
		return r;
	}
	/* From here on the name is the new file's, whatever is said of the directory: what follows must go there. */
	closep(&f->fd);
	f->fd = take_fd(&fd);
	f->size = size;
	return fsync(f->dir) < 0 ? -errno : 0;
}

int record_file_set_aside(struct record_file *f)
{
	if (unlinkat(f->dir, RECORD_BAD_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	return linkat(f->dir, RECORD_NAME, f->dir, RECORD_BAD_NAME, 0) < 0 ? -errno : 0;
}
