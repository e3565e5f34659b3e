// SPDX-License-Identifier: GPL-2.0-or-later
/* Chains: held sets with the lock wanted on top, and which tasks went through them. */
#include "model/dependencies.h"

#include <string.h>

/* The dependency ids of a chain lie right behind its held locks. */
static uint32_t *chain_dependencies(const struct chain *chain)
{
	return (uint32_t *)(chain->held + chain->held_count);
}

static void notify_dependency(const struct model *m, uint32_t id, bool is_new_edge)
{
	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].dependency)
			m->observers[i].dependency(m->observers[i].context, m, id, is_new_edge);
	}
}

static void notify_chain(const struct model *m, uint32_t id)
{
	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].chain)
			m->observers[i].chain(m->observers[i].context, m, id);
	}
}

/* Create the dependencies of a new chain; is_new_edge[i] belongs to held[i]. */
static void derive_dependencies(struct model *m, uint32_t id, bool *is_new_edge)
{
	const struct chain *chain = &m->chains.items[id];
	uint32_t *dependencies = chain_dependencies(chain);

	for (uint32_t i = 0; i < chain->held_count; i++) {
		dependencies[i] = NO_ID;
		is_new_edge[i] = false;
		if (chain->wanted.flags & HELD_TRY)
			continue;
		dependencies[i] =
			dependency__add(m, &chain->held[i], &chain->wanted, id, &is_new_edge[i]);
		if (dependencies[i] == NO_ID) {
			m->losses[LOSS_MEMORY]++;
			continue;
		}
		dependency__witness(m, dependencies[i], id, &chain->held[i], &chain->wanted);
		dependency__count(m, dependencies[i], id, chain->count, chain->last);
	}
	if (chain->held_count)
		m->chain_inner.items[id] = dependencies[chain->held_count - 1];
}

static uint32_t chain__create(struct model *m, uint64_t hash, const struct held_lock *held,
			      uint32_t held_count, const struct held_lock *wanted)
{
	struct chain fresh = {.held_count = held_count, .wanted = *wanted};
	uint32_t id = (uint32_t)m->chains.count;

	if (m->held_total + held_count + 1 > m->most_held)
		return NO_ID;
	fresh.held = arena__alloc(&m->arena, held_count * (sizeof(*held) + sizeof(uint32_t)) + 1,
				  _Alignof(struct held_lock));
	if (!fresh.held || !vector_reserve(&m->chains, id + 1ULL) ||
	    !vector_reserve(&m->chain_hashes, id + 1ULL) ||
	    !vector_reserve(&m->chain_inner, id + 1ULL) || idmap__put(&m->chain_ids, hash, id))
		return NO_ID;
	if (held_count)
		memcpy(fresh.held, held, held_count * sizeof(*held));
	m->held_total += held_count + 1;
	m->chains.items[m->chains.count++] = fresh;
	m->chain_hashes.items[m->chain_hashes.count++] = hash;
	m->chain_inner.items[m->chain_inner.count++] = NO_ID;
	for (uint32_t i = 0; i < held_count; i++)
		instance__note_mode(m, &held[i]);
	instance__note_mode(m, wanted);
	return id;
}

/* Announce a chain once everything about it is in place. */
static void announce(struct model *m, uint32_t id, uint32_t task, const bool *is_new_edge)
{
	const struct chain *chain = &m->chains.items[id];

	notify_chain(m, id);
	if (task != NO_ID)
		model__add_task_chain(m, task, id, chain->last, chain->count);
	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t dependency = chain_dependencies(chain)[i];

		if (dependency != NO_ID)
			notify_dependency(m, dependency, is_new_edge[i]);
	}
}

