// SPDX-License-Identifier: LGPL-2.1-or-later
/* test_fencing_kill.c - fences that come with a kill: what is left of one whose kill has not begun, and of one whose kill has. */
#include "fencing_scene.h"

#define ID "6d1c0e9a-0000-4000-8000-000000000001"

static void must_add_for_kill(const char *text)
{
	const struct fence_author by = { .login_uid = ID_UNSET };
	_cleanup_(json_decrefp) json_t *shown = NULL;
	struct refusal refusal;
	struct selector v[8];
	char words[256];
	const struct request req = { .id = ID, .selectors = v, .n_selectors = parse(text, v, words), .fence_ms = 60000 };

	if (fencing_add(fencing, &req, &by, 0, &shown, &refusal, err) < 0)
		fail_msg("%s", err);
}

/* severd was killed before the kill was recorded. */
static void test_not_begun(void **state)
{
	(void)state;
	must_add("--client 127.0.0.3", 60000);
	must_add_for_kill("--client 127.0.0.2");
	knock("127.0.0.2", -ECONNREFUSED);
	again();
	assert_int_equal(count(), 1);
	knock("127.0.0.2", 0);
	knock("127.0.0.3", -ECONNREFUSED);
}

/* And after that. The record may have forgotten it by then. */
static void test_begun(void **state)
{
	(void)state;
	must_add_for_kill("--client 127.0.0.2");
	fencing_begun(fencing, "6d1c0e9a-0000-4000-8000-000000000002");
	assert_true(fencing->all.v[0]->pending);
	fencing_begun(fencing, ID);
	again();
	again();
	assert_int_equal(count(), 1);
	knock("127.0.0.2", -ECONNREFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fencing_test(test_not_begun),
		fencing_test(test_begun),
	};

	return fence_run("fencing_kill", tests, setup_all, teardown_all);
}
