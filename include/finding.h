/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding.h - what analysis says about a model, and the list it says it in.
 *
 * Purpose: the one shape that text, JSON, store, report, metrics and verdicts read. Meaning of
 * codes and grades: the table of verdicts in the manual (vfiotrace-findings).
 *
 * Invariants: classes[], modes[] and dependencies[] are in cycle order and equally long for cycles;
 * witness i explains classes[i] -> classes[(i + 1) % count]. A hang has one task, whose `wait` is
 * known, and one class, that of the lock, or none. `key` is the rotation-canonical sequence of
 * (class, mode) plus the kind, of a hang its task and wait: equal keys are the same finding.
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
	FINDING_HANG, /* a task that a source says is blocked, on no cycle that is known */
	FINDING_IRQ,  /* a lock that an interrupt takes, and the task it interrupts holds */
	FINDING_KINDS,
};

enum finding_code {
	CODE_DEADLOCK,
	CODE_RECURSION,
	CODE_PREDICTED,
	CODE_PREDICTED_FAIR,
	CODE_INSTANCE_INVERSION,
	CODE_WAIT_INVERSION, /* the same through a wait: for a work, an SRCU domain, a completion */
	CODE_CLASS_INVERSION,
	CODE_BAD_UNLOCK,
	CODE_ORDER_VIOLATION,
	CODE_SAME_CLASS_NESTING,
	CODE_GATED,
	CODE_ORDERED,
	CODE_SAME_THREAD,
	CODE_READ_ONLY,
	CODE_POSSIBLE_DEADLOCK, /* a cycle in which who reads a lock is likely, not known */
	CODE_HUNG_ON_LOCK,
	CODE_HUNG_ELSEWHERE, /* waits for no lock: I/O, a completion, a work, RCU … */
	CODE_IRQ_INVERSION,
	CODE_LOCK_LEAK, /* a task returns to user space or exits with a lock that it holds */
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

/* What a blocked task waits for; the locks come first, see wait_what__is_lock. */
enum wait_what {
	WAIT_WHAT_MUTEX,
	WAIT_WHAT_RWSEM_READ,
	WAIT_WHAT_RWSEM_WRITE,
	WAIT_WHAT_RWSEM, /* reader or writer is not known */
	WAIT_WHAT_SEMAPHORE,
	WAIT_WHAT_RTMUTEX,
	WAIT_WHAT_PERCPU_RWSEM,
	WAIT_WHAT_COMPLETION,
	WAIT_WHAT_WORK,
	WAIT_WHAT_WORKQUEUE,
	WAIT_WHAT_SRCU,
	WAIT_WHAT_RCU,
	WAIT_WHAT_FOLIO,
	WAIT_WHAT_IO,
	WAIT_WHAT_EVENT,
	WAIT_WHAT_KTHREAD,
	WAIT_WHAT_UNKNOWN,
	WAIT_WHATS,
};
extern const char *const wait_what_names[WAIT_WHATS]; /* "mutex" "rwsem-read" … */
bool wait_what__is_lock(enum wait_what what);

/* A task beside the blocked one: who owns what it waits for, or waits for it too. */
struct other_task {
	uint32_t task;	     /* NO_ID: none */
	char state;	     /* 0: not known */
	uint32_t stack;	     /* NO_ID: not known */
	uint64_t blocked_ns; /* 0: not known */
};

/* What a source says of a wait beyond the instance that is wanted. */
struct task_wait {
	enum wait_what what;
	uint32_t lock_class; /* NO_ID: nothing names it */
	/* First frame above the scheduler and the lock's own functions,
	 * "vgpu_mmio_read+0x51 [examplegpu]"; NULL: not known. */
	const char *site;
	uint64_t blocked_ns;	 /* 0: not known */
	struct other_task owner; /* the likely one */
	/* Who waits for the same instance. analysis__finish fills them in where a source left them
	 * out: the first few, and how many more there are. */
	struct other_task *waiters;
	uint32_t waiter_count, more_waiters;
};

/* A task of a finding: what it holds, what it waits for. */
struct blocked_task {
	uint32_t task;
	uint32_t wants; /* instance; NO_ID: waits for no lock, or none that is known */
	uint8_t wants_mode;
	uint8_t breakable; /* enum wait_break of waitfor.h */
	char state;	   /* 'D', 'S', 'R', 'K' (killable) … */
	uint64_t since;
	uint32_t kernel_stack, user_stack; /* stack ids or NO_ID */
	uint32_t holds[8];		   /* instances; holds[0] closes the cycle */
	uint32_t hold_count;
	uint32_t vm, device;	/* objects or NO_ID */
	struct task_wait *wait; /* NULL: nothing is known beyond `wants` */
};
/* Told by its tasks and what they wait for, not by orders of locks: a deadlock or a hang. */
bool finding_kind__is_wait(enum finding_kind kind);
/* With everything else not known. */
struct blocked_task blocked_task__of(uint32_t task);

enum prediction { PREDICTION_NOT_DECIDED, PREDICTION_UNREACHABLE, PREDICTION_REACHABLE };

struct known_bug {
	const char *commit, *title, *state; /* state: "missing here", "in this kernel", "unknown" */
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
	struct blocked_task *tasks; /* of a deadlock all on it; else one or none */
	uint32_t task_count;
	bool same_thread; /* all occurrences from one task */
	bool same_class;  /* two locks of one class, lockdep says; it may be one lock */
	bool inferred;	  /* some dependency is inferred */
	bool breakable;	  /* deadlock: a signal can break it */
	bool resolved;	  /* deadlock that was seen to be resolved */
	uint64_t resolved_at;
	enum prediction prediction;
	const char *prediction_note; /* why not decided, or NULL */
	const char **schedule;	     /* steps in words that reach the deadlock */
	uint32_t schedule_count;
	const char *ordered_by; /* fork/join that orders it, or NULL */
	const char *note;	/* one sentence for people, or NULL */
	const char *rule;	/* the declared order that is violated, or NULL */
	const char *missing;	/* what the source was cut short of, or NULL: it is whole */
	const char *suppressed; /* reason of the suppression that matches, or NULL */
	struct known_bug known[8];
	uint32_t known_count;
	uint64_t first, last, count;
};

struct finding_list {
	struct finding **items; /* stable pointers; order: first seen */
	uint32_t count, capacity;
	bool search_limited; /* a budget ended the search: more cycles may exist than are listed */
	/* checks that a budget ended: their findings have the next lower code than they might */
	uint64_t undecided;
};

/* Some link of the cycle is no lock but a wait (lock_kind__is_wait). */
bool finding__goes_through_wait(const struct model *m, const struct finding *f);
/* Severity order for output: grade descending, then kind, then key. Stable across runs. */
void finding_list__sorted(const struct finding_list *list, const struct finding **out);
/*
 * Was everything looked at? Nothing was lost on the way into `m`, every check was made to its end,
 * and the source has nothing that is not followed. Only then does what is not listed not exist:
 * whoever says "clean", "none" or "no ..." asks here first. A NULL list is an empty one.
 */
bool finding_list__is_complete(const struct finding_list *list, const struct model *m);
/* Exit status these findings demand by themselves: 3, 2 or 0 (vfiotrace-output(7)). */
int finding_list__exit_code(const struct finding_list *list);

#endif
