/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waitfor.h - who waits for which lock, who owns it, now; and the cycles in that.
 *
 * Purpose: one graph for the census (`now`), the live sweep and pending requests of traces.
 * Ids are those of the model the graph was made with. Pure: no kernel, no I/O.
 *
 * Invariants: a task waits for at most one lock. A lock may have several owners (readers).
 * Life cycle: waitfor__new, add waits and owners, waitfor__find_deadlocks, waitfor__free.
 */
#ifndef VFIOTRACE_WAITFOR_H
#define VFIOTRACE_WAITFOR_H

#include "finding.h"

enum wait_break { WAIT_UNINTERRUPTIBLE, WAIT_KILLABLE, WAIT_INTERRUPTIBLE };

struct waitfor_wait {
	uint32_t task, instance;
	uint8_t mode;	   /* enum lock_mode wanted */
	uint8_t breakable; /* enum wait_break */
	char state;	   /* task state letter */
	uint64_t since;	   /* mono, 0 unknown */
	uint32_t kernel_stack, user_stack;
};

struct waitfor_owner {
	uint32_t task, instance;
	uint8_t mode;
	bool certain; /* from the owner word or a confirmed held set; else only the last reader */
};

struct waitfor;

struct waitfor *waitfor__new(const struct model *m);
void waitfor__free(struct waitfor *w);
int waitfor__add_wait(struct waitfor *w, const struct waitfor_wait *wait);
int waitfor__add_owner(struct waitfor *w, const struct waitfor_owner *owner);
uint32_t waitfor__wait_count(const struct waitfor *w);
const struct waitfor_wait *waitfor__wait(const struct waitfor *w, uint32_t i);
uint32_t waitfor__owner_count(const struct waitfor *w);
const struct waitfor_owner *waitfor__owner(const struct waitfor *w, uint32_t i);

/*
 * Add one finding of kind deadlock per cycle (self waits included) to `out`; cycles are
 * rotation-canonical by task. A reader that waits behind a queued writer counts as waiting for that
 * writer's blockers too. An owner that is not certain proves nothing and closes no cycle.
 * Where readers make more cycles than anybody can read, at least one over every task that is on any
 * is given, and out->search_limited says so.
 * The findings live as long as `w`; the caller frees out->items. Returns the number added, or
 * -ENOMEM.
 */
int waitfor__find_deadlocks(const struct waitfor *w, struct finding_list *out, uint64_t now);
/*
 * The same for cycles that close only if an owner that is not certain (the last reader that came)
 * still has the lock: code possible-deadlock, grade warning.
 */
int waitfor__find_possible(const struct waitfor *w, struct finding_list *out, uint64_t now);

#endif