uint32_t chain__add_hashed(struct model *m, uint64_t hash, const struct held_lock *held,
			   uint32_t held_count, const struct held_lock *wanted, uint32_t task,
			   uint64_t time, uint64_t count, uint32_t path)
{
	/* equal 64-bit hashes stand for equality: among 10^7 chains 3 in a million to be wrong */
	uint32_t id;
	bool is_new_edge[MAX_HELD];
	struct chain *chain;

	idmap__prefetch(&m->task_chain_ids, hash_mix(hash, task));
	id = idmap__get(&m->chain_ids, hash);
	if (id != IDMAP_NONE) {
		__builtin_prefetch(&m->chains.items[id]);
		model__count_chain(m, id, count, time);
		if (task != NO_ID)
			model__add_task_chain(m, task, id, time, count);
		return id;
	}
	id = chain__create(m, hash, held, held_count, wanted);
	if (id == NO_ID) {
		m->losses[LOSS_MEMORY]++;
		return NO_ID;
	}
	chain = &m->chains.items[id];
	chain->path = path;
	chain->first_task = chain->last_task = task;
	chain->count = count;
	chain->first = chain->last = time;
	derive_dependencies(m, id, is_new_edge);
	announce(m, id, task, is_new_edge);
	return id;
}

uint32_t model__add_chain(struct model *m, const struct held_lock *held, uint32_t held_count,
			  const struct held_lock *wanted, uint32_t task, uint64_t time,
			  uint64_t count, uint32_t path)
{
	uint64_t hash = 0;

	if (held_count > MAX_HELD) {
		m->losses[LOSS_HELD_OVERFLOW]++;
		held_count = MAX_HELD;
	}
	for (uint32_t i = 0; i < held_count; i++)
		hash = chain_hash_step(hash, &held[i]);
	return chain__add_hashed(m, chain_hash_step(hash, wanted), held, held_count, wanted, task,
				 time, count, path);
}

void model__count_chain(struct model *m, uint32_t id, uint64_t count, uint64_t time)
{
	struct chain *chain = &m->chains.items[id];
	uint32_t inner = m->chain_inner.items[id];
	const uint32_t *dependencies;

	/* the usual chain has one held lock: its dependency is known without reading the chain */
	if (inner != NO_ID)
		dependency__count(m, inner, id, count, time);
	chain->count += count;
	see_time(&chain->first, &chain->last, time);
	dependencies = chain_dependencies(chain);
	for (uint32_t i = 0; i + 1 < chain->held_count; i++) {
		if (dependencies[i] != NO_ID)
			dependency__count(m, dependencies[i], id, count, time);
	}
}

static void notify_task_chain(const struct model *m, const struct task_chain *pair)
{
	for (uint32_t i = 0; i < m->observer_count; i++) {
		if (m->observers[i].task_chain)
			m->observers[i].task_chain(m->observers[i].context, m, pair);
	}
}

void model__add_task_chain(struct model *m, uint32_t task, uint32_t chain_id, uint64_t time,
			   uint64_t count)
{
	struct task_chain fresh = {task, chain_id, count, time, time};
	uint64_t key = hash_mix(m->chain_hashes.items[chain_id], task);
	uint32_t id = idmap__get(&m->task_chain_ids, key);
	struct chain *chain = &m->chains.items[chain_id];

	if (time >= chain->last)
		chain->last_task = task;
	if (id != IDMAP_NONE) {
		struct task_chain *known = &m->task_chains.items[id];

		known->count += count;
		see_time(&known->first, &known->last, time);
		return;
	}
	if (!vector_reserve(&m->task_chains, m->task_chains.count + 1) ||
	    idmap__put(&m->task_chain_ids, key, (uint32_t)m->task_chains.count)) {
		m->losses[LOSS_MEMORY]++;
		return;
	}
	m->task_chains.items[m->task_chains.count++] = fresh;
	chain->task_count++;
	if (chain->first_task == NO_ID)
		chain->first_task = task;
	notify_task_chain(m, &fresh);
}

/* --- reading --------------------------------------------------------------------------------- */

uint32_t model__chain_count(const struct model *m)
{
	return (uint32_t)m->chains.count;
}

uint32_t model__task_chain_count(const struct model *m)
{
	return (uint32_t)m->task_chains.count;
}

const struct chain *model__chain(const struct model *m, uint32_t id)
{
	return &m->chains.items[id];
}

const struct task_chain *model__task_chain(const struct model *m, uint32_t id)
{
	return &m->task_chains.items[id];
}

uint32_t model__chain_dependency(const struct model *m, uint32_t chain, uint32_t i)
{
	return chain_dependencies(&m->chains.items[chain])[i];
}
