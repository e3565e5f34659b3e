/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict_internal.h - the trace as the closure walks it, shared by predict.c, predict_trace.c and
 * schedule.c.
 */
#ifndef VFIOTRACE_ANALYSIS_PREDICT_INTERNAL_H
#define VFIOTRACE_ANALYSIS_PREDICT_INTERNAL_H

#include "analysis/predict.h"

/* Critical sections of one lock in one task; `last` and `last_exclusive` are those in the closure.
 */
struct slot {
	uint32_t instance, task;
	uint32_t next;		       /* slot of the same lock, NO_ID: last */
	uint32_t last, last_exclusive; /* acquire events, NO_ID: none */
	uint32_t exclusive, shared;    /* while replaying: how often held */
};

/* Who holds a lock while replaying, all tasks together. */
struct holders {
	uint32_t exclusive, shared;
};

struct predictor {
	struct analysis *a;
	const struct trace_event *events;
	uint32_t event_count, task_count;
	/* the trace */
	uint32_t *local;      /* by event: how many events its task did before */
	uint32_t *task_start; /* by task: where its events start in task_events */
	uint32_t *task_events;
	uint32_t *cross;       /* by event: writer read from, or last event of the joined task */
	uint32_t *release;     /* by acquire: the event that ends it, NO_ID: never; by any other
				  event: the fork it comes after */
	struct idmap outer;    /* acquire of a lock already read-held -> the enclosing acquire */
	struct idmap slot_ids; /* (task, instance) -> slot */
	VECTOR(struct slot) slots;
	uint32_t *first_slot; /* by instance */
	/* the closure */
	uint32_t *done, *target; /* by task: events in it; wanted in it */
	struct ids work, dirty, touched;
	struct ids tasks;	 /* with events in it */
	uint8_t *is_dirty;	 /* by instance */
	struct holders *holders; /* by instance */
	bool infeasible;
	bool no_memory;
	uint64_t walked;	       /* events and sections looked at so far */
	uint64_t limit;		       /* of walked: the check ends here */
	uint32_t current[MAX_PATTERN]; /* entry per node of the pattern */
};

static inline bool is_acquire(const struct trace_event *event)
{
	return event->op == EVENT_ACQUIRE || event->op == EVENT_TRY_ACQUIRE;
}

bool predictor__read_trace(struct predictor *p);
/* The events of the closure in trace order, to be freed; NULL: no memory. */
uint32_t *predictor__closure(struct predictor *p, uint32_t *count);
/* Id of the slot of (task, lock), NO_ID: no memory. */
uint32_t predictor__slot(struct predictor *p, uint32_t task, uint32_t instance);

#endif
