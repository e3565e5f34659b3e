/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_source.h - what the files of the census that walk memory from outside share. */
#ifndef VFIOTRACE_CENSUS_MEMORY_SOURCE_H
#define VFIOTRACE_CENSUS_MEMORY_SOURCE_H

#include "census.h"
#include "census/source_private.h"
#include "census/unwind.h"

/* Members, by name in memory_places.c. */
enum memory_place {
	TASK_TASKS,
	TASK_SIGNAL,
	TASK_THREAD_NODE,
	SIGNAL_THREADS,
	TASK_LEADER,
	TASK_PID,
	TASK_TGID,
	TASK_FLAGS,
	TASK_START,
	TASK_EXEC_START,
	TASK_NVCSW,
	TASK_NIVCSW,
	TASK_ON_CPU,
	TASK_ON_RQ,
	TASK_STATE,
	TASK_COMM,
	TASK_SP,
	TASK_STACK,
	TASK_FILES,
	FILES_TABLE,
	TABLE_COUNT,
	TABLE_FILES,
	FILE_OPERATIONS,
	FILE_PRIVATE,
	OPERATIONS_RELEASE,
	MEMORY_PLACES,
};

struct memory_task {
	uint64_t address;
	uint32_t tid;
};

struct memory_source {
	struct census_source base; /* first: the two are the same address */
	struct unwinder unwinder;
	int place[MEMORY_PLACES]; /* byte offsets, -ENOENT: no such member */
	uint64_t init_task;
	struct memory_task *tasks; /* by tid */
	uint32_t task_count, task_room;
};

/* memory_places.c */
void memory_source__find_places(struct memory_source *s, const struct kernel *k);
/* 0 where there is no such member, or it cannot be read. */
uint64_t memory_source__word(const struct memory_source *s, uint64_t object, enum memory_place at);
uint32_t memory_source__number(const struct memory_source *s, uint64_t object,
			       enum memory_place at);
/* When the memory was taken: CLOCK_MONOTONIC, ns, and wall clock; 0: not known. */
uint64_t memory_source__clock(const struct memory_source *s, const struct kernel *k,
			      uint64_t *real);
/* memory_files.c */
int memory_source__files(struct census_source *base, census_file_function function, void *context);

#endif
