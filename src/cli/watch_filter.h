/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_filter.h - what watch shows (-p -t -c -L), and its own lines of text. A filter never
 * removes evidence: a finding with one match is shown whole.
 */
#ifndef VFIOTRACE_CLI_WATCH_FILTER_H
#define VFIOTRACE_CLI_WATCH_FILTER_H

#include <stdio.h>

#include "report.h"
#include "session/session.h"

struct watch_filter {
	uint32_t pid, tid; /* 0: any */
	const char *comm, *lock_class;
};

bool watch_filter__task(const struct watch_filter *filter, const struct model *m, uint32_t task);
bool watch_filter__chain(const struct watch_filter *filter, const struct model *m, uint32_t chain);
bool watch_filter__finding(const struct watch_filter *filter, const struct model *m,
			   const struct finding *finding);

void watch_print_header(FILE *out, const struct session *s, const struct probe_info *probes,
			uint32_t count);
void watch_print_footer(FILE *out, const struct session *s, const struct capture_stats *stats);
void watch_print_task_chain(FILE *out, const struct model *m, const struct task_chain *pair);
void watch_print_stall(FILE *out, const struct model *m, const struct stall *stall);
/* record.c: what record says instead, on stderr; the file has the rest. */
void record_note_start(const struct session *s);
void record_note_finding(const struct model *m, const struct finding *finding);
void record_note_end(const struct session *s, const struct report_input *input);
int watch_into_file(int argc, char **argv); /* watch.c */
/* Facts overhead.* of the summary. */
void watch_note_overhead(struct model *m, const struct capture_stats *stats);

#endif
