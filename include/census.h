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

struct census_options {
	struct kernel *kernel;
	struct model *model;
	bool stacks_of_blocked; /* D-state tasks that wait elsewhere too */
	int verbosity;
};

struct census_lock {
	uint32_t instance;
	uint8_t kind; /* enum lock_kind */
	uint32_t owner; /* task id or NO_ID */
	uint32_t readers;
	uint32_t waiter_count;
};

struct census {
	struct waitfor *waitfor;
	struct census_lock *locks;
	uint32_t lock_count;
	uint32_t *blocked_tasks; /* D state, waiting for none of these locks */
	uint32_t *blocked_stacks;
	uint32_t blocked_count;
	const char *notes[16]; /* what could not be seen */
	uint32_t note_count;
	bool changed_while_walked;
	uint64_t duration_ns;
};

struct census *census__run(const struct census_options *options, int *error);
void census__free(struct census *c);
const char *census__error(void);

#endif
