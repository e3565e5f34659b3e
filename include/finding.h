/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding.h - what analysis says about a model, and the list it says it in.
 *
 * Purpose: the one shape that text, JSON, store, report, metrics and verdicts read. Meaning of
 * codes and grades: the table of verdicts in the manual (vfiotrace-findings).
 *
 * Invariants: classes[], modes[] and dependencies[] are in cycle order and equally long for cycles;
 * witness i explains classes[i] -> classes[(i + 1) % count]. `key` is the rotation-canonical
 * sequence of (class, mode) plus the kind: equal keys are the same finding.
 *
 * Life cycle: made by analysis__*, owned by its finding_list; sinks only read.
 */
#ifndef VFIOTRACE_FINDING_H
#define VFIOTRACE_FINDING_H

#include "model.h"

enum finding_kind {
	FINDING_INVERSION, /* cycle of length two */
	FINDING_CYCLE,
	FINDING_RECURSION,
	FINDING_DEADLOCK,
	FINDING_NESTING,
	FINDING_UNLOCK,
	FINDING_ORDER,
	FINDING_KINDS,
};

enum finding_code {
	CODE_DEADLOCK,
	CODE_RECURSION,
	CODE_PREDICTED,
	CODE_PREDICTED_FAIR,
	CODE_INSTANCE_INVERSION,
	CODE_CLASS_INVERSION,
	CODE_BAD_UNLOCK,
	CODE_ORDER_VIOLATION,
	CODE_SAME_CLASS_NESTING,
	CODE_GATED,
	CODE_ORDERED,
	CODE_SAME_THREAD,
	CODE_READ_ONLY,
	CODE_POSSIBLE_DEADLOCK, /* a cycle in which who reads a lock is likely, not known */
	FINDING_CODES,
};

enum finding_grade { GRADE_INFO, GRADE_WARNING, GRADE_ERROR, GRADE_CRITICAL, FINDING_GRADES };

extern const char *const finding_kind_names[FINDING_KINDS];
extern const char *const finding_code_names[FINDING_CODES]; /* "instance-inversion" … */
extern const char *const finding_grade_names[FINDING_GRADES];

/* One dependency of the cycle with the occurrence that proves it. */
struct witness {
	uint32_t dependency; /* NO_ID for pure instance-less (class graph) sources */
	uint32_t chain;	     /* the occurrence; NO_ID if only the edge is known */
	uint32_t last_chain; /* latest occurrence, may equal chain */
	uint32_t held_index; /* which held lock of the chain is `from` */
	uint32_t task;
	uint32_t class_edge;
};

/* A task of a deadlock: what it holds, what it waits for. */
struct deadlock_task {
	uint32_t task;
	uint32_t wants; /* instance */
	uint8_t wants_mode;
	uint8_t breakable; /* enum wait_break of waitfor.h */
	char state;	   /* 'D', 'S', 'R', 'K' (killable) … */
	uint64_t since;
	uint32_t kernel_stack, user_stack; /* stack ids or NO_ID */
	uint32_t holds[8];		   /* instances; holds[0] closes the cycle */
	uint32_t hold_count;
	uint32_t vm, device; /* objects or NO_ID */
};

enum prediction { PREDICTION_NOT_DECIDED, PREDICTION_UNREACHABLE, PREDICTION_REACHABLE };

struct known_bug {
	const char *commit, *title,
		*state; /* state: "missing here", "in this kernel", "cannot tell" */
};

struct finding {
	enum finding_kind kind;
	enum finding_code code;
	enum finding_grade grade;
	const char *key;
	uint32_t length; /* classes in the cycle */
	uint32_t *classes;
	uint8_t *modes; /* mode in which classes[i] is held */
	struct witness *witnesses;
	uint32_t *guards; /* instances */
	uint32_t guard_count;
	struct deadlock_task *tasks;
	uint32_t task_count;
	bool same_thread; /* all occurrences from one task */
	bool inferred;	  /* some dependency is inferred */
	bool breakable;	  /* deadlock: a signal can break it */
	bool resolved;	  /* deadlock that was seen to dissolve */
	uint64_t resolved_at;
	enum prediction prediction;
	const char *prediction_note; /* why not decided, or NULL */
	const char **schedule;	     /* steps in words that reach the deadlock */
	uint32_t schedule_count;
	const char *ordered_by; /* fork/join that orders it, or NULL */
	const char *note;	/* one sentence for people, or NULL */
	const char *rule;	/* the declared order that is violated, or NULL */
	const char *suppressed; /* reason of the suppression that matches, or NULL */
	struct known_bug known[8];
	uint32_t known_count;
	uint64_t first, last, count;
};

struct finding_list {
	struct finding **items; /* stable pointers; order: first seen */
	uint32_t count, capacity;
	bool search_cut; /* a budget ended the search: more cycles may exist than are listed */
	/* checks that a budget ended: their findings have the next lower code than they might */
	uint64_t undecided;
};

/* Severity order for output: grade descending, then kind, then key. Stable across runs. */
void finding_list__sorted(const struct finding_list *list, const struct finding **out);
/* Every check was made to its end: what is not listed does not exist. NULL is an empty list. */
bool finding_list__is_complete(const struct finding_list *list);
/* Exit status these findings demand by themselves: 3, 2 or 0 (CONTRACT exit codes). */
int finding_list__exit_code(const struct finding_list *list);

#endif
