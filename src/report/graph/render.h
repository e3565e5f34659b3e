/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render.h - what all renderers say in the same words: times, durations, locks, sentences.
 *
 * Strings made here are raw: they may contain names a process chose, and every sink escapes them
 * (escape.h). Functions that fill a buffer return it, so that they can stand in an argument list;
 * they always terminate it. Functions that return `char *` without a buffer give malloc'd memory
 * the caller frees, NULL when memory is exhausted.
 */
#ifndef VFIOTRACE_REPORT_GRAPH_RENDER_H
#define VFIOTRACE_REPORT_GRAPH_RENDER_H

#include "report.h"

#define RENDER_SIZE 256 /* enough for every buffer function below */

char *render_duration(char *buffer, size_t size, uint64_t ns); /* "3.25 s", "417 us" */
char *render_count(char *buffer, size_t size, uint64_t n);     /* "1,234,567" */
/* "2026-03-01 12:00:00.123456 UTC"; "+1.5 s" without a realtime clock; "" if unknown. */
char *render_time(char *buffer, size_t size, const struct model *m, uint64_t mono);

/* "kvm.lock" -> "kvm->lock", what kernel code calls it; false when there is no common name. */
bool render_idiom(char *buffer, size_t size, const char *class_name);
const char *render_class_name(const struct model *m, uint32_t lock_class); /* "?" for NO_ID */
const char *render_mode(uint8_t mode);	     /* "exclusive", "shared" */
const char *render_mode_short(uint8_t mode); /* "", "(R)", "(R, recursive)" */
/* `group 12` or `0xffff888104a3c8c8`; with the generation where an address was reused. */
char *render_instance(char *buffer, size_t size, const struct model *m, uint32_t instance);
char *render_frame(char *buffer, size_t size, const struct frame *frame);
/* "qemu-system-x86 pid 4711 tid 4713"; aggregated tasks say so. */
char *render_task(char *buffer, size_t size, const struct model *m, uint32_t task);
const char *render_path_name(uint32_t path);	 /* NULL for NO_ID */
bool render_has_coverage(const struct model *m); /* false: a source that knows no paths */

/* which objects a witness is about, as far as the model knows: object ids or NO_ID. */
struct witness_objects {
	uint32_t vm, group, device;
};
struct witness_objects render_witness_objects(const struct model *m, const struct witness *witness);

/* "a -> b -> a" over class names, modes of readers included. */
char *render_cycle(const struct model *m, const struct finding *f);
/* One sentence on what the finding means, for somebody who has not read the manual. */
char *render_sentence(const struct model *m, const struct finding *f);
/* "on a mutex", "until a work is done": what comes after "blocked". */
const char *render_wait(enum wait_what what);
/* "running", "blocked itself"; NULL: not known. */
const char *render_state(char state);
/* One sentence over everything: the verdict on top of a report. */
char *render_verdict(const struct report_input *input);
/* What to do next about it: lines, NULL-terminated, commands in backticks; free with
 * render_free_lines. */
char **render_next(const struct model *m, const struct finding *f);
void render_free_lines(char **lines);

/* Whether a class edge or dependency belongs to a cycle of a finding of grade warning or worse. */
struct marks {
	uint8_t *edges;	  /* by class edge id: 0 none, else 1 + grade of the worst finding */
	uint8_t *classes; /* by class id, the same */
	uint32_t edge_count;
};
int marks__init(struct marks *marks, const struct report_input *input);
void marks__release(struct marks *marks);

/* Findings in output order; malloc'd array of findings->count pointers. */
const struct finding **render_sorted(const struct finding_list *list);

#endif
