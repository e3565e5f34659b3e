/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines.h - a line reader that no input can hurt, shared by the text importers.
 *
 * Invariants: `text` is NUL-terminated, at most LINE_MAX_BYTES long, without its line end; NUL
 * bytes of the input became '?'. A longer line is cut, its rest is read and thrown away, and
 * `too_long` is set. `number` counts from 1.
 *
 * Life cycle: line_reader__open, line_reader__next until false, line_reader__close. Memory is
 * bounded whatever the input. The stream belongs to the caller.
 */
#ifndef VFIOTRACE_IMPORT_LINES_H
#define VFIOTRACE_IMPORT_LINES_H

#include "import.h"

#define LINE_MAX_BYTES 16384

struct line_reader {
	FILE *in;
	const char *name;
	struct model *m;
	const struct import_options *options;
	char *text;
	size_t length;
	uint32_t number;
	bool too_long, had_nul;
	bool cut;  /* the last line had no line end: the file may be cut */
	int error; /* -errno of a failed read */
	uint64_t bytes;
	uint32_t complaints;
	/* private */
	char *buffer;
	size_t at, filled;
	uint64_t progress_due;
};

int line_reader__open(struct line_reader *r, struct model *m, FILE *in, const char *name,
		      const struct import_options *options);
bool line_reader__next(struct line_reader *r);
void line_reader__close(struct line_reader *r);
/* Report a line that cannot be used: file, line, what was expected. Counted as LOSS_PARSE. */
void line_reader__complain(struct line_reader *r, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Complain about what the reader itself had to mend in the current line. */
void line_reader__complain_mended(struct line_reader *r);

#endif
