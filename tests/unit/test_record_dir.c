// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_record_dir.c - a directory that nobody else can look into, one process at a time, and what that has accepted when it
 * is killed; lines that somebody else wrote.
 * LINK: -Wl,--wrap=fdatasync -Wl,--wrap=fsync
 */
#include "daemon/record_line.h"
#include "record_scene.h"

#include <signal.h>
#include <sys/wait.h>

/* The kernel has what was written, whoever is killed. */
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

static void open_says(int want)
{
	struct record *rec = NULL;
	int r;

	*scene_err = '\0';
	r = record_open(scene_state, &rec, scene_err);
	if (r == 0)
		record_close(rec);
	else
		assert_non_null(strstr(scene_err, scene_dir));
	assert_int_equal(r, want);
}

static void test_directory(void **state)
{
	struct record *rec;
	struct stat st;

	(void)state;
	open_says(0);
	assert_int_equal(stat(scene_state, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(scene_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (mode_t bit = 1; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod(scene_state, 0700 | bit), 0);
		open_says(-EPERM);
	}
	assert_int_equal(chmod(scene_state, 0700), 0);
	rec = scene_open();
	open_says(-EBUSY);
	assert_int_equal(scene_accept(rec, 1, 0, 0), 0);
	record_close(rec);
	open_says(0);
}

static void test_foreign(void **state)
{
	char elsewhere[96];

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", scene_dir);
	open_says(0);
	assert_int_equal(rename(scene_file, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, scene_file), 0);
	open_says(-ELOOP);
	assert_int_equal(unlink(scene_file), 0);
	assert_int_equal(mkfifo(scene_file, 0600), 0);
	open_says(-EPERM);
	assert_int_equal(unlink(scene_file), 0);
	assert_int_equal(unlink(elsewhere), 0);
	assert_int_equal(rmdir(scene_state), 0);
	close(open(scene_state, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	open_says(-ENOTDIR);
	assert_int_equal(unlink(scene_state), 0);
	strcat(scene_state, "/below");
	open_says(-ENOENT);
	scene_state[strlen(scene_state) - strlen("/below")] = '\0';
	open_says(0);
	if (geteuid())
		skip_because("only root can give a directory away");
	assert_int_equal(chown(scene_state, 65534, 65534), 0);
	open_says(-EPERM);
}

/* Accepts requests until it is killed, and says so after each. */
static void accept_for_ever(int out)
{
	struct record *rec = NULL;

	if (record_open(scene_state, &rec, scene_err) < 0)
		_exit(1);
	for (unsigned int i = 1;; i++) {
		struct recorded r = scene_request(i, 0, 0);

		if (record_accept(rec, &r) < 0 || (i > 400 && record_done(rec, scene_id(i - 400), 0, NULL) < 0) ||
		    write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		recorded_clear(&r);
	}
}

static void test_killed(void **state)
{
	(void)state;
	for (unsigned int after = 1; after < 4000; after = after * 3 + 1) {
		unsigned int last = 0, next;
		struct record *rec;
		int out[2], status;
		pid_t pid;

		scene_remove_files();
		assert_int_equal(pipe(out), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			accept_for_ever(out[1]);
		close(out[1]);
		while (last < after && read(out[0], &next, sizeof(next)) == sizeof(next))
			last = next;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(out[0], &next, sizeof(next)) == sizeof(next))
			last = next;
		close(out[0]);
		rec = scene_open();
		assert_null(record_complaint(rec));
		for (unsigned int i = last > 400 ? last - 400 : 0; i++ < last;)
			assert_true(scene_state_of(rec, i) >= 0);
		record_close(rec);
	}
}

static uint64_t sum_of(const char *text)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
	return sum;
}

#define ASKED_PART "\"request\":\"a\",\"verb\":\"kill\",\"time\":1,\"uid\":0,"
#define ASKED_REST "\"login_uid\":null,\"pid\":null,\"selectors\":[],\"reason\":null"

static void test_lines(void **state)
{
	static const struct {
		const char *json;
		int want;
	} cases[] = {
		{ "{\"accepted\":{" ASKED_PART ASKED_REST "}}", 0 },
		{ "{\"accepted\":{" ASKED_PART ASKED_REST ",\"later\":[1]},\"later\":1}", 0 },
		{ "{\"done\":{\"request\":\"a\",\"time\":1,\"status\":0,\"summary\":{}}}", 0 },
		{ "{\"done\":{\"request\":\"a\",\"time\":1,\"status\":0,\"summary\":null}}", 0 },
		{ "", -EBADMSG },
		{ "{}", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "1", -EBADMSG },
		{ "{\"accepted\":1}", -EBADMSG },
		{ "{\"done\":[]}", -EBADMSG },
		{ "{\"done\":{},\"accepted\":{}}", -EBADMSG },
		{ "{\"accepted\":{" ASKED_PART ASKED_REST "},\"done\":{\"request\":\"a\"}}", -EBADMSG },
		{ "{\"accepted\":{" ASKED_PART "\"uid\":1," ASKED_REST "}}", -EBADMSG }, /* a key twice */
		{ "{\"accepted\":{" ASKED_PART "\"pid\":1,\"selectors\":[],\"reason\":null}}", -EBADMSG },
		{ "{\"accepted\":{" ASKED_REST "}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"\",\"time\":1,\"status\":0,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":1,\"time\":1,\"status\":0,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"0123456789012345678901234567890123456\",\"time\":1,\"status\":0,"
		  "\"summary\":{}}}",
		  -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":-1,\"status\":0,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":1.5,\"status\":0,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":null,\"status\":0,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":1,\"status\":256,\"summary\":{}}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":1,\"status\":0,\"summary\":[]}}", -EBADMSG },
		{ "{\"done\":{\"request\":\"a\",\"time\":1,\"status\":0}}", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct record_line l = { 0 };
		char text[512];
		size_t len = snprintf(text, sizeof(text), "%016llx %s\n", (unsigned long long)sum_of(cases[i].json),
				      cases[i].json);
		int r = record_line_read(text, len, &l);

		if (r != cases[i].want)
			fail_msg("%s: %d", text, r);
		if (r == 0)
			assert_string_equal(l.r.id, "a");
		else
			assert_null(l.r.selectors);
		record_line_clear(&l);
		for (size_t cut = 0; cut + 1 < len; cut++)
			assert_int_equal(record_line_read(text, cut, &l), -EBADMSG);
		*text ^= 1;
		assert_int_equal(record_line_read(text, len, &l), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_directory(test_directory),
		in_a_directory(test_foreign),
		in_a_directory(test_killed),
		cmocka_unit_test(test_lines),
	};

	return unit_run("record_dir", tests, NULL);
}
