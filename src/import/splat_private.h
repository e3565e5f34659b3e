/* SPDX-License-Identifier: GPL-2.0-or-later */
/* splat_private.h - parts of a lockdep report on their way into the model. */
#ifndef VFIOTRACE_IMPORT_SPLAT_PRIVATE_H
#define VFIOTRACE_IMPORT_SPLAT_PRIVATE_H

#include "import/splat.h"

struct splat_emitter {
	const struct splat *splat;
	struct klog_reader *log;
	struct model *m;
	uint32_t task;
	int err;
};

/* The report lacks something: counted, and a fact of the model, so that nothing is summed up as
 * clean. */
void splat__complain(struct splat_emitter *e, const char *missing);
uint32_t splat__class(struct splat_emitter *e, const char *name, uint8_t *subclass);
struct held_lock splat__lock(struct splat_emitter *e, const struct klog_lock *lock, bool recalled,
			     const struct klog_stack *stack);
/* A lock in its role as held: how it was taken then is not in the report, so the mode that keeps
 * lockdep's verdict is assumed. */
struct held_lock splat__held(struct splat_emitter *e, const struct klog_lock *lock, bool recalled);
uint32_t splat__chain(struct splat_emitter *e, const struct held_lock *held, uint32_t count,
		      const struct held_lock *wanted, uint32_t task);
/* Everything the reporting task held: the list, or at least the lock named in the report. */
uint32_t splat__held_of_task(struct splat_emitter *e, struct held_lock *held);
/* The lock that is wanted under those that are held; its chain, or NO_ID. */
uint32_t splat__new_dependency(struct splat_emitter *e);

/* splat_state.c: what the order graph cannot express is stated as a finding. */
void splat__state_recursion(struct splat_emitter *e);
void splat__state_interrupt(struct splat_emitter *e, struct splat *splat);
void splat__state_leak(struct splat_emitter *e);
void splat__state_bad_unlock(struct splat_emitter *e);

#endif
