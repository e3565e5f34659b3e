/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_text.h - lines of `perf script` and `trace-cmd report` (also the kernel's trace file). */
#ifndef VFIOTRACE_IMPORT_TRACE_TEXT_H
#define VFIOTRACE_IMPORT_TRACE_TEXT_H

#include "import/lock_events.h"

enum trace_dialect { TRACE_PERF, TRACE_CMD };

/* -EINVAL when the file holds no lock event. */
int trace_text__import(struct model *m, FILE *in, const char *name,
		       const struct import_options *options, enum trace_dialect dialect);
/* What a line is: used by the import and by detection. `event` points behind "time: ". */
bool trace_text__header(const char *line, enum trace_dialect dialect, struct lock_event *out,
			const char **event);

#endif
