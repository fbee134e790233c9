/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_scene.h - a record in a directory of its own, and requests to put there.
 * A test that writes thousands of them wraps fdatasync() and fsync(). */
#ifndef SEVER_TEST_RECORD_SCENE_H
#define SEVER_TEST_RECORD_SCENE_H

#include "daemon/record.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define in_a_directory(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)

static char scene_dir[] = "/tmp/test_record.XXXXXX";
static char scene_state[64], scene_file[128], scene_bad[128];
static char scene_err[ERR_LEN];

static inline int scene_set_up(void **state)
{
	(void)state;
	strcpy(scene_dir + strlen(scene_dir) - 6, "XXXXXX");
	if (!mkdtemp(scene_dir))
		return -1;
	snprintf(scene_state, sizeof(scene_state), "%s/state", scene_dir);
	snprintf(scene_file, sizeof(scene_file), "%s/requests", scene_state);
	snprintf(scene_bad, sizeof(scene_bad), "%s/requests.bad", scene_state);
	return 0;
}

static inline void scene_remove_files(void)
{
	static const char *const names[] = { "requests", "requests.new", "requests.bad" };

	for (size_t i = 0; i < array_size(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", scene_state, names[i]);
		unlink(path);
	}
}

static inline int scene_tear_down(void **state)
{
	(void)state;
	scene_remove_files();
	rmdir(scene_state);
	return rmdir(scene_dir);
}

static inline struct record *scene_open(void)
{
	struct record *rec = NULL;
	int r = record_open(scene_state, &rec, scene_err);

	if (r < 0)
		fail_msg("record_open: %d %s", r, scene_err);
	return rec;
}

static inline const char *scene_id(unsigned int n)
{
	static char id[4][REQUEST_ID_LEN];
	static unsigned int turn;
	char *one = id[turn++ % 4];

	snprintf(one, REQUEST_ID_LEN, "6d1c0e9a-0000-4000-8000-%012u", n);
	return one;
}

/* `bytes` more in its selectors. */
static inline struct recorded scene_request(unsigned int n, uint32_t uid, size_t bytes)
{
	struct recorded r = { .verb = VERB_KILL,
			      .accepted_us = 1700000000000000 + n,
			      .uid = uid,
			      .login_uid = ID_UNSET,
			      .selectors = json_array() };

	strcpy(r.id, scene_id(n));
	json_array_append_new(r.selectors, json_string("--user alice"));
	for (; bytes > 0; bytes -= bytes < 1000 ? bytes : 1000)
		json_array_append_new(r.selectors, json_sprintf("%0*d", bytes < 1000 ? (int)bytes : 1000, 0));
	return r;
}

static inline int scene_accept(struct record *rec, unsigned int n, uint32_t uid, size_t bytes)
{
	struct recorded r = scene_request(n, uid, bytes);
	int ret = record_accept(rec, &r);

	recorded_clear(&r);
	return ret;
}

/* -1: not there; 0: not done; 1: done. */
static inline int scene_state_of(const struct record *rec, unsigned int n)
{
	struct recorded r = { 0 };
	int done;

	if (record_find(rec, scene_id(n), &r) < 0)
		return -1;
	assert_string_equal(r.id, scene_id(n));
	done = r.done;
	recorded_clear(&r);
	return done;
}

static inline char *scene_read(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	text = malloc(st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, st.st_size), st.st_size);
	text[st.st_size] = '\0';
	*ret_len = st.st_size;
	close(fd);
	return text;
}

static inline void scene_write(const char *text, size_t len)
{
	int fd = open(scene_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

#endif
