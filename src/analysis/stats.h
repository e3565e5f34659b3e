/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.h - numbers of the last analysis__finish, for tests and benchmarks.
 */
#ifndef VFIOTRACE_ANALYSIS_STATS_H
#define VFIOTRACE_ANALYSIS_STATS_H

#include "analysis.h"

struct analysis_stats {
	uint64_t abstract_acquires;  /* distinct (task, wanted, mode, held set) */
	uint64_t abstract_patterns;  /* cycles of those, up to the longest length searched */
	uint64_t concrete_patterns;  /* combinations of events they stand for */
	uint64_t reachable_patterns; /* abstract ones with a sync-preserving deadlock */
	uint64_t unchecked_patterns; /* of cycles that no check can make worse any more */
	uint32_t searched_length;    /* every pattern up to this length was looked at */
	uint64_t undecided;	     /* checks that a budget ended */
	bool search_limited;	     /* a budget ended the search */
};

const struct analysis_stats *analysis__stats(const struct analysis *a);

#endif
