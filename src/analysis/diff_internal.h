/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_internal.h - entries of one run, collected by diff_sections.c and merged by diff.c. */
#ifndef VFIOTRACE_ANALYSIS_DIFF_INTERNAL_H
#define VFIOTRACE_ANALYSIS_DIFF_INTERNAL_H

#include "diff.h"

struct diff_side {
	const struct model *m;
	const struct finding_list *findings; /* may be NULL */
};

struct diff_entry {
	const char *name, *from, *to; /* aligned names, owned by the diff */
	uint64_t value;		      /* what must be equal: modes, state, code and grade */
	uint64_t count, total;
	const char *words; /* coverage: probe; cycles: grade */
	bool is_bad;
};

struct diff_list {
	struct diff *owner;
	struct diff_entry *items;
	uint32_t count, capacity;
};

/* Both: 0, or -1 when memory is exhausted. */
int diff__collect(enum diff_section section, const struct diff_side *side, struct diff_list *out);
char *diff__describe(enum diff_section section, const struct diff_entry *entry); /* caller frees */

#endif
