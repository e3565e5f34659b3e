/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - where the census gets what it looks at: kernel memory, all tasks, open files.
 *
 * Three kinds, and nothing above this header asks which: BPF programs in the running kernel,
 * /proc/kcore, an image of a kernel that is gone. The one thing they differ in is whether the
 * kernel runs on while it is looked at.
 *
 * Life cycle: census_source__open loads the programs (-EPERM, -ENOTSUP: not possible here),
 * census__source_of_memory (census.h) takes memory; any number of reads, census_source__close. One
 * thread at a time.
 */
#ifndef VFIOTRACE_CENSUS_SOURCE_H
#define VFIOTRACE_CENSUS_SOURCE_H

#include "kernel_memory.h"
#include "census_record.h"
#include "census.h"
#include "kernel.h"

/* Of struct task_struct: the kernel stack pointer of a task that does not run. */
#if defined(__x86_64__)
#define MEMBER_STACK_POINTER "thread.sp"
#elif defined(__aarch64__)
#define MEMBER_STACK_POINTER "thread.cpu_context.sp"
#else
#define MEMBER_STACK_POINTER "thread.ksp"
#endif

struct census_source;

struct census_source *census_source__open(const struct kernel *k, int *error);
const struct memory *census_source__memory(const struct census_source *s);
/* Nothing in it moves: what was true when it was taken is all there will ever be. */
bool census_source__is_image(const struct census_source *s);
/* CLOCK_MONOTONIC of the kernel looked at, ns; of an image, when it was taken. */
uint64_t census_source__now(const struct census_source *s);

/* frames: innermost first; regs: struct pt_regs or NULL. Both valid during the call. */
typedef int (*census_task_function)(void *context, const struct census_task_record *record,
				    const uint64_t *frames, const void *regs);
typedef int (*census_file_function)(void *context, const struct census_file_record *record);

/* Every task; or, with `wanted` (task_struct addresses), those only, with stack and registers. */
int census_source__tasks(struct census_source *s, const uint64_t *wanted, uint32_t wanted_count,
			 census_task_function function, void *context);
/* Every task, each with its stack. */
int census_source__all_stacks(struct census_source *s, census_task_function function,
			      void *context);
int census_source__files(struct census_source *s, census_file_function function, void *context);

/*
 * A function that tasks wait for a lock in and that was not found on this kernel, so that these
 * waits are not seen (where the kernel does not record them itself); NULL: none.
 */
const char *census_source__unmarked(const struct census_source *s);
/* Wall clock of an image, ns; 0: not known. */
uint64_t census_source__wall_clock(const struct census_source *s);
/* What the walks left out, as the end of "... could not be looked at: "; NULL: nothing. */
const char *census_source__cut(const struct census_source *s);
const char *census_source__missing(const struct census_source *s); /* known before any walk */

#endif
