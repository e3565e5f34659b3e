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
	bool color;	  /* text */
	bool only_cycles; /* graphs */
	bool per_task;	  /* --tasks */
	uint32_t tid;	  /* --tasks=TID, 0 all */
	const char *title;
	const char *verdict; /* sentence, or NULL */
	uint32_t top;	     /* rows in wait and hold tables, 0: 20 */
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

#define JSON_SCHEMA_VERSION 1
struct probe_info;
struct stall;
struct census;
struct feature;
struct fix;

/*
 * Elements. Missing things are JSON null, never an absent key, so that a script needs no special
 * case; keys that exist only for some sources are said so in the schema.
 */
json_t *json_text(const char *raw);	/* null for NULL; bytes that are not UTF-8 become \xNN */
json_t *json_address(uint64_t address); /* "0x…" */
json_t *json_lock(const struct model *m, uint32_t instance);
json_t *json_class_lock(const struct model *m, uint32_t lock_class);
json_t *json_task(const struct model *m, uint32_t task);
json_t *json_stack(const struct model *m, uint32_t stack);
json_t *json_object_name(const struct model *m, uint32_t object);
json_t *json_coverage(const struct model *m);
json_t *json_losses(const struct model *m);
json_t *json_unpaired(const struct model *m); /* devices whose get and put kvm differ */
json_t *json_probe(const struct probe_info *probe);
json_t *json_fix(const struct fix *fix);

/* Records: type, ts and mono first. Complete for json_print. */
json_t *json_record(const char *type, uint64_t mono, int64_t realtime_offset);
/* Facts read: "kernel.release" "arch" "scope". Printed once everything is attached. */
json_t *json_start(const struct model *m, const struct probe_info *probes, uint32_t count);
/* Held lock `held_index` of the chain is `from`; NO_ID: the innermost one. */
json_t *json_dependency(const struct model *m, uint32_t chain, uint32_t held_index);
json_t *json_chain(const struct model *m, uint32_t chain); /* dependency record, innermost */
json_t *json_path(const struct model *m, const struct path_event *event);
json_t *json_stall(const struct model *m, const struct stall *stall);
/* The deadlock of that finding key is over: someone gave up. */
json_t *json_resolved(const struct model *m, const char *key, uint64_t when);
json_t *json_finding(const struct model *m, const struct finding *f);
/* `overhead` holds every fact named "overhead.…", as a number where it is one. */
json_t *json_summary(const struct report_input *input, int exit_code);
/* `deadlocks` may be NULL. */
json_t *json_now(const struct model *m, const struct census *census,
		 const struct finding_list *deadlocks);
/* `baseline` is consumed, NULL becomes null. */
json_t *json_verdict(const struct report_input *input, const char *verdict,
		     const char *const *reasons, uint32_t reason_count, const struct fix *fixes,
		     uint32_t fix_count, json_t *baseline);
/* Facts read: "kernel.release" "arch". `level`: what may be attached here, see attach_level_names.
 */
json_t *json_check(const struct model *m, const struct feature *features, uint32_t feature_count,
		   const struct probe_info *probes, uint32_t probe_count, const struct fix *fixes,
		   uint32_t fix_count, const char *level);
/* Lock-order graph of one task (--tasks --json): its dependencies by class. */
/* The graphs of all tasks of a model that does not change meanwhile; NULL: no memory. */
struct task_graphs;
struct task_graphs *task_graphs__new(const struct model *m);
json_t *json_task_graph(const struct task_graphs *g, uint32_t task);
void task_graphs__free(struct task_graphs *g);
/* One line, flushed. Consumes the reference. Valid and printable ASCII whatever the names contain.
 */
void json_print(FILE *out, json_t *record);
extern const char json_schema_text[]; /* --json-schema, from src/report/json/schema.json */

#endif
