// SPDX-License-Identifier: GPL-2.0-or-later
/* Dependencies between instances, and the class edges they fall into. */
#include "model/dependencies.h"

static uint32_t edge_for(struct model *m, const struct held_lock *from, const struct held_lock *to,
			 bool *is_new)
{
	uint32_t from_class = model__held_class(m, from), to_class = model__held_class(m, to);
	uint64_t key = idmap_pair(from_class, to_class);
	uint32_t id = idmap__get(&m->edge_ids, key);
	uint16_t mode = (uint16_t)(1u << (from->mode * LOCK_MODES + to->mode));

	if (id == IDMAP_NONE) {
		struct class_edge fresh = {
			.from = from_class, .to = to_class, .first_dependency = NO_ID};

		id = (uint32_t)m->edges.count;
		if (!vector_reserve(&m->edges, id + 1ULL) ||
		    !vector_reserve(&m->edge_dependencies, id + 1ULL) ||
		    idmap__put(&m->edge_ids, key, id))
			return NO_ID;
		m->edges.items[m->edges.count++] = fresh;
		m->edge_dependencies.items[m->edge_dependencies.count++] = (struct id_list){0};
	}
	*is_new = !(m->edges.items[id].modes & mode);
	m->edges.items[id].modes |= mode;
	return id;
}

static uint64_t dependency_key(const struct dependency *d)
{
	return hash_mix(idmap_pair(d->from, d->to),
			(uint64_t)d->subclasses << 8 |
				(uint64_t)(d->from_mode * LOCK_MODES + d->to_mode));
}

/* Keys are hashes: dependencies of equal hash sit under successive keys. On NO_ID *key is free. */
static uint32_t lookup(const struct model *m, uint64_t *key, const struct dependency *wanted)
{
	uint32_t id;

	for (; (id = idmap__get(&m->dependency_ids, *key)) != IDMAP_NONE; ++*key) {
		const struct dependency *known = &m->dependencies.items[id];

		if (known->from == wanted->from && known->to == wanted->to &&
		    known->from_mode == wanted->from_mode && known->to_mode == wanted->to_mode &&
		    known->subclasses == wanted->subclasses)
			return id;
	}
	return NO_ID;
}

static bool edge__append(struct model *m, uint32_t edge, uint32_t dependency)
{
	if (m->edges.items[edge].first_dependency == NO_ID)
		m->edges.items[edge].first_dependency = dependency;
	else if (!id_list__push(&m->edge_dependencies.items[edge], dependency))
		return false;
	m->edges.items[edge].dependency_count++;
	return true;
}

uint32_t dependency__add(struct model *m, const struct held_lock *from, const struct held_lock *to,
			 uint32_t chain, bool *is_new_edge)
{
	struct dependency fresh = {.from = from->instance,
				   .to = to->instance,
				   .from_mode = from->mode,
				   .to_mode = to->mode,
				   .subclasses = (uint8_t)(from->subclass << 4 | to->subclass),
				   .first_chain = chain,
				   .last_chain = chain};
	uint64_t key = dependency_key(&fresh);
	uint32_t id = lookup(m, &key, &fresh);

	*is_new_edge = false;
	if (id != NO_ID)
		return id;
	if (m->dependencies.count >= m->most_dependencies)
		return NO_ID;
	fresh.class_edge = edge_for(m, from, to, is_new_edge);
	id = (uint32_t)m->dependencies.count;
	if (fresh.class_edge == NO_ID || !vector_reserve(&m->dependencies, id + 1ULL) ||
	    !vector_reserve(&m->witnesses, id + 1ULL) || !edge__append(m, fresh.class_edge, id) ||
	    idmap__put(&m->dependency_ids, key, id))
		return NO_ID;
	m->dependencies.items[m->dependencies.count++] = fresh;
	m->witnesses.items[m->witnesses.count++] = (struct id_list){0};
	return id;
}

void dependency__count(struct model *m, uint32_t id, uint32_t chain, uint64_t count, uint64_t time)
{
	struct dependency *dependency = &m->dependencies.items[id];
	struct class_edge *edge = &m->edges.items[dependency->class_edge];

	dependency->count += count;
	if (time >= dependency->last)
		dependency->last_chain = chain;
	see_time(&dependency->first, &dependency->last, time);
	edge->count += count;
	see_time(&edge->first, &edge->last, time);
}

void dependency__witness(struct model *m, uint32_t id, uint32_t chain, const struct held_lock *from,
			 const struct held_lock *to)
{
	struct dependency *dependency = &m->dependencies.items[id];

	if ((from->flags | to->flags) & HELD_INFERRED)
		dependency->flags |= DEPENDENCY_INFERRED;
	if (from->flags & HELD_TRY)
		dependency->flags |= DEPENDENCY_FROM_TRY;
	dependency->chain_count++;
	if (chain != dependency->first_chain && m->witnesses.items[id].count < MAX_WITNESSES - 1)
		id_list__push(&m->witnesses.items[id], chain);
}

/* --- reading --------------------------------------------------------------------------------- */

uint32_t model__dependency_count(const struct model *m)
{
	return (uint32_t)m->dependencies.count;
}

uint32_t model__class_edge_count(const struct model *m)
{
	return (uint32_t)m->edges.count;
}

const struct dependency *model__dependency(const struct model *m, uint32_t id)
{
	return &m->dependencies.items[id];
}

const struct class_edge *model__class_edge(const struct model *m, uint32_t id)
{
	return &m->edges.items[id];
}

uint32_t model__class_edge_dependency(const struct model *m, uint32_t edge, uint32_t i)
{
	return i ? m->edge_dependencies.items[edge].items[i - 1]
		 : m->edges.items[edge].first_dependency;
}

uint32_t model__dependency_chain(const struct model *m, uint32_t dependency, uint32_t i)
{
	return i ? m->witnesses.items[dependency].items[i - 1]
		 : m->dependencies.items[dependency].first_chain;
}

uint32_t model__dependency_chains_kept(const struct model *m, uint32_t dependency)
{
	return m->witnesses.items[dependency].count + 1;
}

uint32_t model__find_edge(const struct model *m, uint32_t from_class, uint32_t to_class)
{
	return idmap__get(&m->edge_ids, idmap_pair(from_class, to_class));
}

uint32_t model__find_annotated(const struct model *m, uint32_t from, uint8_t from_mode, uint32_t to,
			       uint8_t to_mode, uint8_t subclasses)
{
	struct dependency wanted = {.from = from,
				    .to = to,
				    .from_mode = from_mode,
				    .to_mode = to_mode,
				    .subclasses = subclasses};
	uint64_t key = dependency_key(&wanted);

	return lookup(m, &key, &wanted);
}

uint32_t model__find_dependency(const struct model *m, uint32_t from, uint8_t from_mode,
				uint32_t to, uint8_t to_mode)
{
	return model__find_annotated(m, from, from_mode, to, to_mode, 0);
}
