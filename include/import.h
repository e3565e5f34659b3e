/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import.h - other sources: STD traces, lockdep splats, hung-task reports, perf and trace-cmd text,
 * and our own recordings (through store.h).
 *
 * Every importer feeds the model through the same functions as live capture. Bad input never stops
 * an import: each unusable line is reported through `complain` with file, line and what was
 * expected, counted as LOSS_PARSE, and the rest is still read.
 *
 * Errors: -errno when the file cannot be read at all, -EINVAL when no line was usable.
 */
#ifndef VFIOTRACE_IMPORT_H
#define VFIOTRACE_IMPORT_H

#include <stdio.h>

#include "model.h"
#include "rules.h"

enum import_format {
	IMPORT_AUTO,
	IMPORT_RECORDING,
	IMPORT_STD,
	IMPORT_SPLAT,
	IMPORT_HUNG,
	IMPORT_PERF,
	IMPORT_TRACE_CMD,
	IMPORT_FORMATS,
};
extern const char *const import_format_names[IMPORT_FORMATS]; /* "auto" "recording" "std" … */

/* What can be read, for people: a row for each kind of text. Ends with a row without words. */
struct import_kind {
	enum import_format format;
	const char *words;
	const char *made_by; /* a command */
};
extern const struct import_kind import_kinds[];

struct analysis;

struct import_options {
	enum import_format format;
	complain_fn complain;
	void *complain_context;
	/* progress in bytes, called at most every 100 ms; may be NULL */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *progress_context;
	struct analysis *analysis; /* receives findings stated by the source itself; may be NULL */
};

/* Import `path` ("-" is stdin) into `m`. Gzip input is opened transparently. */
int import_file(struct model *m, const char *path, const struct import_options *options);
enum import_format import_detect(const char *head, size_t length); /* IMPORT_AUTO: not known */

/*
 * The same in steps, for callers that need the format before the model is fed. `path` "-" is stdin.
 * open gives NULL, -errno in *error and the words for it in `why`; what it opens is a file or a
 * pipe without a name, nothing that waits or that has no end.
 */
struct import_source;
struct import_source *import_source__open(const char *path, enum import_format format, int *error,
					  char *why, size_t why_size);
enum import_format import_source__format(const struct import_source *source);
int import_source__read(struct import_source *source, struct model *m,
			const struct import_options *options);
void import_source__close(struct import_source *source);

/* One per format; `name` is used in messages. */
int import_std(struct model *m, FILE *in, const char *name, const struct import_options *options);
int import_splat(struct model *m, FILE *in, const char *name, const struct import_options *options);
int import_hung(struct model *m, FILE *in, const char *name, const struct import_options *options);
int import_perf(struct model *m, FILE *in, const char *name, const struct import_options *options);
int import_trace_cmd(struct model *m, FILE *in, const char *name,
		     const struct import_options *options);

#endif
