// SPDX-License-Identifier: LGPL-2.1-or-later
/* sentence.c - the summary in words. */
#include "report/escape.h"
#include "report/text.h"
#include "report/when.h"

#include <string.h>

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static const char *is_are(uint64_t n)
{
	return n == 1 ? "is" : "are";
}

/* "4 connections of alice" */
static void put_subject(FILE *f, const struct summary *s, uint64_t n)
{
	fprintf(f, "%ju connection%s", (uintmax_t)n, plural(n));
	if (s->subject) {
		fputs(" of ", f);
		escape_put(f, s->subject);
	}
}

/* "2 denied, 1 spared": what is not gone, or would not go, by outcome. */
static void put_rest(FILE *f, const struct summary *s, bool plan)
{
	const struct {
		uint64_t n;
		enum outcome outcome;
	} rest[] = {
		{ plan ? s->stale : 0, OUT_STALE },
		{ s->alive, OUT_ALIVE },
		{ s->denied, OUT_DENIED },
		{ s->unsupported, OUT_UNSUPPORTED },
		{ s->spared, OUT_SPARED },
	};
	const char *before = "";

	for (size_t i = 0; i < array_size(rest); i++) {
		if (!rest[i].n)
			continue;
		fprintf(f, "%s%ju %s", before, (uintmax_t)rest[i].n, outcome_name[rest[i].outcome]);
		before = ", ";
	}
}

static void plan(FILE *f, const struct summary *s)
{
	put_subject(f, s, s->planned);
	fputs(" would be cut", f);
	if (s->planned < s->matched) {
		fprintf(f, ", %ju would not (", (uintmax_t)(s->matched - s->planned));
		put_rest(f, s, true);
		fputs(")", f);
	}
	/* What is refused is refused with its fence. */
	if (s->request->fence_ms && s->planned + s->unsupported) {
		char span[SPAN_LEN];

		fprintf(f, "; a fence of %s would go up first", span_text(s->request->fence_ms, span));
	}
	fputs("; nothing was touched\n", f);
}

static void all_gone(FILE *f, const struct summary *s)
{
	fprintf(f, "%ju of ", (uintmax_t)s->matched);
	put_subject(f, s, s->matched);
	fprintf(f, " %s gone, ", is_are(s->matched));
	if (s->stale)
		fprintf(f, "%ju of them before they could be cut, ", (uintmax_t)s->stale);
	fputs(s->staged && s->stage == STAGE_VERIFIED ? "verified in " : "in ", f);
	if (s->elapsed_ms < 1000)
		fprintf(f, "%.1f ms\n", s->elapsed_ms);
	else
		fprintf(f, "%.2f s\n", s->elapsed_ms / 1000);
}

static void none_left(FILE *f, const struct summary *s)
{
	fputs("nothing was cut; ", f);
	put_subject(f, s, s->stale);
	fputs(" had ended before\n", f);
}

/* "session audit:7 was disconnected already" */
static void had_gone(FILE *f, const struct summary *s)
{
	fputs("nothing was cut; ", f);
	escape_put(f, s->subject ? s->subject : "each of these sessions");
	fputs(" was disconnected already\n", f);
}

static void some_left(FILE *f, const struct summary *s, uint64_t gone)
{
	uint64_t left = s->matched - gone;

	if (gone) {
		fprintf(f, "%ju of ", (uintmax_t)gone);
		put_subject(f, s, s->matched);
		fprintf(f, " %s gone; %ju", is_are(gone), (uintmax_t)left);
	} else {
		fputs("nothing was cut; ", f);
		put_subject(f, s, left);
	}
	fprintf(f, " %s still there: ", is_are(left));
	put_rest(f, s, false);
	fputc('\n', f);
}

void text_closing(struct report *r, const struct summary *s)
{
	uint64_t gone = s->dead + s->stale;

	if (s->matched == 0) {
		if (s->already && !r->quiet)
			had_gone(r->out, s);
		return;
	}
	if (s->request->dry_run) {
		if (!r->quiet)
			plan(r->out, s);
	} else if (gone < s->matched) {
		some_left(r->quiet ? r->err : r->out, s, gone);
	} else if (!r->quiet) {
		if (s->dead)
			all_gone(r->out, s);
		else
			none_left(r->out, s);
	}
}

void text_fence(struct report *r, const struct summary *s)
{
	char until[WHEN_LEN];

	if (!s->fence || r->quiet)
		return;
	fputs("fence ", r->out);
	escape_put(r->out, s->fence);
	fputs(s->fence_over ? " has ended already" : " stands", r->out);
	if (s->fence_until)
		fprintf(r->out, " until %s", when_text(s->fence_until, until));
	fputc('\n', r->out);
}

static void put_counts(FILE *f, const struct summary *s)
{
	uint64_t n = s->reconnected;

	if (n)
		fprintf(f, "note: %ju connection%s came back meanwhile and %s left alone\n", (uintmax_t)n, plural(n),
			n == 1 ? "was" : "were");
	n = s->unattributed;
	if (n)
		fprintf(f,
			"note: %ju accepted connection%s could not be judged by user: only a service is known to "
			"hold %s\n",
			(uintmax_t)n, plural(n), n == 1 ? "it" : "them");
	n = s->age_unknown;
	if (n)
		fprintf(f, "note: %ju connection%s may be old enough, but it cannot be proved; not selected\n",
			(uintmax_t)n, plural(n));
	n = s->discarded;
	if (n)
		fprintf(f, "note: %ju byte%s not delivered yet %s discarded\n", (uintmax_t)n, plural(n),
			n == 1 ? "was" : "were");
}

void text_notes(struct report *r, const struct summary *s)
{
	put_counts(r->err, s);
	if (s->owners && strcmp(s->owners, "proc") == 0)
		fputs("note: the owners were read from /proc, which is slow; `sever doctor` says why\n", r->err);
	if (s->interrupted)
		fputs("note: a signal ended the work early\n", r->err);
	for (size_t i = 0; i < s->n_notes; i++) {
		fputs("note: ", r->err);
		escape_put(r->err, s->notes[i]);
		fputc('\n', r->err);
	}
}
