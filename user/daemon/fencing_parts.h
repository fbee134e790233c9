/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fencing_parts.h - what the files fencing*.c share. */
#ifndef SEVER_FENCING_PARTS_H
#define SEVER_FENCING_PARTS_H

#include "daemon/fence_resolve.h"
#include "daemon/fencing.h"

#define BOOT_ID_LEN 37
#define FENCING_NUMBER_MAX (UINT64_C(1) << 46) /* leaves room for FENCE_ID_BITS */
#define FENCING_TURNS ((1 << FENCE_ID_BITS) / FENCE_LIST_MAX - 1)

/* One of the fences people put up. */
struct standing {
	uint64_t number;
	uint64_t since_us; /* CLOCK_REALTIME */
	uint64_t since_ns, until_ns; /* CLOCK_BOOTTIME; since 0: in an earlier boot */
	json_t *selectors; /* strings, as typed */
	json_t *reason;	   /* a string; NULL none */
	char request[REQUEST_ID_LEN]; /* "" none */
	struct fence_author by;
	struct fence_target target;
	struct fence_list parts;
	unsigned int turn;  /* below FENCING_TURNS: in the ids of the parts, as no id ever stands for something else */
	unsigned int notes; /* enum fence_note */
	bool leaving;	    /* it stands until the file says that it does not */
	bool pending;	    /* it came with a kill that has not begun */
	uint32_t audit;	    /* newest audit session when it went up; ID_UNSET: not known */
	bool met;	    /* a look has told what was there before it: */
	struct ids spared;  /* by flow_key(); of the thread that looks */
	uint64_t told_ns;   /* when a hit was told last */
	char *line;	    /* what the file says of it, with the newline; made when first needed */
	size_t line_len;
};

void standing_free(struct standing *s);
DEFINE_CLEANUP(struct standing *, standing_free)

struct standings {
	struct standing **v; /* by number */
	size_t n, cap;
};

struct fencing {
	/* Who puts up, lifts or writes has this one, and waits for the disk with it; the first of all locks. */
	pthread_mutex_t disk_lock;
	pthread_mutex_t lock; /* of all that follows; nobody waits for the disk with it. Taken before that of live */
	pthread_rwlock_t match_lock; /* of all, held for writing while that changes, and of protect; the last of all locks */
	struct live *live;
	struct fences *kernel; /* NULL: refused; once it is there it stays, and may be looked at without the lock */
	char *pin_dir;	       /* NULL: none */
	char kernel_why[ERR_LEN];
	struct standings all;
	size_t n_people; /* of them that name people */
	struct prefixes protect;
	uint64_t last;	/* number given; of disk_lock */
	uint64_t due;	/* CLOCK_BOOTTIME when the file is to be written again */
	uint64_t next;	/* see fencing_next(); read without the lock */
	struct ids fresh; /* namespaces to be handed to the next look as new */
	uint64_t looked; /* CLOCK_BOOTTIME when the last look for namespaces began, 0 none */
	int dir;	/* descriptor of the state directory */
	char boot[BOOT_ID_LEN];
	bool stale;  /* the file is not what is here */
	bool stuck;  /* nor could it be made that */
	bool unraised; /* nor is what stands in the kernel */
	bool uncovered; /* a namespace could not be entered */
	char complaint[ERR_LEN]; /* sentences that are to be told */
	pthread_t writer;
	pthread_cond_t called;
	bool runs, asked, stop; /* the writer */
};

/* Of this boot. 0 or negative errno. */
int fencing_read_boot(char ret[BOOT_ID_LEN]);

/* fencing_file.c. Reads what is there; fences of this boot come with their until, those of another with what remained. 0,
 * also where there is no file and nothing stands; -EBADMSG: it is missing, or damaged and kept under another name; other negative
 * errno. */
int fencing_load(struct fencing *f, char *err);
/* With disk_lock, and without the other: writes down those that stand, and one that is to. 0 or negative errno with a sentence;
 * what the file says then the next tick makes good. */
