/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - sinks: text, lockdep splat, JSON records, DOT, SVG, Mermaid, Markdown, HTML, metrics,
 * Chrome trace. They only read; what a process can name is escaped for each of them.
 *
 * json_* build the records of the contract (jansson objects, caller owns the reference);
 * report_* write a whole rendering of a model and its findings to a stream.
 */
#ifndef VFIOTRACE_REPORT_H
#define VFIOTRACE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "finding.h"
#include "waitfor.h"

enum report_format {
	REPORT_TEXT,
	REPORT_SPLAT,
	REPORT_JSON,
	REPORT_DOT,
	REPORT_SVG,
	REPORT_MERMAID,
	REPORT_MARKDOWN,
	REPORT_HTML,
	REPORT_METRICS,
	REPORT_TRACE,
	REPORT_FORMATS,
};
extern const char *const report_format_names[REPORT_FORMATS];
int report_format__parse(const char *name); /* -1 if unknown */

struct report_options {
	bool color;          /* text */
	bool only_cycles;    /* graphs */
	bool per_task;       /* --tasks */
	uint32_t tid;        /* --tasks=TID, 0 all */
	const char *title;
	const char *verdict; /* sentence, or NULL */
	uint32_t top;        /* rows in wait and hold tables, 0: 20 */
};

struct report_input {
	const struct model *model;
	const struct finding_list *findings;
	const struct waitfor *waitfor; /* or NULL */
};

int report_write(FILE *out, enum report_format format, const struct report_input *input,
		 const struct report_options *options);

/* Text pieces that live output uses too. */
void report_text_finding(FILE *out, const struct model *m, const struct finding *f, bool color);
void report_text_summary(FILE *out, const struct report_input *input, bool color);
void report_text_tasks(FILE *out, const struct model *m, uint32_t tid, bool color);
void report_text_coverage(FILE *out, const struct model *m, bool color);
void report_text_losses(FILE *out, const struct model *m, bool color);
/* Escape sequences, control characters and invalid UTF-8 become \xNN; result lives until the
 * calling thread made 16 more calls. */
const char *text_safe(const char *raw);

#define JSON_SCHEMA_VERSION 1
json_t *json_record(const char *type, uint64_t mono, int64_t realtime_offset); /* type, ts, mono */
json_t *json_lock(const struct model *m, uint32_t instance);
json_t *json_class_lock(const struct model *m, uint32_t lock_class);
json_t *json_task(const struct model *m, uint32_t task);
json_t *json_stack(const struct model *m, uint32_t stack);
json_t *json_chain(const struct model *m, uint32_t chain); /* dependency record */
json_t *json_path(const struct model *m, const struct path_event *event);
json_t *json_finding(const struct model *m, const struct finding *f);
json_t *json_coverage(const struct model *m);
json_t *json_losses(const struct model *m);
json_t *json_summary(const struct report_input *input, int exit_code);
json_t *json_task_graph(const struct model *m, uint32_t task);
/* One line, flushed. Consumes the reference. Valid UTF-8 whatever the names contain. */
void json_print(FILE *out, json_t *record);
extern const char json_schema_text[]; /* --json-schema */

#endif
