// SPDX-License-Identifier: GPL-2.0-or-later
/* Stacks, kept once each. */
#include "model/model_private.h"

#include <stdlib.h>
#include <string.h>

#define FEW_FRAMES 16

static bool frames_equal(const struct stack *known, const struct frame *frames)
{
	for (uint32_t i = 0; i < known->frame_count; i++) {
		const struct frame *a = &known->frames[i], *b = &frames[i];

		if (a->ip != b->ip || a->offset != b->offset || a->line != b->line ||
		    a->symbol != b->symbol || a->module != b->module || a->file != b->file)
			return false;
	}
	return true;
}

static uint64_t frames_hash(enum stack_kind kind, const struct frame *frames, uint32_t count)
{
	uint64_t hash = hash_mix(kind, count);

	for (uint32_t i = 0; i < count; i++) {
		hash = hash_mix(hash_mix(hash, frames[i].ip),
				idmap_pair(frames[i].offset, frames[i].line));
		hash = hash_mix(hash_mix(hash, (uintptr_t)frames[i].symbol),
				(uintptr_t)frames[i].module);
		hash = hash_mix(hash, (uintptr_t)frames[i].file);
	}
	return hash;
}

static uint32_t keep_stack(struct model *m, uint64_t key, enum stack_kind kind,
			   const struct frame *frames, uint32_t count)
{
	struct frame *kept =
		arena__alloc(&m->arena, count * sizeof(*kept) + 1, _Alignof(struct frame));

	if (!kept || !vector_reserve(&m->stacks, m->stacks.count + 1) ||
	    idmap__put(&m->stack_ids, key, (uint32_t)m->stacks.count))
		return NO_ID;
	if (count)
		memcpy(kept, frames, count * sizeof(*kept));
	m->stacks.items[m->stacks.count++] = (struct stack){kind, count, kept};
	return (uint32_t)(m->stacks.count - 1);
}

uint32_t model__add_stack(struct model *m, enum stack_kind kind, const struct frame *frames,
			  uint32_t count)
{
	struct frame few[FEW_FRAMES], *copy = few;
	uint64_t key;
	uint32_t id;

	if (count > FEW_FRAMES)
		copy = malloc(count * sizeof(*copy));
	if (!copy)
		return NO_ID;
	for (uint32_t i = 0; i < count; i++) {
		copy[i] = frames[i];
		copy[i].symbol = model__intern(m, frames[i].symbol);
		copy[i].module = model__intern(m, frames[i].module);
		copy[i].file = model__intern(m, frames[i].file);
	}
	key = frames_hash(kind, copy, count);
	for (; (id = idmap__get(&m->stack_ids, key)) != IDMAP_NONE; key++) {
		const struct stack *known = &m->stacks.items[id];

		if (known->kind == kind && known->frame_count == count && frames_equal(known, copy))
			goto cleanup;
	}
	id = keep_stack(m, key, kind, copy, count);
cleanup:
	if (copy != few)
		free(copy);
	return id;
}

uint32_t model__stack_count(const struct model *m)
{
	return (uint32_t)m->stacks.count;
}

struct stack model__stack(const struct model *m, uint32_t id)
{
	return id < m->stacks.count ? m->stacks.items[id] : (struct stack){0};
}
