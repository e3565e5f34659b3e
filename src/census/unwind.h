/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unwind.h - the kernel stack of a task that sleeps, from memory alone.
 *
 * As the kernel's own walk gives it: return addresses, innermost first, without the functions that
 * sleep (.sched.text) and the locks' own (.spinlock.text). x86_64, by ORC. What cannot be followed
 * ends the stack there.
 */
#ifndef VFIOTRACE_CENSUS_UNWIND_H
#define VFIOTRACE_CENSUS_UNWIND_H

#include "kernel.h"
#include "kernel_memory.h"

struct unwinder {
	const struct kernel *kernel;
	const struct memory *memory;
	uint64_t skipped_start, skipped_end; /* functions that are left out */
};

void unwinder__init(struct unwinder *u, const struct kernel *k, const struct memory *m);
/* stack: its lowest address; sp: as it was saved when the task was switched from. Frames found. */
uint32_t unwinder__walk(const struct unwinder *u, uint64_t stack, uint64_t sp, uint64_t *frames,
			uint32_t room);

#endif
