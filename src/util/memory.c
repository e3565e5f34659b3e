// SPDX-License-Identifier: GPL-2.0-or-later
/* Growing arrays and a bump allocator. */
#include "util/memory.h"

#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	char bytes[];
};

#define FIRST_CHUNK 4096
#define LARGEST_CHUNK (1024 * 1024)

void *arena__alloc(struct arena *arena, size_t size, size_t alignment)
{
	size_t at = (arena->used + alignment - 1) & ~(alignment - 1);

	if (!arena->chunks || at + size > arena->size) {
		size_t bytes = arena->size ? arena->size * 2 : FIRST_CHUNK;
		struct arena_chunk *chunk;

		if (bytes > LARGEST_CHUNK)
			bytes = LARGEST_CHUNK;
		if (bytes < size)
			bytes = size;
		chunk = malloc(sizeof(*chunk) + bytes);
		if (!chunk)
			return NULL;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->size = bytes;
		at = 0;
	}
	arena->used = at + size;
	return memset(arena->chunks->bytes + at, 0, size);
}

void arena__release(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	*arena = (struct arena){0};
}

bool array_reserve_bytes(void **items, uint64_t *capacity, uint64_t needed, size_t element)
{
	uint64_t bigger = *capacity ? *capacity : 8;
	void *moved;

	while (bigger < needed)
		bigger *= 2;
	moved = realloc(*items, bigger * element);
	if (!moved)
		return false;
	*items = moved;
	*capacity = bigger;
	return true;
}
