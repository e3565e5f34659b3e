/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff.h - what changed between two runs: classes, dependencies, cycles, coverage, waits and holds.
 * Pure: two models and their findings.
 *
 * Rows are aligned by class name. A class that is named after its call site is aligned by the
 * function without offset, module and compiler suffix (.isra.0 …), and functions that were renamed
 * between releases count as one, so that inlining and renames do not show as changes. Hangs are
 * aligned by code, lock, function and the task's name without its numbers. Counts alone
 * are no change: two runs never count the same.
 *
 * Order: appeared, vanished, changed; then by name. The same two runs give the same bytes.
 *
 * Life cycle: diff__make, read, diff__free; it points into the models. NULL: out of memory.
 */
#ifndef VFIOTRACE_DIFF_H
#define VFIOTRACE_DIFF_H

#include "finding.h"

enum diff_kind { DIFF_APPEARED, DIFF_VANISHED, DIFF_CHANGED, DIFF_SAME };
extern const char *const diff_kind_names[];

enum diff_section {
	DIFF_CYCLES,
	DIFF_HANGS,
	DIFF_DEPENDENCIES,
	DIFF_CLASSES,
	DIFF_COVERAGE,
	DIFF_WAITS,
	DIFF_HOLDS,
	DIFF_SECTIONS,
};
extern const char *const diff_section_names[DIFF_SECTIONS];

struct diff_row {
	enum diff_kind kind;
	const char *name; /* "kvm.lock", "kvm.lock -> vfio_group.group_lock", "device_open" … */
	const char *from, *to; /* dependencies only */
	char *before, *after;  /* what it was and is, words; NULL where it was not there */
	bool bad;	       /* a new cycle or hang of grade warning or worse, not suppressed */
};

struct diff {
	struct diff_row *rows[DIFF_SECTIONS]; /* rows that are the same are kept for dependencies
						 (pictures), left out elsewhere */
	uint32_t count[DIFF_SECTIONS];
	bool new_cycle;
	/* was everything looked at on that side (finding_list__is_complete)? Else what is said to
	   have appeared may have been there before, and what is said to have vanished, or is not
	   said at all, may be there now */
	bool before_complete, after_complete;
	char **names; /* owned texts */
	uint32_t name_count;
};

struct diff *diff__make(const struct model *a, const struct finding_list *a_findings,
			const struct model *b, const struct finding_list *b_findings);
void diff__free(struct diff *d);
uint32_t diff__changes(const struct diff *d, enum diff_section section); /* rows that differ */

/* Name of a class or function with offset, module and compiler suffix cut, renames undone. */
const char *diff__aligned_name(const char *name, char *out, size_t size);
/* The same for the name of a function alone. */
const char *diff__aligned_function(const char *name, char *out, size_t size);

#endif
