// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts of holders per instance while an instance cycle is put together: guards in O(held locks).
 */
#include "analysis/analysis_private.h"

#include <stdlib.h>
#include <string.h>

static bool grow(void **items, size_t element, uint32_t had, uint32_t wanted)
{
	void *bigger = realloc(*items, wanted * element);

	if (!bigger)
		return false;
	memset((char *)bigger + had * element, 0, (wanted - had) * element);
	*items = bigger;
	return true;
}

bool scratch__reserve(struct analysis *a)
{
	uint32_t instances = model__instance_count(a->m), tasks = model__task_count(a->m);

	if (instances > a->scratch_instances) {
		instances += instances / 2;
		if (!grow((void **)&a->held_exclusive, sizeof(*a->held_exclusive),
			  a->scratch_instances, instances) ||
		    !grow((void **)&a->held_shared, sizeof(*a->held_shared), a->scratch_instances,
			  instances))
			return false;
		a->scratch_instances = instances;
	}
	if (tasks > a->scratch_tasks) {
		tasks += tasks / 2;
		if (!grow((void **)&a->task_used, 1, a->scratch_tasks, tasks))
			return false;
		a->scratch_tasks = tasks;
	}
	return true;
}

void scratch__release(struct analysis *a)
{
	free(a->held_exclusive);
	free(a->held_shared);
	free(a->task_used);
}

bool scratch__gates(const struct analysis *a, uint32_t chain_id)
{
	const struct chain *chain = model__chain(a->m, chain_id);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t instance = chain->held[i].instance;

		if (a->held_exclusive[instance] ||
		    (a->held_shared[instance] && chain->held[i].mode == LOCK_EXCLUSIVE))
			return true;
	}
	return false;
}

static void change(struct analysis *a, uint32_t chain_id, int by)
{
	const struct chain *chain = model__chain(a->m, chain_id);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint16_t *held =
			chain->held[i].mode == LOCK_EXCLUSIVE ? a->held_exclusive : a->held_shared;

		held[chain->held[i].instance] = (uint16_t)(held[chain->held[i].instance] + by);
	}
}

void scratch__add(struct analysis *a, uint32_t chain)
{
	change(a, chain, 1);
}

void scratch__remove(struct analysis *a, uint32_t chain)
{
	change(a, chain, -1);
}

/* Does some other of the chains hold this lock in a mode that excludes? */
static bool is_guard(const struct analysis *a, const struct held_lock *lock, uint32_t own)
{
	const struct chain *chain = model__chain(a->m, own);
	uint32_t exclusive = a->held_exclusive[lock->instance];
	uint32_t shared = a->held_shared[lock->instance];

	/* what this chain holds itself, more than once after a recursion, excludes nobody else */
	for (uint32_t i = 0; i < chain->held_count; i++) {
		if (chain->held[i].instance != lock->instance)
			continue;
		if (chain->held[i].mode == LOCK_EXCLUSIVE)
			exclusive--;
		else
			shared--;
	}
	return exclusive || (shared && lock->mode == LOCK_EXCLUSIVE);
}

uint32_t scratch__guards(struct analysis *a, const uint32_t *chains, uint32_t count,
			 uint32_t *guards, uint32_t size)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < count; i++)
		scratch__add(a, chains[i]);
	for (uint32_t i = 0; i < count && found < size; i++) {
		const struct chain *chain = model__chain(a->m, chains[i]);

		for (uint32_t j = 0; j < chain->held_count && found < size; j++) {
			bool known = !is_guard(a, &chain->held[j], chains[i]);

			for (uint32_t k = 0; k < found; k++)
				known |= guards[k] == chain->held[j].instance;
			if (!known)
				guards[found++] = chain->held[j].instance;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		scratch__remove(a, chains[i]);
	return found;
}
