/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census.h - what exists and who waits for whom, without tracing: VMs, groups, devices, device
 * sets, containers, KVM-VFIO devices, their locks' owners and waiters, task stacks.
 *
 * Life cycle: census__run fills a model with objects, instances, tasks, stacks, and a wait-for
 * graph; the caller owns both. Errors: -errno with census__error; partial results are results with
 * notes (what could not be seen and why).
 */
#ifndef VFIOTRACE_CENSUS_H
#define VFIOTRACE_CENSUS_H

#include "kernel.h"
#include "waitfor.h"

struct census_source;

/* Kernel memory to be walked from outside, in place of BPF. */
struct census_memory {
	const struct kernel *kernel; /* of that memory */
	const struct memory *memory;
	bool is_image;	     /* nothing in it moves any more */
	const char *missing; /* what is known not to be in it; NULL: nothing */
};
/* NULL: -ENOTSUP, its tasks cannot be found. For census_options.source; kernel and memory live as
 * long. */
struct census_source *census__source_of_memory(const struct census_memory *from, int *error);
void census_source__close(struct census_source *s);

/*
 * What live capture knows more: a lock some task holds although no owner word says so (readers), or
 * an rwsem that it has or asks for to write.
 */
struct census_hold {
	uint64_t task, lock; /* kernel addresses */
	bool shared;
};

struct census_options {
	struct kernel *kernel;
	struct model *model;
	bool stacks_of_blocked; /* D-state tasks that wait elsewhere too */
	bool user_stacks;	/* of waiters and owners; takes milliseconds each */
	int verbosity;
	struct census_source *source; /* kept open between runs; NULL: BPF, by each run */
	/* live capture only; all may be NULL or 0 */
	const struct census_hold *holds;
	uint32_t hold_count;
	/* Instance this address already has in the model, NO_ID: none. */
	uint32_t (*known_instance)(void *context, uint64_t address);
	void *context;
};

struct census_lock {
	uint32_t instance;
	uint8_t kind;	/* enum lock_kind */
	uint32_t owner; /* task id or NO_ID */
	uint32_t readers;
	uint32_t waiter_count;
};

/* Who has what open. */
struct census_open {
	uint32_t task;	 /* the process: its main thread */
	uint32_t object; /* in the model */
	uint32_t fd;
};

/*
 * A wait that stood still and whose blocker the kernel does not name: the readers of an rwsem, or a
 * lock that is not known here. Whether it is part of a deadlock cannot be said.
 */
struct census_undecided {
	uint32_t task;
	uint32_t instance; /* NO_ID: not known which */
	uint32_t readers;
	uint32_t last_reader; /* task id or NO_ID: who came last */
	uint32_t kernel_stack;
	const char *function; /* that it waits in, where the lock is not known */
};

struct census_run;

struct census {
	struct census_run *run; /* what census__find_deadlocks confirms with */
	struct waitfor *waitfor;
	struct census_lock *locks;
	uint32_t lock_count;
	uint32_t *blocked_tasks; /* D state, waiting for none of these locks */
	uint32_t *blocked_stacks;
	uint32_t blocked_count;
	struct census_open *opens;
	uint32_t open_count;
	const char *notes[16]; /* what could not be seen of the inventory */
	uint32_t note_count;
	/* What "no deadlock" needs and was not looked at: what, and the remedy. */
	const char *gaps[16];
	uint32_t gap_count;
	struct census_undecided *undecided; /* census__find_undecided */
	uint32_t undecided_count;
	bool changed_while_walked;
	uint64_t now; /* CLOCK_MONOTONIC where it was looked at, ns: waits end here */
	uint64_t duration_ns;
};

struct census *census__run(const struct census_options *options, int *error);
/*
 * Cycles of the wait-for graph, each confirmed: all its links were read again while none of its
 * tasks ran (their context switch counts stood still), so they were true at one moment. Number
 * added to `out`, or -errno.
 */
int census__find_deadlocks(struct census *c, struct finding_list *out, uint64_t now);
/*
 * Likewise cycles that close only if the last reader of an rwsem still has it. Of code deadlock
 * where it is proved that no other task can be the reader (readers.c), else
 * possible-deadlock. Call after census__find_deadlocks; takes up to a second if there are any.
 */
int census__find_possible(struct census *c, struct finding_list *out, uint64_t now);
/*
 * Fill `undecided` with the waits whose blocker cannot be named and that stand still for a second,
 * during which it looks (not longer, if there are none). Tasks of `findings` are left out. Zero or
 * -errno.
 */
int census__find_undecided(struct census *c, const struct finding_list *findings,
			   bool (*stop)(void));
/* Read the owners again and again for `ns`, or until `stop` says so. */
void census__watch_owners(struct census *c, uint64_t ns, bool (*stop)(void));
/* Leave in `c` only locks whose owner stayed all the while `before` was watched, and is there yet.
 */
void census__keep_steady(struct census *c, const struct census *before);
void census__free(struct census *c);
const char *census__error(void);

#endif
