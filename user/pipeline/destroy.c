// SPDX-License-Identifier: LGPL-2.1-or-later
/* destroy.c - each flow goes through the engines in their order until one takes it. An engine that answers "no such socket"
 * is believed only by the look-up that follows; a flow found alive after all comes back for the next engine. */
#include "kernel/engine.h"
#include "pipeline/job.h"

static const struct engine *next_engine(const struct flow *f)
{
	uint8_t i = f->tried;

	while (engines[i] && !engines[i]->handles(f))
		i++;
	return engines[i];
}

bool destroy_can_retry(const struct flow *f)
{
	return next_engine(f);
}

/* Refusals for which another engine may do better. A missing right is not one: what is denied stays denied. */
static bool cannot(int err)
{
	return err && err != -ENOENT && err != -EPERM && err != -EACCES;
}

/* Rounds in small numbers, so that an interrupt is heeded soon and its flows are left alone. */
#define ROUND 1024

static int round_in_netns(struct job *j, struct netns *ns, const struct engine *e, struct flow **v, size_t n)
{
	int r = e->destroy(ns, v, n, &j->frozen.people);

	for (size_t i = 0; i < n; i++) {
		while (engines[v[i]->tried] != e)
			v[i]->tried++;
		v[i]->tried++;
		if (!v[i]->err)
			v[i]->engine = e->name;
	}
	/* What befell the engine as a whole stands in each flow's err. */
	return r == -ENOMEM ? r : 0;
}

/* An order causes two events where both ends are here; the ring of them holds some twenty thousand. */
#define ROUNDS_KEPT 6

static void catch_up(struct job *j, size_t ordered)
{
	if (j->source->ops->catch_up && ordered && ordered % (ROUNDS_KEPT * ROUND) == 0)
		j->source->ops->catch_up(j->source);
}

/* The flows that no engine has taken yet and whose next one is e. */
static size_t due_for(const struct engine *e, struct flow **v, size_t n, struct flow **ret)
{
	size_t due = 0;

	for (size_t i = 0; i < n; i++)
		if (cannot(v[i]->err) && next_engine(v[i]) == e)
			ret[due++] = v[i];
	return due;
}

static int in_netns(struct job *j, struct netns *ns, struct flow **v, size_t n)
{
	_free_ struct flow **due = calloc(n, sizeof(*due));
	int r = due ? 0 : -ENOMEM;

	/* -EINTR: its turn never came. */
	for (size_t i = 0; i < n; i++)
		v[i]->err = next_engine(v[i]) ? -EINTR : -EOPNOTSUPP;
	for (size_t k = 0; engines[k] && r >= 0; k++) {
		size_t n_due = due_for(engines[k], v, n, due);

		for (size_t i = 0; i < n_due && r >= 0 && !job_over(j); i += ROUND) {
			catch_up(j, i);
			r = round_in_netns(j, ns, engines[k], due + i, n_due - i < ROUND ? n_due - i : ROUND);
			report_progress(j->report, "cutting", i, n);
		}
	}
	return r;
}

int destroy_order(struct job *j, struct worklist *w)
{
	return worklist_by_netns(j, w, in_netns);
}
