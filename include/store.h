/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the incident file: one SQLite database per recording (application id and schema
 * version in the header, schema documented in src/store/schema.sql).
 *
 * The writer observes the model, copies what is new into a bounded queue and commits in batches
 * from its own thread, so tracing never waits for a disk: what does not fit is counted as
 * LOSS_STORE. After a crash everything committed is readable.
 *
 * Reading rebuilds the same model through the model's own functions, plus the findings that were
 * recorded (deadlocks cannot be recomputed from the graph). Needs no root.
 *
 * Errors: -errno; `error` receives it in words with the file's name and the remedy.
 */
#ifndef VFIOTRACE_STORE_H
#define VFIOTRACE_STORE_H

#include "analysis.h"
#include "keep_set.h"

struct store_writer;

struct store_options {
	uint64_t max_size;    /* bytes, 0 unlimited: keeps the newest events and all of the graph */
	uint64_t queue_bytes; /* bound of the queue, 0: 8 MiB */
	bool record_events;
	bool redact; /* pseudonyms instead of names and addresses, as store__redact has them */
	uint64_t trigger_window; /* ns of events kept in memory until store_writer__fire; 0: off */
	bool overwrite;		 /* an older recording of that name goes */
};

/*
 * May a recording be written there? -EEXIST: an older one is there and `overwrite` is false, or
 * what is there is no recording, which is never overwritten. Changes nothing.
 */
int store__check_place(const char *path, bool overwrite, char *error, size_t error_size);
/* Creates the file 0600, refuses to follow a symlink, and what store__check_place refuses. */
struct store_writer *store_writer__open(const char *path, struct model *m,
					const struct store_options *options, char *error,
					size_t error_size);
void store_writer__finding(struct store_writer *w, const struct finding *finding);
/* What the flight recorder has goes into the file, later where it has no room now. -errno: lost. */
int store_writer__fire(struct store_writer *w, const char *why);
/* Counters, coverage, facts and losses as they are now; called once a second and at the end. */
void store_writer__snapshot(struct store_writer *w);
/* What could not be written; the caller adds it to LOSS_STORE, closing makes up for the rest. */
uint64_t store_writer__lost(const struct store_writer *w);
/* Why batches could not be written (valid until the next call); NULL: all were. Tracing goes on. */
const char *store_writer__error(const struct store_writer *w);
int store_writer__close(struct store_writer *w, const struct finding_list *findings,
			const char *verdict);
/*
 * A whole model into a file, its event stream included (merge, redact, now -o). The file takes its
 * name when it is complete: what was there before stays until then, and if it fails for good.
 */
int store__save(const char *path, struct model *m, const struct finding_list *findings,
		const char *verdict, char *error, size_t error_size);
int store__save_redacted(const char *path, struct model *m, const struct finding_list *findings,
			 char *error, size_t error_size);

/*
 * Brings several models together: those of one boot of one host (facts "host.boot_id", else
 * "host.name" and "kernel.release") share locks and tasks, others only classes, so that no order is
 * made up between locks that never met. `base` is the least realtime_offset of all of them (0: no
 * wall clocks): monotonic times of later boots move up by the difference.
 */
struct model_merge;
struct model_merge *model_merge__new(struct model *target, struct analysis *findings, int64_t base);
int model_merge__add(struct model_merge *g, const struct model *m,
		     const struct finding_list *findings);
void model_merge__free(struct model_merge *g);

struct store_read_options {
	bool events;	     /* load the event stream too */
	uint64_t max_events; /* only the newest so many, 0: all */
};
/*
 * Facts "recording.verdict" and "recording.version" are set from the file. A recording that was not
 * ended in good order makes losses unknown and sets the fact "recording.truncated". `findings`
 * receives the recorded findings (analysis__add_finding), may be NULL.
 */
int store__read(const char *path, struct model *m, struct analysis *findings,
		const struct store_read_options *options, char *error, size_t error_size);
bool store__is_recording(const char *path);
/*
 * For a process that can make no file: the recording `path` is written into `fd`, an empty file
 * that is open for reading and writing, and gets its name by store__publish when that is done.
 */
void store__write_into(const char *path, int fd);
int store__publish(const char *temporary, const char *path, char *error, size_t error_size);
int store__merge(const char *output, const char *const *inputs, size_t count, char *error,
		 size_t error_size);
/*
 * Stable pseudonyms: the same thing has the same one everywhere in the output. Kept: classes,
 * symbols of the kernel and its own modules, group numbers, pids, times, and the words of
 * src/store/redact_allowed.c; all else goes or gets a pseudonym.
 */
int store__redact(const char *input, const char *output, char *error, size_t error_size);

/*
 * The same for models: adds everything in `source` to `target` (findings too, where both are
 * given). `host` > 0 keeps locks and tasks of another host or boot apart, and names them after
 * `prefix`.
 */
struct replay_options {
	uint32_t host;
	const char *prefix;
	bool redact;
	int64_t shift; /* added to times, so that clocks of several boots agree */
	/*
	 * Only what is marked (closed, see keep_set.h) goes over; counts of class edges stay
	 * whole, and times of locks left out go to one nameless lock of their class. NULL:
	 * everything.
	 */
	const struct keep_set *only;
	struct id_remap *remap;	      /* filled in, or NULL */
	void (*yield)(void *context); /* now and then, for callers with other work; or NULL */
	void *context;
};
int model__replay(struct model *target, const struct model *source,
		  const struct finding_list *findings, struct analysis *target_findings,
		  const struct replay_options *options);

#endif
