// SPDX-License-Identifier: GPL-2.0-or-later
/* Wait and hold times per lock, call site and VM. */
#include "model/model_private.h"

static void histogram__add(struct histogram *into, const struct histogram *add)
{
	into->count += add->count;
	into->total += add->total;
	if (add->max > into->max)
		into->max = add->max;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += add->bucket[i];
}

void model__add_duration(struct model *m, uint32_t instance, uint32_t stack, uint32_t vm,
			 bool is_hold, const struct histogram *add)
{
	struct duration_row fresh = {
		.instance = instance, .stack = stack, .vm = vm, .is_hold = is_hold};
	uint64_t key = hash_mix(idmap_pair(instance, stack), idmap_pair(vm, is_hold));
	uint32_t id;

	for (; (id = idmap__get(&m->duration_ids, key)) != IDMAP_NONE; key++) {
		const struct duration_row *known = &m->durations.items[id];

		if (known->instance == instance && known->stack == stack && known->vm == vm &&
		    known->is_hold == is_hold)
			break;
	}
	if (id == IDMAP_NONE) {
		id = (uint32_t)m->durations.count;
		if (!vector_reserve(&m->durations, id + 1ULL) ||
		    idmap__put(&m->duration_ids, key, id)) {
			m->losses[LOSS_MEMORY]++;
			return;
		}
		m->durations.items[m->durations.count++] = fresh;
	}
	histogram__add(&m->durations.items[id].time, add);
}

uint32_t model__duration_count(const struct model *m)
{
	return (uint32_t)m->durations.count;
}

const struct duration_row *model__duration(const struct model *m, uint32_t id)
{
	return &m->durations.items[id];
}
