/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patterns.h - abstract deadlock patterns: cycles of nodes with distinct tasks, distinct wanted
 * locks, no guard, and modes that block. Each stands for the product of its nodes' events.
 */
#ifndef VFIOTRACE_ANALYSIS_PATTERNS_H
#define VFIOTRACE_ANALYSIS_PATTERNS_H

#include "analysis/nodes.h"

#define MAX_PATTERN 8

/* nodes[i + 1] holds, in a mode that blocks, what nodes[i] wants. */
struct pattern {
	uint32_t length;
	uint32_t nodes[MAX_PATTERN];
	bool fair; /* some wait is behind a queued writer */
};

/* Calls `found` for each, shortest first; stops early when it returns false. */
void patterns__search(struct analysis *a, bool (*found)(void *context, const struct pattern *p),
		      void *context);

#endif
