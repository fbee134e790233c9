// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_show.c - a fence as io.sever has it. */
#include "daemon/fencing_parts.h"
#include "model/moment.h"

#include <string.h>

void fencing_count(const struct fencing *f, const struct standing *s, struct fence_stats *ret)
{
	struct fence_stats one;

	*ret = (struct fence_stats){ 0 };
	for (size_t i = 0; i < s->parts.n && f->kernel; i++) {
		uint64_t count = ret->count;

		if (fence_stats(f->kernel, s->parts.v[i].id, &one) < 0)
			continue;
		if (one.last > ret->last)
			*ret = one;
		ret->count = count + one.count;
	}
}

static json_t *notes_of(unsigned int notes, const char *refusal)
{
	static const struct {
		enum fence_note note;
		const char *text;
	} texts[] = {
		{ FENCE_NOTE_LATE, "inbound connections are not refused before log-in: whose they are is not known" },
		{ FENCE_NOTE_CGROUP, "inbound connections are not refused, but ended when it is known which cgroup has got them" },
		{ FENCE_NOTE_NO_OUT, "outbound connections are not refused: which port they get here is not known" },
		{ FENCE_NOTE_LAPSED, "nothing is refused: what it names is gone, or was of an earlier boot" },
		{ FENCE_NOTE_BEHIND, "what it names was made anew or moved, and could not be followed: this is tried again" },
		{ FENCE_NOTE_NETNS, "a network namespace could not be entered: inbound connections are not refused there" },
	};
	json_t *all = json_array();

	for (size_t i = 0; i < array_size(texts) && all; i++)
		if (notes & texts[i].note)
			json_array_append_new(all, json_string(texts[i].text));
	if (all && notes & FENCE_NOTE_REFUSED)
		json_array_append_new(all, json_string(refusal));
	return all;
}

static json_t *time_of(uint64_t us)
{
	char text[MOMENT_LEN];

	return moment_format(us, text) ? json_string(text) : json_null();
}

static json_t *known(uint64_t n, bool known)
{
	return known ? json_integer(n) : json_null();
}

json_t *author_show(const struct fence_author *by)
{
	return json_pack("{sI so so}", "uid", (json_int_t)by->uid, "login_uid", known(by->login_uid, by->login_uid != ID_UNSET), "pid",
			 known(by->pid, by->pid));
}

json_t *standing_show(const struct standing *s, const struct fence_stats *count, unsigned int notes, const char *refusal)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME), left = s->until_ns > now ? s->until_ns - now : 0;
	uint64_t real = clock_ns(CLOCK_REALTIME) / 1000, end = real + left / 1000 - (left ? 0 : (now - s->until_ns) / 1000);
	char id[FENCE_ID_LEN], addr[ADDR_STRLEN];
	bool hit = count->count && count->last;

	snprintf(id, sizeof(id), "f%llu", (unsigned long long)s->number);
	return json_pack("{ss sO sO? sI so so ss? so so sI sI so ss? so so sn}", "fence", id, "selectors", s->selectors, "reason",
			 s->reason, "uid", (json_int_t)s->by.uid, "login_uid", known(s->by.login_uid, s->by.login_uid != ID_UNSET),
			 "pid", known(s->by.pid, s->by.pid), "request", *s->request ? s->request : NULL, "since",
			 time_of(s->since_us), "until", time_of(end), "remaining_ms", (json_int_t)((left + 999999) / 1000000),
			 "refused", (json_int_t)count->count, "last",
			 hit ? time_of(real - (now - count->last) / 1000) : json_null(), "last_addr",
			 hit && count->remote.family ? addr_format(&count->remote, addr) : NULL, "last_port",
			 known(count->remote_port, hit), "notes", notes_of(notes, refusal), "lifted_by");
}

/* Whether part of it cannot stand for want of the outbound programs. */
static bool misses_outbound(const struct fencing *f, const struct standing *s)
{
	for (size_t i = 0; i < s->parts.n && f->kernel && fence_outbound_error(f->kernel); i++)
		if (s->parts.v[i].kind != SEVER_FENCE_IN)
			return true;
	return false;
}

/* Whether it names a network namespace that is there, and in which nobody is kept from coming in. */
static bool misses_netns(const struct fencing *f, const struct standing *s)
{
	const struct ids *named = &s->target.filter.netns;
	bool in = false, missed = false;

	for (size_t i = 0; i < s->parts.n && !in; i++)
		in = s->parts.v[i].kind == SEVER_FENCE_IN;
	for (size_t i = 0; i < named->n && in && f->kernel && !missed; i++)
		missed = !fence_attached(f->kernel, named->v[i]) && !fence_gone(f->kernel, named->v[i]);
	return missed;
}

/* What another process has pinned there may stand. */
static const char *what_is_refused(const struct fencing *f)
{
	if (f->kernel)
		return "outbound connections are not refused";
	return f->pin_dir && fence_pinned(f->pin_dir) ? "whether anything is refused is not known" : "nothing is refused";
}

json_t *fencing_show(const struct fencing *f, const struct standing *s)
{
	unsigned int notes = s->notes;
	char refusal[ERR_LEN] = "";
	struct fence_stats count;

	fencing_count(f, s, &count);
	if (!f->kernel || misses_outbound(f, s)) {
		notes |= FENCE_NOTE_REFUSED;
		fail(0, refusal, "%s: %s", what_is_refused(f),
		     f->kernel ? strerrordesc_np(-fence_outbound_error(f->kernel)) : f->kernel_why);
	}
	if (f->uncovered || misses_netns(f, s))
		notes |= FENCE_NOTE_NETNS;
	return standing_show(s, &count, notes, refusal);
}
