// SPDX-License-Identifier: LGPL-2.1-or-later
/* door.c - of two that start at once only one may find the file stale and take its name, so who opens a path holds a
 * lock beside it. The lock is not on the folder, which anybody could take. */
#include "daemon/door.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#define BACKLOG 256
#define LOCK_TRIES 16

/* Opens the lock file and locks it. 0: its name went meanwhile, try again. */
static int try_lock(const char *name, int *ret)
{
	_close_ int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat mine, there;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	if (fstat(fd, &mine) < 0)
		return -errno;
	if (stat(name, &there) < 0 || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
		return 0;
	*ret = take_fd(&fd);
	return 1;
}

static int lock_name(const char *path, char **ret)
{
	return asprintf(ret, "%s.lock", path) < 0 ? -ENOMEM : 0;
}

static int take_lock(const char *path, int *ret)
{
	_free_ char *name = NULL;
	int r = lock_name(path, &name);

	for (int i = 0; i < LOCK_TRIES && r == 0; i++)
		r = try_lock(name, ret);
	return r < 0 ? r : r ? 0 : -EBUSY;
}

/* What stands in the way of bind(). 0: it was stale and is gone. */
static int clear_way(const struct sockaddr_un *a, char *err)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || lstat(a->sun_path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return fail(-EEXIST, err, "%s is there and is no socket", a->sun_path);
	if (connect(fd, (const void *)a, sizeof(*a)) == 0 || errno != ECONNREFUSED)
		return fail(-EADDRINUSE, err, "%s: another severd listens there", a->sun_path);
	return unlink(a->sun_path) < 0 ? -errno : 0;
}

/* Nobody can connect before listen(), and then it has its mode. */
static int bind_to(int fd, const struct sockaddr_un *a, struct door *d, char *err)
{
	struct stat st;
	int r = 0;

	if (bind(fd, (const void *)a, sizeof(*a)) < 0)
		r = errno == EADDRINUSE ? clear_way(a, err) : -errno;
	else
		r = 1;
	if (r == 0 && bind(fd, (const void *)a, sizeof(*a)) < 0)
		r = -errno;
	if (r < 0)
		return r;
	if (chmod(a->sun_path, 0666) < 0 || lstat(a->sun_path, &st) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return 0;
}

/* The directory of the socket, where nobody has made it; for everybody, whatever our umask. */
static int have_dir(const char *path)
{
	_free_ char *dir = strdup(path);

	if (!dir)
		return -ENOMEM;
	*strrchr(dir, '/') = '\0';
	return mkdir(dir, 0755) == 0 && chmod(dir, 0755) < 0 ? -errno : 0;
}

static int open_path(const char *path, struct door *ret, char *err)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_close_ int lock = -1;
	struct door d = DOOR_CLOSED;
	int r;

	if (fd < 0)
		return -errno;
	if (*path != '/' || strlen(path) >= sizeof(a.sun_path))
		return fail(-EINVAL, err, "%s: not an absolute path of less than %zu bytes", path, sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path));
	r = have_dir(path);
	if (r == 0)
		r = take_lock(path, &lock);
	if (r == -EADDRINUSE)
		return fail(r, err, "%s: another severd listens there", path);
	if (r == 0)
		r = bind_to(fd, &a, &d, err);
	if (r < 0)
		return r;
	d.path = strdup(path);
	if (!d.path)
		return -ENOMEM;
	d.fd = take_fd(&fd);
	d.lock = take_fd(&lock);
	*ret = d;
	return 0;
}

int door_open(const char *path, struct door *ret, char *err)
{
	int n = sd_listen_fds(1), r;

	*err = '\0';
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
			continue;
		*ret = DOOR_CLOSED;
		ret->fd = fd;
		return 0;
	}
	r = open_path(path, ret, err);
	if (r < 0 && !*err)
		fail(r, err, "%s: %s", path, strerrordesc_np(-r));
	return r;
}

void door_close(struct door *d)
{
	_free_ char *name = NULL;
	struct stat st;

	closep(&d->fd);
	if (d->path && lstat(d->path, &st) == 0 && st.st_dev == d->dev && st.st_ino == d->ino)
		unlink(d->path);
	if (d->path && lock_name(d->path, &name) == 0)
		unlink(name);
	closep(&d->lock);
	free(d->path);
	*d = DOOR_CLOSED;
}
