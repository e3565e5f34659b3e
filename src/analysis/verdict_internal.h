/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict_internal.h - what the verdict's files share. */
#ifndef VFIOTRACE_ANALYSIS_VERDICT_INTERNAL_H
#define VFIOTRACE_ANALYSIS_VERDICT_INTERNAL_H

#include "verdict.h"

char *verdict__message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `words` and `more` with `between`; frees `words`, which may be NULL. */
char *verdict__join(char *words, const char *between, const char *more);
/* Add a reason (the text is taken over), and let the verdict be no better than `kind`. */
void verdict__worsen(struct verdict *v, enum verdict_kind kind, char *text);
void verdict__limit(struct verdict *v, char *text); /* taken over */

/* "a -> b -> a" of a finding; caller frees. */
char *verdict__cycle_name(const struct model *m, const struct finding *f);
/* A lock of a class that matches (fnmatch) was taken or wanted. */
bool verdict__saw_class(const struct model *m, const char *pattern);
bool verdict__saw_order(const struct model *m, const char *from, const char *to); /* likewise */

/* verdict_paths.c: v->required, v->table and v->drivers, and whether they ran. 0 or -ENOMEM. */
int verdict__require(struct verdict *v, const struct model *m,
		     const struct verdict_options *options);
void verdict__judge_paths(struct verdict *v, const struct model *m,
			  const struct verdict_options *options);

/* verdict_fixes.c: the known bugs in question, and the probes that are missing. */
enum verdict_fix verdict__fix_state(const struct verdict_options *options, const char *commit,
				    const char **evidence);
void verdict__judge_fixes(struct verdict *v, const struct model *m,
			  const struct finding_list *findings,
			  const struct verdict_options *options);
void verdict__judge_probes(struct verdict *v, const struct verdict_options *options);

/* verdict_baseline.c: fill v->cycles. 0 or -ENOMEM. */
int verdict__compare(struct verdict *v, const struct model *m,
		     const struct verdict_options *options);

/* verdict_cycles.c */
void verdict__judge_baseline(struct verdict *v, const struct model *m,
			     const struct finding_list *findings,
			     const struct verdict_options *options);

/* verdict_sites.c: which functions ran here. */
struct ran;
struct ran *ran__make(const struct model *m, const struct driver_table *table);
void ran__free(struct ran *ran);
/* The sites of a dependency in the baseline, and what became of them. 0 or -ENOMEM. */
int verdict__sites(struct verdict_dependency *d, const struct model *baseline,
		   const struct class_edge *edge, uint32_t edge_id, const struct ran *ran,
		   const struct verdict_options *options);

#endif
