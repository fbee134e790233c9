// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_record_disk.c - the record on a disk that fills up, fails, is cut short by a crash, or was scribbled on: what can be known is
 * known, and nothing of it keeps severd from working.
 * LINK: -Wl,--wrap=fdatasync -Wl,--wrap=fsync -Wl,--wrap=pwrite -Wl,--wrap=pwrite64 -Wl,--wrap=renameat
 */
#include "record_scene.h"

static struct {
	unsigned int calls, at; /* the at-th call fails; 0: none does */
	unsigned int times;	/* and so do the ones after it, so many in all */
	int error;
} fault;

static bool failing(void)
{
	fault.calls++;
	if (!fault.at || fault.calls < fault.at || fault.calls >= fault.at + fault.times)
		return false;
	errno = fault.error;
	return true;
}

int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_pwrite(int fd, const void *text, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *text, size_t len, off_t at);
int __real_renameat(int from, const char *name, int to, const char *as);
int __wrap_renameat(int from, const char *name, int to, const char *as);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	return failing() ? -1 : 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return failing() ? -1 : 0;
}

/* A disk that is full takes what fits. */
ssize_t __wrap_pwrite(int fd, const void *text, size_t len, off_t at)
{
	if (!failing())
		return __real_pwrite(fd, text, len, at);
	__real_pwrite(fd, text, len / 2, at);
	errno = fault.error;
	return -1;
}

int __wrap_renameat(int from, const char *name, int to, const char *as)
{
	return failing() ? -1 : __real_renameat(from, name, to, as);
}

static void fail_at(unsigned int at, unsigned int times, int error)
{
	fault.calls = 0;
	fault.at = at;
	fault.times = times;
	fault.error = error;
}

/* Three requests; the first one is done. */
static char *three(size_t *ret_len)
{
	struct record *rec;

	scene_remove_files();
	rec = scene_open();
	assert_int_equal(scene_accept(rec, 1, 0, 0), 0);
	assert_int_equal(scene_accept(rec, 2, 1001, 0), 0);
	assert_int_equal(record_done(rec, scene_id(1), STATUS_OK, NULL), 0);
	assert_int_equal(scene_accept(rec, 3, 0, 0), 0);
	record_close(rec);
	return scene_read(scene_file, ret_len);
}

/* A crash leaves any number of bytes: what was written as a whole is known, the rest is not, nobody complains, and what
 * comes next is kept. */
static void test_cut_anywhere(void **state)
{
	size_t len;
	char *text = three(&len);

	(void)state;
	for (size_t cut = 0; cut <= len; cut += unit_stride(10)) {
		unsigned int lines = 0;
		struct record *rec;

		for (size_t i = 0; i < cut; i++)
			lines += text[i] == '\n';
		scene_write(text, cut);
		rec = scene_open();
		assert_null(record_complaint(rec));
		assert_int_equal(scene_state_of(rec, 1), lines < 1 ? -1 : lines < 3 ? 0 : 1);
		assert_int_equal(scene_state_of(rec, 2), lines < 2 ? -1 : 0);
		assert_int_equal(scene_state_of(rec, 3), lines < 4 ? -1 : 0);
		assert_int_equal(scene_accept(rec, 4, 0, 0), 0);
		record_close(rec);
		rec = scene_open();
		assert_null(record_complaint(rec));
		assert_int_equal(scene_state_of(rec, 2), lines < 2 ? -1 : 0);
		assert_int_equal(scene_state_of(rec, 4), 0);
		record_close(rec);
	}
	free(text);
}

/* One byte of the second line is another one. */
static void test_scribbled(void **state)
{
	size_t len, bad_len;
	char *text = three(&len), *bad;
	char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;

	(void)state;
	for (char *at = second; at < third; at += unit_stride(10)) {
		struct record *rec;
		char was = *at;

		*at ^= 1;
		scene_write(text, len);
		rec = scene_open();
		assert_non_null(record_complaint(rec));
		assert_non_null(strstr(record_complaint(rec), "requests.bad"));
		assert_int_equal(scene_state_of(rec, 1),
				 at == third - 1 ? 0 : 1); /* its newline: the third went as well */
		assert_int_equal(scene_state_of(rec, 2), -1);
		assert_int_equal(scene_state_of(rec, 3), 0);
		record_close(rec);
		bad = scene_read(scene_bad, &bad_len);
		assert_int_equal(bad_len, len);
		assert_memory_equal(bad, text, len);
		free(bad);
		rec = scene_open(); /* it is said once */
		assert_null(record_complaint(rec));
		assert_int_equal(scene_state_of(rec, 3), 0);
		record_close(rec);
		*at = was;
	}
	free(text);
}

