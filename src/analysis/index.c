// SPDX-License-Identifier: GPL-2.0-or-later
/* Every sight of every dependency that can be part of a cycle, grouped by dependency. */
#include "analysis/nodes.h"

#include <stdlib.h>

#include "analysis/forkjoin.h"

typedef void (*sight_fn)(struct analysis *a, uint32_t dependency, const struct sight *sight);

static void each_dependency(struct analysis *a, const struct sight *sight, sight_fn each)
{
	const struct chain *chain = model__chain(a->m, sight->chain);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t id = model__chain_dependency(a->m, sight->chain, i);

		if (id != NO_ID)
			each(a, id, sight);
	}
}

/* A node is one sight per fork/join segment it was seen in. */
static void each_sight(struct analysis *a, sight_fn each)
{
	const struct nodes *n = a->nodes;

	for (uint64_t i = 0; i < n->items.count; i++) {
		const struct node *node = &n->items.items[i];
		struct sight sight = {node->chain, node->task, NO_ID};
		uint32_t entry = node->first_entry;

		if (entry == NO_ID)
			each_dependency(a, &sight, each);
		for (; entry != NO_ID; entry = n->entries.items[entry].next) {
			const struct entry *e = &n->entries.items[entry];

			if (entry != node->first_entry && e->segment == sight.segment)
				continue;
			sight.segment = e->segment;
			each_dependency(a, &sight, each);
		}
	}
}

static void count_sight(struct analysis *a, uint32_t dependency, const struct sight *sight)
{
	(void)sight;
	a->sight_start[dependency + 2]++;
}

static void place_sight(struct analysis *a, uint32_t dependency, const struct sight *sight)
{
	a->sights[a->sight_start[dependency + 1]++] = *sight;
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
	a->sight_start = calloc(dependencies + 3ULL, sizeof(*a->sight_start));
	if (!a->sight_start)
		return false;
	if (a->nodes)
		each_sight(a, count_sight);
	for (uint32_t i = 1; i < dependencies + 2; i++)
		a->sight_start[i + 1] += a->sight_start[i];
	a->sights = malloc((a->sight_start[dependencies + 1] + 1) * sizeof(*a->sights));
	if (!a->sights)
		return false;
	if (a->nodes)
		each_sight(a, place_sight);
	return true;
}

void analysis__drop_index(struct analysis *a)
{
	nodes__free(a->nodes);
	forkjoin__free(a->forkjoin);
	free(a->sights);
	free(a->sight_start);
	a->nodes = NULL;
	a->forkjoin = NULL;
	a->sights = NULL;
	a->sight_start = NULL;
}
