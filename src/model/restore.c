// SPDX-License-Identifier: GPL-2.0-or-later
/* What a recording states outright: nothing is derived from it again. */
#include "model/internal.h"

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