int fencing_save(struct fencing *f, struct standing *also, char *err);
/* Writes down what has changed, or else that time has gone by. With none of the locks. */
void fencing_keep(struct fencing *f);
/* The line of a fence, and back: pure but for what another boot makes necessary. saved: see above. */
int standing_write(struct standing *s);
int standing_read(const char *text, size_t len, bool same_boot, uint64_t saved, struct standing **ret);

/* fencing_open.c. 0, also where it is open; negative errno, and kernel_why. */
int fencing_open_kernel(struct fencing *f);
/* With the lock: another one to be told. */
void fencing_complain(struct fencing *f, const char *fmt, ...) _printf_(2, 3);

/* fencing_time.c, with the lock: the set has changed, or due, stale or unraised. */
void fencing_plan(struct fencing *f);
/* Takes those out for which want() says so, and tells of them. What they have refused is known until then. Their number. */
size_t fencing_drop(struct fencing *f, bool (*want)(const struct standing *s, const void *arg), const void *arg,
		    enum event what);
/* Those that the kernel has let go already. */
size_t fencing_drop_ended(struct fencing *f, uint64_t now);
/* Without: the thread that waits for the disk, so that who looks need not. At its end all is written down. */
int fencing_start(struct fencing *f);
void fencing_stop(struct fencing *f);

/* Compiles its target. After a failure it is as before. */
int standing_compile(struct standing *s, char *err);

/* What was typed: "--user alice". -EBADMSG: nothing that is kept as it was typed. */
int standing_parse(const char *text, struct selector *ret);

/* fencing_follow.c. The cgroups and units that selectors name by now, sorted; those that are not there are left out. *ret is the
 * caller's in any case. 0 or -ENOMEM. */
int standing_find_tops(const json_t *selectors, const struct cgroup_tree *t, struct ids *ret);

/* fencing_kernel.c. -ESRCH with a sentence, and *ret_missing as resolve(): there is no such network namespace. */
int fencing_check_netns(struct fencing *f, const struct filter *filter, const char **ret_missing, char *err);

/* fencing_follow.c, with the lock: it is for this from now on. Of the target, which shares what is the same, the rest is the
 * caller's to free: of the new one after a failure, or else of the old one. */
int fencing_rename(struct fencing *f, struct standing *s, const struct fence_target *to);

/* fencing_judge.c. Who logs in after this has a higher one; ID_UNSET: not known. */
uint32_t fencing_newest_session(const struct fencing *f);

/* fencing_set.c: with the lock. What stands shall stand in the kernel. Where that refused fences it is asked again; it is no
 * failure that none stand there, but it is one that some may which cannot be taken down. The next tick tries again. */
int fencing_raise(struct fencing *f, char *err);
/* The same for a set that is to stand in any case, and is written down by the next tick, which comes at once. */
void fencing_restore(struct fencing *f);
int fencing_insert(struct fencing *f, struct standing *s);
/* Takes those out for which want() says so, into *ret, which has room for all. */
size_t fencing_take(struct fencing *f, bool (*want)(const struct standing *s, const void *arg), const void *arg,
		    struct standing **ret);
struct standing *fencing_find(const struct fencing *f, uint64_t number);
/* about is taken. */
void fencing_tell(struct fencing *f, enum event what, json_t *about, uint32_t job);

/* fencing_show.c. */
json_t *author_show(const struct fence_author *by);
void fencing_count(const struct fencing *f, const struct standing *s, struct fence_stats *ret);
json_t *fencing_show(const struct fencing *f, const struct standing *s);
/* refusal: the sentence of FENCE_NOTE_REFUSED. */
json_t *standing_show(const struct standing *s, const struct fence_stats *count, unsigned int notes, const char *refusal);

/* fence_guard.c: everyone, protected addresses, oneself. 0; -ECANCELED with *ret and a sentence; other negative errno. */
int fence_guard(struct fencing *f, const struct request *req, const struct filter *filter, enum guard *ret, char *err);

#endif
