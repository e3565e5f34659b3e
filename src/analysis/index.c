// SPDX-License-Identifier: GPL-2.0-or-later
/* Every occurrence of every dependency that can be part of a cycle, grouped by dependency. */
#include "analysis/nodes.h"

#include <stdlib.h>

#include "analysis/forkjoin.h"

typedef void (*occurrence_fn)(struct analysis *a, uint32_t dependency,
			      const struct occurrence *occurrence);

static void each_dependency(struct analysis *a, const struct occurrence *occurrence,
			    occurrence_fn each)
{
	const struct chain *chain = model__chain(a->m, occurrence->chain);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t id = model__chain_dependency(a->m, occurrence->chain, i);

		if (id != NO_ID)
			each(a, id, occurrence);
	}
}

/* A node is one occurrence per fork/join segment it was seen in. */
static void each_occurrence(struct analysis *a, occurrence_fn each)
{
	const struct nodes *n = a->nodes;

	for (uint64_t i = 0; i < n->items.count; i++) {
		const struct node *node = &n->items.items[i];
		struct occurrence occurrence = {node->chain, node->task, NO_ID};
		uint32_t entry = node->first_entry;

		if (entry == NO_ID)
			each_dependency(a, &occurrence, each);
		for (; entry != NO_ID; entry = n->entries.items[entry].next) {
			const struct entry *e = &n->entries.items[entry];

			if (entry != node->first_entry && e->segment == occurrence.segment)
				continue;
			occurrence.segment = e->segment;
			each_dependency(a, &occurrence, each);
		}
	}
}

static void count_occurrence(struct analysis *a, uint32_t dependency,
			     const struct occurrence *occurrence)
{
	(void)occurrence;
	a->occurrence_start[dependency + 2]++;
}

static void place_occurrence(struct analysis *a, uint32_t dependency,
			     const struct occurrence *occurrence)
{
	a->occurrences[a->occurrence_start[dependency + 1]++] = *occurrence;
}

/* Live, tasks stand for each other, and the model's own witnesses say which they were. */
static bool witnesses_suffice(const struct analysis *a)
{
	if (!a->options.live_kernel)
		return false;
	for (uint32_t i = 0; i < model__dependency_count(a->m); i++) {
		if (model__dependency(a->m, i)->chain_count >
		    model__dependency_chains_kept(a->m, i))
			return false;
	}
	return true;
}

bool analysis__build_index(struct analysis *a)
{
	uint32_t dependencies = model__dependency_count(a->m);
	bool empty;

	a->nodes = nodes__new(a, &empty);
	if (!a->nodes && !empty)
		return false;
	if (witnesses_suffice(a))
		return true;
	a->occurrence_start = calloc(dependencies + 3ULL, sizeof(*a->occurrence_start));
	if (!a->occurrence_start)
		return false;
	if (a->nodes)
		each_occurrence(a, count_occurrence);
	for (uint32_t i = 1; i < dependencies + 2; i++)
		a->occurrence_start[i + 1] += a->occurrence_start[i];
	a->occurrences =
		malloc((a->occurrence_start[dependencies + 1] + 1) * sizeof(*a->occurrences));
	if (!a->occurrences)
		return false;
	if (a->nodes)
		each_occurrence(a, place_occurrence);
	return true;
}

void analysis__drop_index(struct analysis *a)
{
	nodes__free(a->nodes);
	forkjoin__free(a->forkjoin);
	free(a->occurrences);
	free(a->occurrence_start);
	a->nodes = NULL;
	a->forkjoin = NULL;
	a->occurrences = NULL;
	a->occurrence_start = NULL;
}
