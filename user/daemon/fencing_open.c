// SPDX-License-Identifier: LGPL-2.1-or-later
/* fencing_open.c - taking up the fences that were left, and leaving them. */
#include "daemon/fencing_parts.h"
#include "daemon/people.h"
#include "daemon/record.h"
#include "daemon/thread.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

int fencing_read_boot(char ret[BOOT_ID_LEN])
{
	_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	return f && fscanf(f, "%36s", ret) == 1 && strlen(ret) == BOOT_ID_LEN - 1 ? 0 : -EIO;
}

int fencing_protect(struct fencing *f, const struct prefixes *protect)
{
	struct prefix *v = calloc(protect->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	if (protect->n)
		memcpy(v, protect->v, protect->n * sizeof(*v));
	pthread_rwlock_wrlock(&f->match_lock);
	free(f->protect.v);
	f->protect = (struct prefixes){ .v = v, .n = protect->n };
	pthread_rwlock_unlock(&f->match_lock);
	return 0;
}

int fencing_open_kernel(struct fencing *f)
{
	const struct fence_options o = { .pin_dir = f->pin_dir, .max_fences = FENCING_PARTS_MAX };
	struct fences *kernel;
	int r = f->kernel ? 0 : fence_open(&kernel, &o, f->kernel_why);

	if (!f->kernel && r == 0)
		__atomic_store_n(&f->kernel, kernel, __ATOMIC_RELEASE);
	return r;
}

static int take_up(struct fencing *f, const struct fencing_options *o, char *err)
{
	char why[ERR_LEN] = "";
	int r = fencing_read_boot(f->boot);

	if (r < 0)
		return fail(r, err, "/proc/sys/kernel/random/boot_id cannot be read");
	f->dir = open(o->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return fail(-errno, err, "%s: %s", o->state_dir, strerrordesc_np(errno));
	f->pin_dir = o->pin_dir ? strdup(o->pin_dir) : NULL;
	if (o->pin_dir && !f->pin_dir)
		return -ENOMEM;
	fencing_open_kernel(f);
	r = fencing_load(f, why);
	if (r < 0 && r != -EBADMSG)
		return fail(r, err, "%s: %s", o->state_dir, why);
	if (r < 0)
		fencing_complain(f, "%s", why);
	return o->protect ? fencing_protect(f, o->protect) : 0;
}

/* What the record has forgotten since was marked before, when it had begun. */
static bool never_began(const struct standing *s, const void *arg)
{
	_cleanup_(recorded_clear) struct recorded known = { 0 };
	const struct record *record = arg;

	return s->pending && (!record || record_find(record, s->request, &known) == -ENOENT);
}

static void mark_begun(struct fencing *f, struct standing *s)
{
	s->pending = false;
	free(s->line);
	s->line = NULL;
	f->stale = true;
}

/* The one before us was killed when it had put up the fence of a kill, and had cut nobody. */
static void settle_kills(struct fencing *f, const struct record *record)
{
	f->stale |= fencing_drop(f, never_began, record, EVENT_FENCE_LIFT);
	for (size_t i = 0; i < f->all.n; i++)
		if (f->all.v[i]->pending && !never_began(f->all.v[i], record))
			mark_begun(f, f->all.v[i]);
}

void fencing_begun(struct fencing *f, const char *request)
{
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->all.n; i++)
		if (f->all.v[i]->pending && !strcmp(f->all.v[i]->request, request)) {
			mark_begun(f, f->all.v[i]);
			f->due = 0;
		}
	fencing_plan(f);
	pthread_mutex_unlock(&f->lock);
}

/* It stands though it cannot be written down. What fails is tried again with each tick. */
static void raise_first(struct fencing *f)
{
	char why[ERR_LEN] = "";
	bool left = fencing_drop_ended(f, clock_ns(CLOCK_BOOTTIME)) || f->all.n || f->stale || (f->kernel && fence_taken_over(f->kernel));
	int r = left ? fencing_raise(f, why) : 0;

	if (!f->kernel)
		fencing_complain(f, "no fences can be put up, and %zu should stand: %s", f->all.n, f->kernel_why);
	else if (r < 0)
		fencing_complain(f, "%zu fences could not be put up again: %s", f->all.n, *why ? why : strerrordesc_np(-r));
	if (left)
		fencing_save(f, NULL, NULL);
}

/* In all namespaces there are now, before ours are raised: with that goes what another version left there. What could
 * not be entered the fences say themselves. Who came into a new one while nobody was here is for the first look to end. */
static void attach_first(struct fencing *f)
{
	struct selection sel = { 0 };
	struct ids all = { 0 };

	if (f->live && people_read(f->live, &sel) == 0)
		fencing_attach(f, &sel.owners, &all);
	fencing_attach_again(f, &all);
	selection_clear(&sel);
	free(all.v);
}

static struct fencing *new(struct live *live)
{
	struct fencing *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	pthread_mutex_init(&f->disk_lock, NULL);
	pthread_mutex_init(&f->lock, NULL);
	pthread_rwlock_init(&f->match_lock, NULL);
	thread_cond_init(&f->called);
	f->live = live;
	f->dir = -1;
	return f;
}

int fencing_open(struct fencing **ret, const struct fencing_options *o, char *err)
{
	_cleanup_(fencing_closep) struct fencing *f = new(o->live);
	int r = f ? take_up(f, o, err) : -ENOMEM;

	if (r < 0)
		return r;
	settle_kills(f, o->record);
	attach_first(f);
	raise_first(f);
	r = fencing_start(f);
	if (r == 0)
		*ret = take_ptr(&f);
	return r;
}

void fencing_complain(struct fencing *f, const char *fmt, ...)
{
	size_t used = strlen(f->complaint);
	va_list args;

	if (used)
		used += snprintf(f->complaint + used, ERR_LEN - used, "; ");
	va_start(args, fmt);
	if (used < ERR_LEN)
		vsnprintf(f->complaint + used, ERR_LEN - used, fmt, args);
	va_end(args);
}

bool fencing_complaint(struct fencing *f, char ret[ERR_LEN])
{
	if (pthread_mutex_trylock(&f->lock) != 0)
		return false;
	memcpy(ret, f->complaint, ERR_LEN);
	*f->complaint = '\0';
	pthread_mutex_unlock(&f->lock);
	return *ret;
}

void fencing_close(struct fencing *f)
{
	if (!f)
		return;
	fencing_stop(f);
	for (size_t i = 0; i < f->all.n; i++)
		standing_free(f->all.v[i]);
	free(f->all.v);
	free(f->protect.v);
	free(f->fresh.v);
	fence_close(f->kernel);
	free(f->pin_dir);
	closep(&f->dir);
	pthread_cond_destroy(&f->called);
	pthread_mutex_destroy(&f->disk_lock);
	pthread_mutex_destroy(&f->lock);
	pthread_rwlock_destroy(&f->match_lock);
	free(f);
}
