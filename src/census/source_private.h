/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source_private.h - what a source of the census is made of. The kinds: BPF (bpf_source.c), kernel
 * memory that is walked from outside (memory_source.c: /proc/kcore, an image).
 */
#ifndef VFIOTRACE_CENSUS_SOURCE_PRIVATE_H
#define VFIOTRACE_CENSUS_SOURCE_PRIVATE_H

#include "census/source.h"

#define CENSUS_SLOW_PATHS 3

struct census_source_type {
	/* wanted: NULL, all; then with a stack each if all_stacks */
	int (*tasks)(struct census_source *s, const uint64_t *wanted, uint32_t wanted_count,
		     bool all_stacks, census_task_function function, void *context);
	int (*files)(struct census_source *s, census_file_function function, void *context);
	void (*close)(struct census_source *s); /* frees s */
};

/* The first member of each kind's own structure. */
struct census_source {
	const struct census_source_type *type;
	struct memory memory;
	struct census_control control;
	bool is_marked[CENSUS_SLOW_PATHS]; /* functions by which a waiter is known */
	bool is_image;
	uint64_t taken_at; /* image: ns of CLOCK_MONOTONIC, and of the wall clock; 0: not known */
	uint64_t taken_at_real;
	const char *cut;     /* census_source__cut */
	const char *missing; /* likewise, known before */
};

/* Fill in what tasks and files are known by; `memory` and `type` are there. */
void census_source__init(struct census_source *s, const struct kernel *k);

#endif