static void test_not_a_record(void **state)
{
	size_t big = (16 << 20) + 12345, len;
	char *text = malloc(big), *last = three(&len);
	struct record *rec;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', big);
	memcpy(text + big - len, last, len);
	scene_write(text, big);
	rec = scene_open();
	assert_non_null(record_complaint(rec));
	assert_int_equal(scene_state_of(rec, 3), 0);
	record_close(rec);
	memset(text, 0, big);
	scene_write(text, big);
	rec = scene_open();
	assert_int_equal(scene_state_of(rec, 3), -1);
	assert_int_equal(scene_accept(rec, 4, 0, 0), 0);
	record_close(rec);
	rec = scene_open();
	assert_null(record_complaint(rec));
	assert_int_equal(scene_state_of(rec, 4), 0);
	record_close(rec);
	free(text);
	free(last);
}

/* Each line is there twice, so half of them mean nothing. */
static void test_twice(void **state)
{
	struct record *rec;
	size_t len;
	char *text = three(&len), *twice;

	(void)state;
	assert_true(asprintf(&twice, "%s%s", text, text) > 0);
	scene_write(twice, 2 * len);
	rec = scene_open();
	assert_non_null(strstr(record_complaint(rec), " 4 lines "));
	assert_int_equal(scene_state_of(rec, 1), 1);
	assert_int_equal(scene_state_of(rec, 2), 0);
	record_close(rec);
	free(twice);
	free(text);
}

/* Each call that can fail does, one time or for a while. Requests that were refused are unknown, all others known. */
static void test_disk_fails(void **state)
{
	static const int errors[] = { ENOSPC, EIO };
	bool failed = true;

	(void)state;
	for (unsigned int at = 1; failed; at++)
		for (unsigned int k = 0; k < 4; k++) {
			struct record *rec;
			int accepted[4], ended;
			size_t len;

			free(three(&len));
			rec = scene_open();
			fail_at(at, k / 2 ? 3 : 1, errors[k % 2]);
			accepted[0] = scene_accept(rec, 4, 0, 2000); /* longer than all that follow */
			ended = record_done(rec, scene_id(2), STATUS_OK, NULL);
			accepted[1] = scene_accept(rec, 5, 0, 0);
			failed = accepted[0] < 0 || ended < 0 || accepted[1] < 0;
			assert_true(failed == (fault.calls >= at));
			assert_int_equal(scene_state_of(rec, 2), 1);
			accepted[2] = scene_accept(rec, 6, 0, 0);
			fail_at(0, 0, 0);
			accepted[3] = scene_accept(rec, 7, 0, 0);
			assert_int_equal(accepted[3], 0);
			for (unsigned int i = 0; i < 4; i++) {
				if (accepted[i] < 0)
					assert_int_equal(accepted[i], -errors[k % 2]);
				assert_int_equal(scene_state_of(rec, 4 + i), accepted[i] < 0 ? -1 : 0);
			}
			record_close(rec);
			rec = scene_open();
			assert_null(record_complaint(rec));
			for (unsigned int i = 0; i < 4; i++)
				assert_int_equal(scene_state_of(rec, 4 + i), accepted[i] < 0 ? -1 : 0);
			assert_int_equal(scene_state_of(rec, 1), 1);
			assert_int_equal(scene_state_of(rec, 2), 1);
			record_close(rec);
		}
}

/* A full disk at the start: it is said, and the requests of before are known. */
static void test_disk_full_at_start(void **state)
{
	struct record *rec;
	size_t len;
	char *text = three(&len);

	(void)state;
	scene_write(text, len - 1);
	fail_at(1, 1, ENOSPC);
	rec = scene_open();
	assert_non_null(strstr(record_complaint(rec), "No space left"));
	assert_int_equal(scene_state_of(rec, 2), 0);
	assert_int_equal(scene_accept(rec, 4, 0, 0), 0);
	record_close(rec);
	rec = scene_open();
	assert_int_equal(scene_state_of(rec, 2), 0);
	assert_int_equal(scene_state_of(rec, 4), 0);
	record_close(rec);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_directory(test_cut_anywhere), in_a_directory(test_scribbled),
		in_a_directory(test_not_a_record), in_a_directory(test_twice),
		in_a_directory(test_disk_fails),   in_a_directory(test_disk_full_at_start),
	};

	return unit_run("record_disk", tests, NULL);
}
