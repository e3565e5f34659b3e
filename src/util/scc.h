/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scc.h - strongly connected components (R. Tarjan 1972, iterative), and adjacency in one array.
 */
#ifndef VFIOTRACE_UTIL_SCC_H
#define VFIOTRACE_UTIL_SCC_H

#include <stdbool.h>
#include <stdint.h>

#define SCC_NONE UINT32_MAX

struct arc {
	uint32_t from, to;
};

/* Arcs grouped by their from-end: those of node n are items[start[n]] .. items[start[n + 1]]. */
struct adjacency {
	uint32_t nodes;
	uint32_t *start, *items; /* items: to-ends */
};

bool adjacency__build(struct adjacency *a, uint32_t nodes, const struct arc *arcs, uint32_t count);
void adjacency__release(struct adjacency *a);

/*
 * Component per node, SCC_NONE for nodes that are on no cycle of length two or more. NULL: no
 * memory. Caller frees. O(nodes + arcs).
 */
uint32_t *scc__components(const struct adjacency *a);

#endif
