/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fencing_scene.h - fences of people, each of the test's own network namespace, in a state directory of its own. */
#ifndef SEVER_TEST_FENCING_SCENE_H
#define SEVER_TEST_FENCING_SCENE_H

#include "daemon/fencing_parts.h"
#include "fenced.h"

static char dir[] = "/tmp/sever-fencing-XXXXXX", file[64], err[ERR_LEN];
static struct fencing *fencing;
static int server;
static char here[16];

static inline struct fencing *open_with(const struct prefixes *protect)
{
	const struct fencing_options o = { .state_dir = dir, .protect = protect };
	struct fencing *own = NULL;
	struct owners nobody = { 0 };
	struct ids all = { 0 };

	if (fencing_open(&own, &o, err) < 0)
		fail_msg("%s", err);
	if (fencing_attach(own, &nobody, &all) < 0)
		fail_msg("not attached");
	free(all.v);
	return own;
}

static inline void again(void)
{
	fencing_close(fencing);
	fencing = open_with(NULL);
}

static inline int parse(const char *text, struct selector *v, char *words)
{
	int n = 0;

	for (char *w = strtok(strcpy(words, text), " "); w; w = strtok(NULL, " "), n++) {
		enum sel kind = 0;

		while (kind < SEL_MAX && strcmp(selector_option[kind], w))
			kind++;
		w = kind < SEL_ALL ? strtok(NULL, " ") : NULL;
		assert_int_equal(selector_parse(kind, w, &v[n], err), 0);
	}
	assert_int_equal(selector_parse(SEL_NETNS, here, &v[n], err), 0);
	return n + 1;
}

/* "--client 10.0.0.1 --local-port 80", and this namespace. */
static inline int add(const char *text, uint64_t ms, bool yes, json_t **ret, struct refusal *why)
{
	const struct fence_author by = { .uid = 0, .login_uid = ID_UNSET, .pid = 7 };
	struct selector v[8];
	char words[256];
	const struct request req = { .selectors = v, .n_selectors = parse(text, v, words), .fence_ms = ms, .reason = "why", .yes = yes };

	*err = '\0';
	return fencing_add(fencing, &req, &by, 0, ret, why, err);
}

static inline uint64_t must_add(const char *text, uint64_t ms)
{
	_cleanup_(json_decrefp) json_t *shown = NULL;
	struct refusal why;
	const char *id;

	if (add(text, ms, false, &shown, &why) < 0)
		fail_msg("%s", err);
	id = json_string_value(json_object_get(shown, "fence"));
	assert_true(id && *id == 'f');
	return strtoull(id + 1, NULL, 10);
}

static inline int refused(const char *text, struct refusal *ret)
{
	json_t *shown = NULL;
	int r = add(text, 60000, false, &shown, ret);

	assert_null(shown);
	return r;
}

/* Neither of these two waits for who holds the lock, as the writer does for a moment. */
static inline bool drained(void)
{
	bool done = fencing_drain(fencing);

	for (int i = 0; i < 1000 && !done; i++) {
		usleep(1000);
		done = fencing_drain(fencing);
	}
	return done;
}

/* What whoever runs the host is told, or NULL. */
static inline const char *complaint(void)
{
	static char text[ERR_LEN];
	bool any;

	do {
		pthread_mutex_lock(&fencing->lock);
		any = *fencing->complaint;
		pthread_mutex_unlock(&fencing->lock);
	} while (any && !fencing_complaint(fencing, text));
	return any ? text : NULL;
}

static inline int lift(const char *id)
{
	const struct fence_author by = { .uid = 0, .login_uid = ID_UNSET, .pid = 7 };
	const struct request none = { 0 };
	_cleanup_(json_decrefp) json_t *lifted = NULL;

	return fencing_lift(fencing, id, &none, &by, 0, &lifted, err);
}

/* As add() has it. How many, or negative errno. */
static inline int lift_by(const char *text)
{
	const struct fence_author by = { .uid = 0, .login_uid = ID_UNSET, .pid = 7 };
	struct selector v[8];
	char words[256];
	const struct request req = { .selectors = v, .n_selectors = parse(text, v, words) };
	_cleanup_(json_decrefp) json_t *lifted = NULL;
	int r = fencing_lift(fencing, NULL, &req, &by, 0, &lifted, err);

	return r < 0 ? r : (int)json_array_size(lifted);
}

static inline json_t *listed(void)
{
	const struct request all = { 0 };
	json_t *shown = NULL;

	assert_int_equal(fencing_list(fencing, &all, &shown), 0);
	return shown;
}

static inline size_t count(void)
{
	_cleanup_(json_decrefp) json_t *shown = listed();

	return json_array_size(shown);
}

static inline json_int_t number(size_t i, const char *key)
{
	_cleanup_(json_decrefp) json_t *shown = listed();

	return json_integer_value(json_object_get(json_array_get(shown, i), key));
}

static inline void knock(const char *from, int want)
{
	assert_int_equal(knock_at(server, from, "127.0.0.1"), want);
}

static inline void read_text(char **ret, size_t *ret_len)
{
	FILE *io = fopen(file, "r");

	*ret = calloc(1, 1 << 20);
	assert_true(io && *ret);
	*ret_len = fread(*ret, 1, (1 << 20) - 1, io);
	fclose(io);
}

static inline void write_text(const char *text, size_t len)
{
	FILE *io = fopen(file, "w");

	assert_true(io && fwrite(text, 1, len, io) == len && fclose(io) == 0);
}

static inline uint64_t saved(void)
{
	_free_ char *text = NULL;
	const char *at;
	size_t len;

	if (access(file, F_OK) < 0)
		return 0;
	read_text(&text, &len);
	at = strstr(text, "\"saved\":");
	return at ? strtoull(at + strlen("\"saved\":"), NULL, 10) : 0;
}

/* Has it written down that time goes by. */
static inline void tick(void)
{
	uint64_t before = now();

	fencing->due = 1;
	fencing_tick(fencing);
	for (long ms = 0; saved() < before; ms++) {
		assert_true(ms < deadline_ms());
		if (ms % 100 == 99) { /* when it is due the writer has said since */
			fencing->due = 1;
			fencing_tick(fencing);
		}
		poll(NULL, 0, 1);
	}
}

static inline int setup(void **state)
{
	(void)state;
	unlink(file);
	fencing = open_with(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fencing_close(fencing);
	return 0;
}

static inline int setup_all(void **state)
{
	(void)state;
	if (own_net() < 0 || !mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/fences", dir);
	{
		_close_ int fd = must(netns_own(), "netns_own");
		uint32_t inode;

		must(netns_inode_of_fd(fd, &inode), "netns");
		snprintf(here, sizeof(here), "%u", inode);
	}
	server = listener("127.0.0.1", 0, 5);
	return 0;
}

static inline int teardown_all(void **state)
{
	char bad[80];

	(void)state;
	snprintf(bad, sizeof(bad), "%s.bad", file);
	unlink(bad);
	unlink(file);
	return rmdir(dir);
}

#define fencing_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
