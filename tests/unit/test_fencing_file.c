// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fencing_file.c - fences of people over a restart and over a boot, and what a damaged file does. */
#include "fencing_scene.h"
#include "kernel/cgroup.h"

/* The same fences, but for what time does to them. */
static json_t *without_time(json_t *all)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_object_del(json_array_get(all, i), "remaining_ms");
		json_object_del(json_array_get(all, i), "until");
	}
	return all;
}

static void test_restart(void **state)
{
	_cleanup_(json_decrefp) json_t *before = NULL, *after = NULL;
	json_int_t left;

	(void)state;
	must_add("--client 127.0.0.2 --local-port 1-64 --proto tcp", 500000);
	must_add("--user uid:77123 --peer fd00::/64", 100000);
	must_add("--client 127.0.0.3", 200000);
	must_add("--session audit:4000000", 300000);
	before = without_time(listed());
	left = number(0, "remaining_ms");
	again();
	after = without_time(listed());
	if (!json_equal(before, after))
		fail_msg("%s\n%s", json_dumps(before, 0), json_dumps(after, 0));
	assert_true(number(0, "remaining_ms") <= left && number(0, "remaining_ms") > left - deadline_ms());
	knock("127.0.0.3", -ECONNREFUSED);
	assert_int_equal(number(1, "refused"), 1);
}

/* As the file would be found after a boot: times of another clock, which had gone on for `later` ns when it was written. */
static void pretend_other_boot(uint64_t later)
{
	_free_ char *text = NULL, *at = NULL, *whole = NULL;
	char *nl;
	size_t len;

	read_text(&text, &len);
	nl = strchr(text, '\n');
	assert_true(nl && strstr(text, "\"boot\":\"") < nl);
	at = strndup(text, nl - text);
	assert_true(at && asprintf(&whole, "{\"fences\":1,\"boot\":\"x\",\"saved\":%ju,\"last\":%ju}%s",
				   (uintmax_t)(clock_ns(CLOCK_BOOTTIME) + later), (uintmax_t)fencing->last, nl) > 0);
	fencing_close(fencing);
	write_text(whole, strlen(whole));
	fencing = open_with(NULL);
}

static void test_other_boot(void **state)
{
	const uint64_t hour = 3600000;

	(void)state;
	must_add("--user uid:77123", 4 * hour);
	must_add("--user uid:77124", hour / 2);
	must_add("--session audit:4000000", 5 * hour);
	/* Half of it was gone by; what has happened since, nobody knows. */
	pretend_other_boot(2 * hour * 1000000);
	fencing_tick(fencing);
	assert_int_equal(count(), 2); /* the second had ended */
	assert_true(number(0, "remaining_ms") <= (json_int_t)(2 * hour) &&
		    number(0, "remaining_ms") > (json_int_t)(2 * hour) - deadline_ms());
	/* All name this namespace by a number that may be another's now. */
	for (size_t i = 0; i < 2; i++)
		assert_true(fencing->all.v[i]->notes & FENCE_NOTE_LAPSED && !fencing->all.v[i]->parts.n);
	again();
	assert_int_equal(count(), 2);
	assert_true(fencing->all.v[0]->notes & FENCE_NOTE_LAPSED && !fencing->all.v[0]->parts.n);
}

static const char whole_line[] =
	"{\"fence\":%u,\"selectors\":[%s],\"reason\":null,\"uid\":0,\"login_uid\":0,\"pid\":0,\"request\":\"\","
	"\"since\":1,\"up\":1,\"until\":%ju,\"users\":[%s],\"cgroups\":[%s],\"units\":[%s],\"netns\":[%s],"
	"\"sessions\":[],\"tops\":[%s]}\n";

/* What has a name is looked up again; a number of the old boot is nobody's, or somebody else's. */
static void test_other_boot_names(void **state)
{
	static const char session[] =
		"{\"fence\":1,\"selectors\":[\"--session audit:4000000\"],\"reason\":null,\"uid\":0,\"login_uid\":0,\"pid\":0,"
		"\"request\":\"\",\"since\":1,\"up\":1,\"until\":9000000000,\"users\":[],\"cgroups\":[],\"units\":[],\"netns\":[],"
		"\"sessions\":[4000000],\"tops\":[]}";
	_free_ char *mount = NULL;
	char path[128], selector[192], line[1024];
	struct standing *s = NULL;
	struct stat st;

	(void)state;
	must(cgroup_mount(&mount), "cgroup v2");
	snprintf(path, sizeof(path), "%s/sever-file-%d", mount, getpid());
	snprintf(selector, sizeof(selector), "\"--cgroup %s\"", path + strlen(mount));
	snprintf(line, sizeof(line), whole_line, 1u, selector, (uintmax_t)(now() + SECOND), "", "7", "", "", "7");
	must(mkdir(path, 0755), path);
	must(stat(path, &st), path);
	assert_int_equal(standing_read(line, strlen(line), false, 1, &s), 0);
	must(rmdir(path), path);
	assert_true(s->parts.n == 1 && s->parts.v[0].subject == st.st_ino);
	standing_free(s);
	assert_int_equal(standing_read(session, strlen(session), false, 1, &s), 0);
	assert_true(s->notes & FENCE_NOTE_LAPSED && !s->parts.n);
	standing_free(s);
}

