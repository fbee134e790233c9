// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_record.c - what was asked is known again after a restart, within bounds that nobody can stretch.
 * LINK: -Wl,--wrap=fdatasync -Wl,--wrap=fsync
 */
#include "record_scene.h"

static unsigned int syncs;

int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	syncs++;
	return 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

static void assert_same(const struct recorded *a, const struct recorded *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->verb, b->verb);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->accepted_us, b->accepted_us);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->login_uid, b->login_uid);
	assert_int_equal(a->pid, b->pid);
	assert_true(json_equal(a->selectors, b->selectors));
	assert_true(a->reason == b->reason || json_equal(a->reason, b->reason));
	assert_true(a->summary == b->summary || json_equal(a->summary, b->summary));
}

static void test_round_trip(void **state)
{
	struct recorded asked = scene_request(1, 1001, 0), found = { 0 }, again = { 0 };
	json_t *summary = json_pack("{s:i, s:[s]}", "dead", 3, "notes", "t\xc3\xa9xt \"\\\n");
	struct record *rec = scene_open();

	(void)state;
	asked.verb = VERB_DISCONNECT;
	asked.login_uid = 0;
	asked.pid = 4711;
	asked.reason = json_string("ticket \"4711\"\n\x1b[2J");
	assert_int_equal(record_accept(rec, &asked), 0);
	assert_int_equal(record_accept(rec, &asked), -EEXIST);
	assert_int_equal(record_find(rec, asked.id, &found), 0);
	assert_same(&asked, &found);
	recorded_clear(&found);

	assert_int_equal(record_done(rec, asked.id, STATUS_PARTIAL, summary), 0);
	assert_int_equal(record_done(rec, asked.id, STATUS_OK, NULL), -EALREADY);
	assert_int_equal(record_done(rec, scene_id(2), STATUS_OK, NULL), -ENOENT);
	assert_int_equal(record_find(rec, asked.id, &found), 0);
	asked.done = true;
	asked.status = STATUS_PARTIAL;
	asked.summary = json_incref(summary);
	assert_same(&asked, &found);
	assert_true(found.done_us > asked.accepted_us);
	record_close(rec);

	rec = scene_open();
	assert_null(record_complaint(rec));
	assert_int_equal(record_find(rec, asked.id, &again), 0);
	assert_same(&found, &again);
	assert_int_equal(found.done_us, again.done_us);
	assert_int_equal(record_find(rec, scene_id(2), &again), -ENOENT);
	record_close(rec);
	recorded_clear(&asked);
	recorded_clear(&found);
	recorded_clear(&again);
	json_decref(summary);
}

static void test_unknown(void **state)
{
	struct recorded asked = scene_request(1, UINT32_MAX, 0), found = { 0 };
	struct record *rec = scene_open();

	(void)state;
	assert_int_equal(record_accept(rec, &asked), 0);
	assert_int_equal(record_done(rec, asked.id, STATUS_GUARD, NULL), 0);
	record_close(rec);
	rec = scene_open();
	assert_int_equal(record_find(rec, asked.id, &found), 0);
	asked.done = true;
	asked.status = STATUS_GUARD;
	assert_same(&asked, &found);
	record_close(rec);
	recorded_clear(&asked);
	recorded_clear(&found);
}

/* What could not be read again is not taken, and harms nothing. */
static void test_nonsense(void **state)
{
	struct record *rec = scene_open();
	struct recorded r = scene_request(1, 0, 0);
	json_t *selectors = r.selectors, *wrong = json_pack("[s, i]", "--all", 1);

	(void)state;
	r.selectors = NULL;
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	r.selectors = wrong;
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	r.selectors = selectors;
	r.verb = VERB_LIST;
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	r.verb = VERB_KILL;
	r.accepted_us = UINT64_MAX;
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	r.accepted_us = 1;
	*r.id = '\0';
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	memset(r.id, 'x', sizeof(r.id));
	assert_int_equal(record_accept(rec, &r), -EINVAL);
	strcpy(r.id, scene_id(1));
	assert_int_equal(record_accept(rec, &r), 0);
	assert_int_equal(record_done(rec, r.id, -1, NULL), -EINVAL);
	assert_int_equal(record_done(rec, r.id, STATUS_OK, selectors), -EINVAL);
	assert_int_equal(scene_state_of(rec, 1), 0);
	record_close(rec);
	json_decref(wrong);
	recorded_clear(&r);
}

/* When accept returns the line is in the file, and the disk was asked to take it. */
static void test_before_the_first_dies(void **state)
{
	struct record *rec = scene_open();
	size_t len;
	char *text;

	(void)state;
	syncs = 0;
	assert_int_equal(scene_accept(rec, 7, 0, 0), 0);
	assert_int_equal(syncs, 1);
	text = scene_read(scene_file, &len);
	assert_non_null(strstr(text, scene_id(7)));
	assert_int_equal(text[len - 1], '\n');
	free(text);
	record_close(rec);
}

struct walk {
	struct record *rec;
	unsigned int n, end_at;
	uint64_t last;
};

static int settle(const struct recorded *r, void *arg)
{
	struct walk *w = arg;

	assert_false(r->done);
	assert_true(r->accepted_us > w->last);
	w->last = r->accepted_us;
	if (++w->n == w->end_at)
		return -ECANCELED;
	return record_done(w->rec, r->id, STATUS_PARTIAL, NULL);
}

