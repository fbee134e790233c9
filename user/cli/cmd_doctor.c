// SPDX-License-Identifier: LGPL-2.1-or-later
/* cmd_doctor.c - `sever doctor`: what works here, what does not, and what to do about it. */
#include "cli/cli.h"
#include "kernel/probe.h"
#include "report/escape.h"
#include "report/jsonl.h"

#include <string.h>

static void text_probe(FILE *f, const struct probe *p, int width)
{
	fprintf(f, "%-*s  %-8s  ", width, p->name, p->result == 0 ? "works" : "refused");
	escape_put(f, p->what);
	if (p->result != 0) {
		const char *name = strerrorname_np(-p->result);

		fprintf(f, ": %s%s", name ? name : "unknown error", p->detail[0] ? ", " : "");
		escape_putn(f, p->detail, sizeof(p->detail));
		if (p->used && !p->needed)
			fputs(" (can do without)", f);
	}
	fputc('\n', f);
}

static void text_probes(FILE *f, const struct probe *probe, size_t n, int width, bool used)
{
	for (size_t i = 0; i < n; i++)
		if (probe[i].used == used)
			text_probe(f, &probe[i], width);
}

static void text_verdict(FILE *f, const struct verdict *v)
{
	if (v->permission)
		fputs("sever cannot end connections here: permission is missing, run it as root\n", f);
	else if (v->needed_refused)
		fputs("sever cannot end connections here: this kernel does not allow it\n", f);
	else if (v->used_refused)
		fputs("sever can end connections here; what is refused only makes it slower or narrower\n", f);
	else
		fputs("sever can end connections here\n", f);
}

static void text_doctor(FILE *f, const struct probe *probe, size_t n, const struct verdict *v)
{
	int width = 0;

	for (size_t i = 0; i < n; i++)
		if ((int)strlen(probe[i].name) > width)
			width = strlen(probe[i].name);
	text_probes(f, probe, n, width, true);
	fputs("\nWhat the tags and fences of severd hang on; sever alone does not need it:\n", f);
	text_probes(f, probe, n, width, false);
	fputc('\n', f);
	text_verdict(f, v);
}

static bool json_doctor(FILE *f, const struct probe *probe, size_t n, const struct verdict *v)
{
	struct jsonl j = { .f = f };

	for (const struct probe *p = probe; p < probe + n; p++) {
		jsonl_open(&j, NULL);
		jsonl_word(&j, "probe", p->name);
		jsonl_text(&j, "what", p->what, SIZE_MAX);
		jsonl_bool(&j, "needed", p->needed);
		jsonl_bool(&j, "used", p->used);
		jsonl_bool(&j, "works", p->result == 0);
		jsonl_errno(&j, "errno", p->result);
		jsonl_text(&j, "detail", p->detail[0] ? p->detail : NULL, sizeof(p->detail));
		jsonl_end_line(&j);
	}
	jsonl_open(&j, NULL);
	jsonl_open(&j, "summary");
	jsonl_bool(&j, "able", v->needed_refused == 0);
	jsonl_number(&j, "probes", n, true);
	jsonl_number(&j, "refused", v->refused, true);
	jsonl_number(&j, "needed_refused", v->needed_refused, true);
	jsonl_bool(&j, "permission", v->permission);
	jsonl_close(&j);
	jsonl_end_line(&j);
	return !j.failed;
}

enum status cmd_doctor(const struct command *verb, struct options *o, char *err)
{
	_free_ struct probe *probe = NULL;
	struct verdict v;
	size_t n = 0;
	int r;

	(void)verb;
	r = probe_all(&probe, &n);
	if (r < 0) {
		fail(r, err, "the probes could not run: %s", strerrordesc_np(-r));
		return STATUS_KERNEL;
	}
	v = probe_judge(probe, n);
	if (!o->json) {
		text_doctor(stdout, probe, n, &v);
	} else if (!json_doctor(stdout, probe, n, &v)) {
		fail(-ENOMEM, err, "out of memory");
		return STATUS_PARTIAL;
	}
	return v.permission ? STATUS_DENIED : v.needed_refused ? STATUS_KERNEL : STATUS_OK;
}
