// SPDX-License-Identifier: GPL-2.0-or-later
/* What a recording states outright: nothing is derived from it again. */
#include "model/model_private.h"

#include <errno.h>

int model__restore_bad_release(struct model *m, const struct bad_release *release)
{
	uint64_t key = idmap_pair(release->task, release->instance);
	uint32_t id = idmap__get(&m->bad_release_ids, key);

	if (id != IDMAP_NONE) {
		struct bad_release *known = &m->bad_releases.items[id];

		known->count += release->count;
		if (release->first < known->first)
			known->first = release->first;
		if (release->last > known->last)
			known->last = release->last;
		return 0;
	}
	if (!idmap__put(&m->bad_release_ids, key, (uint32_t)m->bad_releases.count) &&
	    vector_push(&m->bad_releases, *release))
		return 0;
	m->losses[LOSS_MEMORY]++;
	return -ENOMEM;
}

void model__restore_instance_flags(struct model *m, uint32_t instance, uint32_t flags)
{
	m->instances.items[instance].flags |= flags;
}

void model__restore_edge_count(struct model *m, uint32_t from_class, uint32_t to_class,
			       const struct class_edge *was)
{
	uint32_t id = model__find_edge(m, from_class, to_class);
	struct class_edge *edge;

	if (id == NO_ID)
		return;
	edge = &m->edges.items[id];
	edge->count = was->count;
	edge->first = was->first;
	edge->last = was->last;
}

void model__restore_dependency_count(struct model *m, uint32_t from, uint32_t to,
				     const struct dependency *was)
{
	uint32_t id =
		model__find_annotated(m, from, was->from_mode, to, was->to_mode, was->subclasses);
	struct dependency *dependency;

	if (id == NO_ID)
		return;
	dependency = &m->dependencies.items[id];
	dependency->count = was->count;
	dependency->chain_count = was->chain_count;
	dependency->first = was->first;
	dependency->last = was->last;
}
