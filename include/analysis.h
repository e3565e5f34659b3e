/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analysis.h - cycles, grades, prediction, declared orders: pure functions of the model.
 *
 * Sources: lockdep (kernel/locking/lockdep.c, strong cycles over (class, last edge recursive
 * read)), Pearce and Kelly 2006 (incremental topological order), Tunc, Mathur, Pavlogiannis,
 * Viswanathan, PLDI 2023 (sync-preserving deadlocks).
 *
 * Life cycle: analysis__new(model, options) hooks itself into the model as an observer, so that an
 * alarm is raised at the closing dependency; analysis__finish decides everything again over the
 * whole model (all codes, guards, prediction) and updates the findings. analysis__free before the
 * model is freed. Findings live as long as the analysis.
 */
#ifndef VFIOTRACE_ANALYSIS_H
#define VFIOTRACE_ANALYSIS_H

#include "finding.h"
#include "rules.h"

struct analysis;

struct analysis_options {
	bool live_kernel; /* threads are interchangeable: same-thread is an attribute, not a code */
	bool touches_scope;	      /* report only cycles that touch a CLASS_IN_SCOPE class */
	bool predict;		      /* run the prediction where an event stream is present */
	uint32_t max_pattern_length;  /* 0: 6 */
	uint32_t budget_shift;	      /* tests: every budget is divided by 2 to this power */
	const struct rule_set *rules; /* may be NULL */
	const struct rule_set *suppressions; /* may be NULL */
	const struct catalogue *catalogue;   /* may be NULL */
	/* Called once per new finding, at the closing dependency or occurrence. May be NULL. */
	void (*on_finding)(void *context, const struct finding *finding);
	void *context;
};

struct analysis *analysis__new(struct model *m, const struct analysis_options *options);
void analysis__free(struct analysis *a);
/* Findings that did not come from the order graph: live deadlock, recursion. Copied; deduplicated
 * by key; calls on_finding when new. Returns the stored finding. */
const struct finding *analysis__add_finding(struct analysis *a, const struct finding *finding);
/*
 * What a source states of a blocked task: a finding of kind hang. `task` has its `wait`; everything
 * is copied. The same wait of the same task again is counted, and the longest stays. Tasks that
 * are on a deadlock lose theirs in analysis__finish. `missing`: what the source was cut short of,
 * or NULL. NULL: no memory.
 */
const struct finding *analysis__add_hang(struct analysis *a, const struct blocked_task *task,
					 uint64_t time, const char *missing);
/* Mark a reported deadlock as resolved. */
void analysis__resolve(struct analysis *a, const char *key, uint64_t when);
/* Live: the cycles known so far are decided with all that is known now, as at the end. */
void analysis__reevaluate(struct analysis *a);
int analysis__finish(struct analysis *a);
const struct finding_list *analysis__findings(const struct analysis *a);

/*
 * Exit status, vfiotrace-output(7): precedence 3, 2, 4, 0. `inconclusive_counts`: losses and
 * missing probes make 4 (watch, validate); an imported file with unparsed lines does too, and one
 * that is cut or abbreviated: the fact "source.missing" says what is missing.
 */
int analysis__exit_code(const struct analysis *a, bool inconclusive_counts);

#endif