static void test_unfinished(void **state)
{
	struct record *rec = scene_open();
	struct walk w = { .end_at = 3 };

	(void)state;
	for (unsigned int i = 1; i <= 10; i++) {
		assert_int_equal(scene_accept(rec, i, 0, 0), 0);
		if (i % 2)
			assert_int_equal(record_done(rec, scene_id(i), 0, NULL), 0);
	}
	record_close(rec);
	w.rec = rec = scene_open();
	assert_int_equal(record_unfinished(rec, settle, &w), -ECANCELED);
	assert_int_equal(w.n, 3);
	w = (struct walk){ .rec = rec };
	assert_int_equal(record_unfinished(rec, settle, &w), 0);
	assert_int_equal(w.n, 3);
	w = (struct walk){ .rec = rec };
	assert_int_equal(record_unfinished(rec, settle, &w), 0);
	assert_int_equal(w.n, 0);
	record_close(rec);
}

/* Accepts and ends n requests of uid; how many of them are known then. */
static unsigned int known_after(struct record *rec, unsigned int first, unsigned int n, uint32_t uid)
{
	unsigned int known = 0;

	for (unsigned int i = first; i < first + n; i++) {
		assert_int_equal(scene_accept(rec, i, uid, 0), 0);
		assert_int_equal(record_done(rec, scene_id(i), 0, NULL), 0);
	}
	for (unsigned int i = first; i < first + n; i++)
		known += scene_state_of(rec, i) == 1;
	return known;
}

static void test_the_newest_are_kept(void **state)
{
	struct record *rec = scene_open();

	(void)state;
	assert_int_equal(scene_accept(rec, 1, 0, 0), 0); /* and never done */
	assert_int_equal(known_after(rec, 1000, RECORD_REQUESTS + 50, 0), RECORD_REQUESTS - 1);
	assert_int_equal(scene_state_of(rec, 1050), -1);
	assert_int_equal(scene_state_of(rec, 1051), 1);
	assert_int_equal(scene_state_of(rec, 1), 0);
	/* A user who asks much forgets his own, and root's stay. */
	assert_int_equal(known_after(rec, 5000, RECORD_REQUESTS, 1001), RECORD_REQUESTS / RECORD_SHARE);
	assert_int_equal(scene_state_of(rec, 1000 + RECORD_REQUESTS + 49), 1);
	assert_int_equal(scene_state_of(rec, 1000 + RECORD_REQUESTS / 2), 1);
	record_close(rec);
	rec = scene_open();
	assert_null(record_complaint(rec));
	assert_int_equal(scene_state_of(rec, 1), 0);
	assert_int_equal(scene_state_of(rec, 5000 + RECORD_REQUESTS - 1), 1);
	assert_int_equal(scene_state_of(rec, 5000), -1);
	assert_int_equal(scene_state_of(rec, 1000 + RECORD_REQUESTS / 2), 1);
	record_close(rec);
}

static void test_bytes(void **state)
{
	struct record *rec = scene_open();
	unsigned int n, busy;
	struct stat st;
	int r;

	(void)state;
	assert_int_equal(scene_accept(rec, 0, 0, RECORD_LINE_MAX), -E2BIG);
	assert_int_equal(scene_state_of(rec, 0), -1);
	for (n = 0; (r = scene_accept(rec, n, 1001, 200000)) == 0; n++)
		;
	assert_int_equal(r, -EBUSY);
	assert_in_range(n * 200000, RECORD_BYTES / 2 / RECORD_SHARE - 250000, RECORD_BYTES / 2 / RECORD_SHARE);
	busy = n;
	for (; (r = scene_accept(rec, n, 0, 200000)) == 0; n++)
		;
	assert_int_equal(r, -EBUSY);
	assert_in_range(n * 200000, RECORD_BYTES / 2 - 250000, RECORD_BYTES / 2);
	assert_int_equal(scene_accept(rec, 1000, 0, 10), 0); /* a small one still fits */
	assert_int_equal(record_done(rec, scene_id(busy), 0, NULL), 0);
	assert_int_equal(scene_accept(rec, n, 0, 200000), 0);
	/* And so on for three times what the file may hold, or once where the CPU is emulated. */
	for (unsigned int i = 2000; i < 2000 + 3 * RECORD_FILE_MAX / unit_stride(3) / 200000; i++) {
		assert_int_equal(record_done(rec, scene_id(n), 0, NULL), 0);
		n = i;
		assert_int_equal(scene_accept(rec, n, 0, 200000), 0);
		assert_int_equal(stat(scene_file, &st), 0);
		assert_true(st.st_size <= RECORD_FILE_MAX);
	}
	assert_int_equal(scene_state_of(rec, n), 0);
	record_close(rec);
	rec = scene_open();
	assert_null(record_complaint(rec));
	assert_int_equal(scene_state_of(rec, n), 0);
	assert_int_equal(scene_state_of(rec, 0), 0);
	record_close(rec);
}

/* The outcome is known even where there is no room for all of it. */
static void test_long_summary(void **state)
{
	struct record *rec = scene_open();
	json_t *summary = json_pack("{s:o}", "note", json_sprintf("%0*d", 2 * RECORD_LINE_MAX, 0));

	(void)state;
	assert_int_equal(scene_accept(rec, 1, 0, 0), 0);
	assert_int_equal(record_done(rec, scene_id(1), STATUS_OK, summary), -E2BIG);
	assert_int_equal(scene_state_of(rec, 1), 1);
	record_close(rec);
	json_decref(summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_directory(test_round_trip), in_a_directory(test_unknown),
		in_a_directory(test_nonsense),	 in_a_directory(test_before_the_first_dies),
		in_a_directory(test_unfinished), in_a_directory(test_the_newest_are_kept),
		in_a_directory(test_bytes),	 in_a_directory(test_long_summary),
	};

	return unit_run("record", tests, NULL);
}
