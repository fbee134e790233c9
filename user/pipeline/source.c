// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/source.h"

#include <stdarg.h>
#include <string.h>

int note(struct notes *notes, const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < notes->n; i++)
		if (!strcmp(notes->v[i], text))
			return 0;
	r = grow(&notes->v, &notes->cap, notes->n + 1, sizeof(*notes->v));
	if (r == 0)
		notes->v[notes->n++] = take_ptr(&text);
	return r;
}

void source_clear(struct source *s)
{
	netns_clear(&s->netns);
	for (size_t i = 0; i < s->notes.n; i++)
		free(s->notes.v[i]);
	free(s->notes.v);
}

void selection_clear(struct selection *s)
{
	flowset_clear(&s->flows);
	owners_clear(&s->owners);
	sessions_clear(&s->sessions);
	memset(s, 0, sizeof(*s));
}
