// SPDX-License-Identifier: GPL-2.0-or-later
/* Strongly connected components, without recursion: a cycle of a million locks is just a loop. */
#include "util/scc.h"

#include <stdlib.h>

bool adjacency__build(struct adjacency *a, uint32_t nodes, const struct arc *arcs, uint32_t count)
{
	a->nodes = nodes;
	a->start = calloc(nodes + 2ULL, sizeof(*a->start));
	a->items = malloc((count + 1ULL) * sizeof(*a->items));
	if (!a->start || !a->items) {
		adjacency__release(a);
		return false;
	}
	for (uint32_t i = 0; i < count; i++)
		a->start[arcs[i].from + 2]++;
	for (uint32_t n = 0; n < nodes; n++)
		a->start[n + 2] += a->start[n + 1];
	for (uint32_t i = 0; i < count; i++)
		a->items[a->start[arcs[i].from + 1]++] = arcs[i].to;
	return true;
}

void adjacency__release(struct adjacency *a)
{
	free(a->start);
	free(a->items);
	*a = (struct adjacency){0};
}

struct tarjan {
	const struct adjacency *graph;
	uint32_t *index, *low, *next, *stack, *path, *component;
	uint32_t stacked, depth, counter, components;
};

static void enter(struct tarjan *t, uint32_t node)
{
	t->index[node] = t->low[node] = ++t->counter;
	t->next[node] = t->graph->start[node];
	t->stack[t->stacked++] = node;
	t->path[t->depth++] = node;
}

static void leave(struct tarjan *t, uint32_t node)
{
	t->depth--;
	if (t->depth && t->low[node] < t->low[t->path[t->depth - 1]])
		t->low[t->path[t->depth - 1]] = t->low[node];
	if (t->low[node] != t->index[node])
		return;
	/* index 0 is "not visited", UINT32_MAX "in a finished component" */
	if (t->stack[t->stacked - 1] == node) {
		t->stacked--;
		t->index[node] = UINT32_MAX;
		return;
	}
	for (uint32_t member = SCC_NONE; member != node;) {
		member = t->stack[--t->stacked];
		t->component[member] = t->components;
		t->index[member] = UINT32_MAX;
	}
	t->components++;
}

static void visit_from(struct tarjan *t, uint32_t root)
{
	enter(t, root);
	while (t->depth) {
		uint32_t node = t->path[t->depth - 1], to;

		if (t->next[node] == t->graph->start[node + 1]) {
			leave(t, node);
			continue;
		}
		to = t->graph->items[t->next[node]++];
		if (!t->index[to])
			enter(t, to);
		else if (t->index[to] < t->low[node])
			t->low[node] = t->index[to];
	}
}

uint32_t *scc__components(const struct adjacency *a)
{
	size_t n = a->nodes + 1ULL;
	uint32_t *scratch = malloc(4 * n * sizeof(uint32_t));
	struct tarjan t = {.graph = a,
			   .index = calloc(n, sizeof(uint32_t)),
			   .component = malloc(n * sizeof(uint32_t))};

	if (!scratch || !t.index || !t.component) {
		free(t.component);
		t.component = NULL;
		goto cleanup;
	}
	t.low = scratch;
	t.next = scratch + n;
	t.stack = scratch + 2 * n;
	t.path = scratch + 3 * n;
	for (uint32_t node = 0; node < a->nodes; node++)
		t.component[node] = SCC_NONE;
	for (uint32_t node = 0; node < a->nodes; node++) {
		if (!t.index[node])
			visit_from(&t, node);
	}
cleanup:
	free(scratch);
	free(t.index);
	return t.component;
}