/* What was not looked up by a number of the old boot stands again. */
static void test_other_boot_lasts(void **state)
{
	struct standing *s = NULL;
	static const char line[] =
		"{\"fence\":5,\"selectors\":[\"--client 192.0.2.0/24\",\"--local-port 22\"],\"reason\":null,\"uid\":0,"
		"\"login_uid\":0,\"pid\":0,\"request\":\"\",\"since\":1,\"up\":1,\"until\":9000000000,\"lapsed\":false,"
		"\"users\":[],\"cgroups\":[],\"units\":[],\"netns\":[],\"sessions\":[],\"tops\":[]}";

	(void)state;
	assert_int_equal(standing_read(line, strlen(line), false, 8000000000, &s), 0);
	assert_true(s->parts.n == 1 && s->parts.v[0].port == 22 && s->parts.v[0].until == s->until_ns && !s->since_ns);
	assert_true(s->until_ns > now() && s->until_ns <= now() + SECOND);
	standing_free(s);
}

/* Whatever stands in the file: it is read or set aside, and what was read can be shown, written and raised. */
static void test_hostile(void **state)
{
	_free_ char *text = NULL, *bad = NULL;
	unsigned int seed = 7;
	size_t len, taken = 0;

	(void)state;
	must_add("--client 127.0.0.2 --local-port 1-3 --proto tcp", 500000);
	must_add("--user uid:77123 --peer fd00::/64", 100000);
	fencing_close(fencing);
	read_text(&text, &len);
	bad = malloc(len + 1);
	assert_non_null(bad);
	for (unsigned int i = 0; i < many(3000); i++) {
		struct fencing one = { .dir = must(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir) };
		size_t n = i % 3 ? len : rand_r(&seed) % len;

		pthread_mutex_init(&one.lock, NULL);
		pthread_rwlock_init(&one.match_lock, NULL);
		assert_int_equal(fencing_read_boot(one.boot), 0);
		memcpy(bad, text, len);
		for (unsigned int k = rand_r(&seed) % 4; k; k--)
			bad[rand_r(&seed) % len] = rand_r(&seed);
		write_text(bad, n);
		fencing_load(&one, err);
		assert_int_equal(access(file, F_OK), 0); /* whoever is killed now finds it again */
		taken += one.all.n;
		for (size_t k = 0; k < one.all.n; k++) {
			_cleanup_(json_decrefp) json_t *shown = fencing_show(&one, one.all.v[k]);

			assert_non_null(shown);
			assert_true(one.all.v[k]->number <= one.last && (!k || one.all.v[k]->number > one.all.v[k - 1]->number));
			assert_true(one.all.v[k]->until_ns < now() + (FENCING_DAYS_MAX + 1) * 86400 * SECOND);
			assert_int_equal(standing_write(one.all.v[k]), 0);
		}
		while (one.all.n)
			standing_free(one.all.v[--one.all.n]);
		free(one.all.v);
		close(one.dir);
	}
	assert_true(taken > many(3000) / 2);
	write_text("nonsense\n", 9);
	fencing = open_with(NULL);
	assert_non_null(complaint());
	assert_int_equal(count(), 0);
	assert_true(must_add("--client 127.0.0.2", 1000) > 1000000000); /* none that anybody may remember */
}

/* Numbers rise and none is above the last one that was given; else the line is not ours. */
static void test_numbers(void **state)
{
	static const unsigned int wrong[][2] = { { 0, 0 }, { 6, 0 }, { 3, 3 }, { 5, 4 } }; /* the second 0: no second line */
	char boot[BOOT_ID_LEN];

	(void)state;
	assert_int_equal(fencing_read_boot(boot), 0);
	for (size_t i = 0; i < array_size(wrong); i++) {
		FILE *io;

		fencing_close(fencing);
		io = fopen(file, "w");
		assert_non_null(io);
		fprintf(io, "{\"fences\":1,\"boot\":\"%s\",\"saved\":1,\"last\":5}\n", boot);
		for (size_t k = 0; k < 2; k++)
			if (wrong[i][k] || !k)
				fprintf(io, whole_line, wrong[i][k], "\"--client 192.0.2.1\"",
					(uintmax_t)(now() + 3600 * SECOND), "", "", "", "", "");
		fclose(io);
		fencing = open_with(NULL);
		assert_non_null(complaint());
		assert_int_equal(count(), wrong[i][0] && wrong[i][1]);
	}
}

/* What is nobody's number would be everybody's, or keep the kernel from taking any. */
static void test_no_number(void **state)
{
	static const char *const wrong[][6] = {
		{ "\"--cgroup /a\"", "", "0", "", "", "" },
		{ "\"--cgroup /a\"", "", "", "", "", "0" },
		{ "\"--unit a.service\"", "", "", "0", "", "" },
		{ "\"--netns 5\"", "", "", "", "0", "" },
	};
	struct standing *s = NULL;

	(void)state;
	for (size_t i = 0; i < array_size(wrong); i++) {
		const char *const *w = wrong[i];
		char text[1024];

		snprintf(text, sizeof(text), whole_line, 1u, w[0], (uintmax_t)(now() + SECOND), w[1], w[2], w[3], w[4],
			 w[5]);
		assert_int_equal(standing_read(text, strlen(text), true, 1, &s), -EBADMSG);
		strstr(text, "[0]")[1] = '1';
		assert_int_equal(standing_read(text, strlen(text), true, 1, &s), 0);
		standing_free(s);
	}
}

#define MANY_USERS 2000 /* each of them once as who logged in, and once as who runs it */

static void test_too_many_parts(void **state)
{
	char boot[BOOT_ID_LEN], users[16000] = "";
	FILE *io;

	(void)state;
	for (size_t i = 0, at = 0; i < MANY_USERS; i++)
		at += snprintf(users + at, sizeof(users) - at, "%s%zu", i ? "," : "", 77000 + i);
	assert_int_equal(fencing_read_boot(boot), 0);
	fencing_close(fencing);
	io = fopen(file, "w");
	assert_non_null(io);
	fprintf(io, "{\"fences\":1,\"boot\":\"%s\",\"saved\":1,\"last\":50}\n", boot);
	for (unsigned int i = 1; i <= 50; i++)
		fprintf(io, whole_line, i, "\"--user a\"", (uintmax_t)(now() + 3600 * SECOND), users, "", "", "", "");
	fclose(io);
	fencing = open_with(NULL);
	assert_non_null(strstr(complaint(), "damaged"));
	assert_int_equal(count(), FENCING_PARTS_MAX / (2 * MANY_USERS));
	assert_false(fencing->stale || fencing->unraised);
}

/* The last number that the file may hold is given, and none behind it. */
static void test_last_number(void **state)
{
	struct refusal refusal;

	(void)state;
	fencing->last = FENCING_NUMBER_MAX - 2;
	must_add("--client 127.0.0.2", 60000);
	assert_int_equal(refused("--client 127.0.0.3", &refusal), -EBUSY);
	again();
	assert_null(complaint());
	assert_int_equal(count(), 1);
}

static void put_head(const char *boot, const char *rest)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"fences\":1,\"boot\":\"%s\",\"saved\":%s", boot, rest);
	write_text(text, strlen(text));
}

static ino_t ticked(void)
{
	struct stat st;

	tick();
	must(stat(file, &st), file);
	return st.st_ino;
}

/* When it was written is written over, but only in a file of ours; any other is replaced. */
static void test_other_file(void **state)
{
	static const char *const rest[] = { "", "1,\"last\":1}\n", "                  1 ,\"last\":1}\n" };
	ino_t was, is;

	(void)state;
	must_add("--client 127.0.0.3", 60000);
	was = ticked();
	assert_int_equal(ticked(), was);
	for (size_t i = 0; i <= array_size(rest); i++, was = is) {
		put_head(i ? fencing->boot : "01234567-89ab-4cde-8f01-23456789abcd", rest[i ? i - 1 : 2]);
		is = ticked();
		assert_int_not_equal(is, was);
	}
	unlink(file);
	ticked();
	again();
	assert_null(complaint());
	assert_int_equal(count(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fencing_test(test_restart),
		fencing_test(test_other_boot),
		fencing_test(test_other_boot_names),
		fencing_test(test_other_boot_lasts),
		fencing_test(test_hostile),
		fencing_test(test_numbers),
		fencing_test(test_no_number),
		fencing_test(test_too_many_parts),
		fencing_test(test_last_number),
		fencing_test(test_other_file),
	};

	return fence_run("fencing_file", tests, setup_all, teardown_all);
}
